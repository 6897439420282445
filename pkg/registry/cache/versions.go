// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"path"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// versionsDir has a file for each repository whose versions were listed.
const versionsDir = "versions"

// maxVersions bounds such a file.
const maxVersions = 1 << 20

func versionsFile(source string) string {
	return path.Join(versionsDir, archive.Hash([]byte(source)).Hex)
}

// Versions returns the versions of a repository, oci://HOST/PATH, as they were
// kept last, and how long ago that was; none when they were not.
func (c Cache) Versions(source string) (versions []string, age time.Duration) {
	if c.Dir == "" {
		return nil, 0
	}
	info, err := c.files().Stat(versionsFile(source))
	if err != nil {
		return nil, 0
	}
	data, err := c.files().Read(versionsFile(source), maxVersions)
	if err != nil {
		return nil, 0
	}
	return strings.Fields(string(data)), time.Since(info.ModTime())
}

// KeepVersions keeps the versions of a repository.
func (c Cache) KeepVersions(source string, versions []string) {
	if c.Dir != "" {
		_ = c.files().Replace(versionsFile(source), []byte(strings.Join(versions, "\n")))
	}
}
