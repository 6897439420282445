// SPDX-License-Identifier: Apache-2.0

package trust

// Parse is parse.
func Parse(data []byte) (*Policy, error) { return parse(data) }
