// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/bundle"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pin"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
)

// UpdateRequest says which versions a bundle's files are to name.
type UpdateRequest struct {
	Request
	Level  ref.Level // how far a version changes; empty: within the range of its attribute, or else to a minor one
	Pin    bool      // add digests where there are none
	DryRun bool      // write nothing
}

// Update is what changes of one instance.
type Update struct {
	Instance string `json:"instance"`
	Module   string `json:"module"`
	Place    string `json:"place"` // file:line:column
	Version  string `json:"version,omitempty"`
	To       string `json:"to,omitempty"` // the new version, or the one that it keeps
	Digest   string `json:"digest,omitempty"`
}

// UpdateFiles gives modules in registries the newest versions that are allowed. A
// version is taken only if the policy lets its module through. Nothing is written
// when one of them cannot be.
func UpdateFiles(ctx context.Context, site Site, req UpdateRequest, observer event.Observer) ([]Update, []pin.Rewritten, error) {
	req.namesOnly = true
	b, err := Load(ctx, site, req.Request)
	if err != nil {
		return nil, nil, err
	}
	files, err := pin.Parse(req.Files)
	if err != nil {
		return nil, nil, err
	}
	u := &updater{req: req, files: files, observer: event.Hiding(observer, b.secret), updates: []Update{}}
	var errs []error
	for _, in := range b.Selected {
		if in.Module.IsLocal() {
			continue
		}
		if failed := u.update(ctx, in); failed != nil {
			errs = append(errs, fmt.Errorf("update %s: %w", in.Name, failed))
		}
	}
	rewritten, err := u.rewritten()
	if err = b.Hide(errors.Join(append(errs, err)...)); err != nil || req.DryRun {
		return u.updates, rewritten, err
	}
	return u.updates, rewritten, pin.Write(rewritten)
}

// updater collects the changes of files.
type updater struct {
	req      UpdateRequest
	files    *pin.Files
	observer event.Observer
	edits    pin.Edits
	updates  []Update
}

func (u *updater) update(ctx context.Context, in bundle.Instance) error {
	m := in.Module
	version := cmp.Or(m.Range, m.Tag)
	at := u.files.Find(in.Name, version, m.Digest)
	rule := at.Rule()
	if rule.Never || at == (pin.Module{}) {
		u.explain(in, at, rule)
		return nil
	}
	wanted, err := u.wanted(ctx, m, at, rule)
	if err != nil {
		return err
	}
	change := Update{Instance: in.Name, Module: m.Source(), Place: at.Place().String(), Version: version, To: version}
	if at.Version != nil && m.Range == "" && wanted.Tag != m.Tag {
		change.To = wanted.Tag
	}
	asks := rule.DigestOnly || change.To != version
	switch {
	case at.Digest != nil && asks, at.Digest == nil && u.req.Pin:
		if change.Digest, err = oci.Digest(ctx, wanted, u.req.Render.OCI); err != nil {
			return err
		}
	case !asks:
		return nil
	}
	if change.To == version && (change.Digest == m.Digest || change.Digest == "") {
		return nil
	}
	if err = u.trust(ctx, wanted, change.Digest); err != nil {
		return err
	}
	u.updates = append(u.updates, change)
	return u.edit(at, change, version)
}

// explain warns of a version that cannot be updated, unless that is meant.
func (u *updater) explain(in bundle.Instance, at pin.Module, rule bundle.UpdateRule) {
	if m := in.Module; at == (pin.Module{}) && !rule.Never && cmp.Or(m.Tag, m.Range, m.Digest) != "" {
		u.observer.Observe(event.Warning{Text: fmt.Sprintf("instance %q: its version is not written as a field version or digest of the module, and stays as it is", in.Name)})
	}
}

// wanted returns the module in the version that it is to have.
func (u *updater) wanted(ctx context.Context, m ref.Reference, at pin.Module, rule bundle.UpdateRule) (ref.Reference, error) {
	m.Digest = ""
	if m.Range != "" {
		return source.Resolve(ctx, m, source.Options{OCI: u.req.Render.OCI})
	}
	isVersion := ref.CheckVersion(m.Tag) == nil
	if at.Version == nil || rule.DigestOnly || !isVersion {
		return m, nil
	}
	level := u.req.Level
	if level == "" && rule.Range == "" {
		level = ref.Minor
	}
	within, err := ref.Updates(m.Tag, level, rule.Range)
	if err != nil {
		return m, err
	}
	newest := m
	newest.Range, newest.Tag = within, ""
	newest, err = source.Resolve(ctx, newest, source.Options{OCI: u.req.Render.OCI})
	if errors.Is(err, session.ErrNotFound) {
		newest, err = m, nil // none is newer
	}
	return newest, err
}

// trust returns an error unless the module can be pulled and the policy lets it
// through.
func (u *updater) trust(ctx context.Context, m ref.Reference, digest string) error {
	m.Digest = digest
	opened, err := source.Open(ctx, m, source.Options{OCI: u.req.Render.OCI, Observer: u.observer})
	if err != nil {
		return err
	}
	return opened.Close()
}

func (u *updater) edit(at pin.Module, change Update, version string) error {
	if change.To != version {
		if err := u.edits.Set(at.Version, change.To); err != nil {
			return fmt.Errorf("%s: %w", at.Version.At, err)
		}
	}
	switch {
	case change.Digest == "":
	case at.Digest != nil:
		if err := u.edits.Set(at.Digest, change.Digest); err != nil {
			return fmt.Errorf("%s: %w", at.Digest.At, err)
		}
	case at.Version.IsField():
		return u.files.Insert(&u.edits, at.Version, pin.Field{Name: "digest", Value: change.Digest})
	default:
		u.observer.Observe(event.Warning{Text: fmt.Sprintf("%s: no digest is added, as the version is not written in the module itself", at.Version.At)})
	}
	return nil
}

// rewritten returns the files that change.
func (u *updater) rewritten() ([]pin.Rewritten, error) {
	var all []pin.Rewritten
	for i, after := range u.files.Apply(&u.edits) {
		f := u.req.Files[i]
		switch {
		case after == nil:
			continue
		case f.Path == "" || f.Root != "":
			return nil, fail.Invalidf("%s cannot be rewritten: name a file", f.Name)
		case f.Hidden != nil:
			return nil, fail.Invalidf("file %q is encrypted, and cannot be rewritten", f.Name)
		}
		all = append(all, pin.Rewritten{Name: f.Path, Before: f.Data, After: after})
	}
	return all, nil
}
