// SPDX-License-Identifier: Apache-2.0

package image

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// document is the part of SPDX 2.3 that says what a program was built from.
type document struct {
	Version   string        `json:"spdxVersion"`
	License   string        `json:"dataLicense"`
	ID        string        `json:"SPDXID"`
	Name      string        `json:"name"`
	Namespace string        `json:"documentNamespace"`
	Creation  creation      `json:"creationInfo"`
	Packages  []spdxPackage `json:"packages"`
	Relations []relation    `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	ID       string     `json:"SPDXID"`
	Name     string     `json:"name"`
	Version  string     `json:"versionInfo"`
	Location string     `json:"downloadLocation"`
	Analyzed bool       `json:"filesAnalyzed"`
	External []external `json:"externalRefs,omitempty"`
}

type external struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relation struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

// sbom returns the software bill of materials of a program: the modules that
// the Go compiler wrote into it.
func (p Program) sbom() ([]byte, error) {
	info, err := buildinfo.Read(bytes.NewReader(p.Content))
	if err != nil {
		return nil, fmt.Errorf("read what timoni-krm for %s was built from: %w", p.Architecture, err)
	}
	d := document{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: "timoni-krm",
		Namespace: fmt.Sprintf("https://github.com/kubectl-timoni/kubectl-timoni/spdx/timoni-krm-%x", sha256.Sum256(p.Content)),
		Creation:  creation{Created: p.created().Format(time.RFC3339), Creators: []string{"Tool: kubectl-timoni-image"}},
	}
	main := d.add(info.Main.Path, p.Version)
	d.Relations = append(d.Relations, relation{d.ID, "DESCRIBES", main})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		d.Relations = append(d.Relations, relation{main, "DEPENDS_ON", d.add(m.Path, m.Version)})
	}
	d.Relations = append(d.Relations, relation{main, "DEPENDS_ON", d.add("stdlib", strings.TrimPrefix(info.GoVersion, "go"))})
	return json.MarshalIndent(d, "", "  ")
}

// add adds a Go module and returns its id.
func (d *document) add(path, version string) string {
	id := fmt.Sprintf("SPDXRef-Package-%d", len(d.Packages))
	d.Packages = append(d.Packages, spdxPackage{
		ID: id, Name: path, Version: version, Location: "NOASSERTION",
		External: []external{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + path + "@" + version}},
	})
	return id
}
