// SPDX-License-Identifier: Apache-2.0

package artifact

import "context"

// WithoutCredentials takes user and password out of an address.
func WithoutCredentials(address string) string { return withoutCredentials(address) }

// AnnotationsOf returns the annotations of what is made from dir.
func AnnotationsOf(ctx context.Context, m Metadata, dir string) (map[string]string, error) {
	return m.annotations(ctx, dir)
}

// IsRemote says whether the address of a repository means the same elsewhere.
func IsRemote(address string) bool { return isRemote(address) }
