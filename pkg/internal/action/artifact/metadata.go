// SPDX-License-Identifier: Apache-2.0

package artifact

import (
	"context"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// Metadata says what an artifact's annotations are made of.
type Metadata struct {
	Annotations     map[string]string // win over all others
	SourceDateEpoch string            // seconds since 1970, the value of SOURCE_DATE_EPOCH
}

// annotations returns the annotations of what is made from dir: from Git, where
// dir is in a repository and git is installed, then the date that was given,
// then the explicit ones. Nothing in them depends on when and where it is made.
func (m Metadata) annotations(ctx context.Context, dir string) (map[string]string, error) {
	all := fromGit(ctx, dir)
	if m.SourceDateEpoch != "" {
		seconds, err := strconv.ParseInt(m.SourceDateEpoch, 10, 64)
		if err != nil {
			return nil, fail.Usagef("SOURCE_DATE_EPOCH=%q is not a number of seconds", m.SourceDateEpoch)
		}
		all[archive.AnnotationCreated] = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	maps.Copy(all, m.Annotations)
	return all, nil
}

// isRemote says whether an address means the same elsewhere: one of the form
// scheme://host or host:path, as git tells them. A path of this machine does
// not, and may be private.
func isRemote(address string) bool {
	if scheme, _, ok := strings.Cut(address, "://"); ok {
		return scheme != "file"
	}
	host, _, ok := strings.Cut(address, ":")
	const drive = 1 // C:\…
	return ok && len(host) > drive && !strings.ContainsAny(host, `/\`)
}

// withoutCredentials takes user and password, often a token, out of an address.
func withoutCredentials(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address // of the form git@host:path, which has no password
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		u.User = nil
	}
	return u.Redacted()
}
