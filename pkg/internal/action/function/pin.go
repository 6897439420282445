// SPDX-License-Identifier: Apache-2.0

package function

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/krm"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// PinRequest names files with function configs.
type PinRequest struct {
	Files  []string
	OCI    oci.Options
	DryRun bool // write nothing
}

// Pinned is what changes of one artifact that a function config names.
type Pinned struct {
	File    string `json:"file"`
	Config  string `json:"config"` // Instance/web
	Field   string `json:"field"`  // spec.module
	URL     string `json:"url"`
	Version string `json:"version,omitempty"` // as it was
	To      string `json:"to,omitempty"`      // the version that the digest is of
	Before  string `json:"before,omitempty"`  // the digest as it was
	Digest  string `json:"digest"`
}

// Pin gives what function configs name in registries the version and the digest
// that it has there now. Nothing is written when one of them cannot be pulled, or
// the policy or the config's own key does not let it through. All else in the files
// stays as it is.
func Pin(ctx context.Context, req PinRequest, observer event.Observer) ([]Pinned, []pin.Rewritten, error) {
	changes := []Pinned{}
	var files []pin.Rewritten
	var problems []error
	for _, name := range req.Files {
		p := &pinner{req: req, observer: observer, name: name}
		rewritten, err := p.file(ctx)
		if err != nil {
			problems = append(problems, fmt.Errorf("pin %q: %w", name, err))
		}
		changes = append(changes, p.changes...)
		if rewritten != nil {
			files = append(files, *rewritten)
		}
	}
	if err := errors.Join(problems...); err != nil || req.DryRun {
		return changes, files, err
	}
	return changes, files, pin.Write(files)
}

// pinner works on one file.
type pinner struct {
	req      PinRequest
	observer event.Observer
	name     string

	found   int // function configs
	changes []Pinned
}

// file returns the file with its changes, nil when there are none.
func (p *pinner) file(ctx context.Context) (*pin.Rewritten, error) {
	data, err := os.ReadFile(p.name)
	if err != nil {
		return nil, err
	}
	after := [][]byte{data[:len(data)-len(bytes.TrimPrefix(data, []byte(byteOrderMark)))]}
	for _, part := range documents(data[len(after[0]):]) {
		changed, err := p.rewrite(ctx, part)
		if err != nil {
			return nil, err
		}
		after = append(after, changed)
	}
	if p.found == 0 {
		return nil, fail.Invalidf("it has no function config of %s", krm.APIVersion)
	}
	if joined := bytes.Join(after, nil); !bytes.Equal(joined, data) {
		return &pin.Rewritten{Name: p.name, Before: data, After: joined}, nil
	}
	return nil, nil
}

// byteOrderMark is what editors of Windows write before a text in UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// markerRE matches what begins a document of YAML, which no text within one can
// look like.
var markerRE = regexp.MustCompile(`(?m)^---(?:[ \t\r]|$)`)

// documents returns the documents of a file, which joined are the file.
func documents(data []byte) (all [][]byte) {
	from := 0
	for _, at := range markerRE.FindAllIndex(data, -1) {
		all, from = append(all, data[from:at[0]]), at[0]
	}
	return append(all, data[from:])
}

// rewrite returns a document with its changes.
func (p *pinner) rewrite(ctx context.Context, data []byte) ([]byte, error) {
	f := krm.Function{Dir: filepath.Dir(p.name), Trust: krm.Trust{}}
	named, err := f.Artifacts(ctx, data)
	if err != nil {
		return data, err
	}
	if named.Config != "" {
		p.found++
	}
	if len(named.Files) > 0 {
		p.observer.Observe(event.Warning{Text: fmt.Sprintf("%s: the modules of its bundle are named in %s, and are not pinned there", p.name, strings.Join(named.Files, ", "))})
	}
	if len(named.List) == 0 {
		return data, nil
	}
	file := cuefile.File{Name: p.name, Format: cuefile.FormatOf(p.name), Data: data}
	parsed, err := pin.Parse([]cuefile.File{file})
	if err != nil {
		return data, err
	}
	var edits pin.Edits
	var wanted []Pinned
	for _, a := range named.List {
		change, err := p.pinned(ctx, a)
		if err == nil {
			err = edit(parsed, &edits, a, change)
		}
		if err != nil {
			return data, fmt.Errorf("%s: %w", a.Field(), err)
		}
		change.File, change.Config = p.name, named.Config
		wanted = append(wanted, change)
		if change.To != a.Version || change.Digest != a.Digest {
			p.changes = append(p.changes, change)
		}
	}
	if after := parsed.Apply(&edits)[0]; after != nil {
		return after, confirm(ctx, f, after, wanted)
	}
	return data, nil
}

// confirm reads a document again, and returns an error unless it says what it was
// changed to say: it may have a field that is empty, and would have another one then.
func confirm(ctx context.Context, f krm.Function, after []byte, wanted []Pinned) error {
	named, err := f.Artifacts(ctx, after)
	if err != nil {
		return fail.Invalidf("version and digest cannot be put into it: %w", err)
	}
	for i, w := range wanted {
		if a := named.List[i]; a.Version != w.To || a.Digest != w.Digest {
			return fail.Invalidf("%s: version and digest cannot be put into it", w.Field)
		}
	}
	return nil
}

// pinned returns the version and digest that an artifact has now.
func (p *pinner) pinned(ctx context.Context, a krm.Artifact) (Pinned, error) {
	change := Pinned{Field: a.Field(), URL: a.URL, Version: a.Version, To: a.Version, Before: a.Digest}
	options := p.req.OCI
	var err error
	if a.Access.Key != nil {
		if options.Verifier, err = newKeyVerifier(a.Access, options.Verifier); err != nil {
			return change, err
		}
	}
	wanted := a.Reference
	wanted.Digest = "" // that of the version as it is now
	from := source.Options{OCI: options, Observer: p.observer}
	if wanted, err = source.Resolve(ctx, wanted, from); err != nil {
		return change, err
	}
	if change.Digest, err = oci.Digest(ctx, wanted, options); err != nil {
		return change, err
	}
	open := source.OpenArtifact
	if a.IsModule {
		open = source.Open
	}
	wanted.Digest = change.Digest
	opened, err := open(ctx, wanted, from)
	if err != nil {
		return change, err
	}
	change.To = p.versionOf(ctx, a, wanted, opened.Version, options)
	return change, opened.Close()
}

// versionOf returns the version to write: for latest the one that the module says
// it has, if its tag names the same.
func (p *pinner) versionOf(ctx context.Context, a krm.Artifact, wanted ref.Reference, says string, options oci.Options) string {
	if wanted.Tag != "" && wanted.Tag != ref.Latest {
		return wanted.Tag
	}
	if ref.CheckVersion(says) != nil {
		return a.Version
	}
	tagged := wanted
	tagged.Tag, tagged.Digest = says, ""
	if digest, err := oci.Digest(ctx, tagged, options); err == nil && digest == wanted.Digest {
		return says
	}
	return a.Version
}

// edit changes what is written of an artifact, and adds what is missing.
func edit(files *pin.Files, edits *pin.Edits, a krm.Artifact, change Pinned) error {
	at := files.At(0, a.Path, a.URL, a.Version, a.Digest)
	var missing []pin.Field
	for _, f := range []struct {
		name, before, after string
		at                  *pin.Literal
	}{{"version", a.Version, change.To, at.Version}, {"digest", a.Digest, change.Digest, at.Digest}} {
		switch {
		case f.before == f.after:
		case f.before == "":
			missing = append(missing, pin.Field{Name: f.name, Value: f.after})
		case f.at == nil:
			return fail.Invalidf("its %s is not written as a text that can be changed", f.name)
		default:
			if err := edits.Set(f.at, f.after); err != nil {
				return err
			}
		}
	}
	next := cmp.Or(at.Version, at.URL)
	switch {
	case len(missing) == 0:
		return nil
	case !next.IsField():
		return fail.Invalidf("its url is not written as a text next to which a %s can be put", missing[0].Name)
	}
	return files.Insert(edits, next, slices.Clip(missing)...)
}
