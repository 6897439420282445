// SPDX-License-Identifier: Apache-2.0

package saved

import (
	"bytes"
	"context"
	"crypto/sha256"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/json"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/input"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// format is the number of the form of a file. A file of another one is refused:
// the plan is made again in a moment.
const format = 1

// kind is what a file says that it is.
const kind = "SavedPlan"

// maxSize bounds what is read.
const maxSize = 256 << 20

// envelope is a file. The digest is one of everything else in it.
type envelope struct {
	APIVersion string             `json:"apiVersion"`
	Kind       string             `json:"kind"`
	Format     int                `json:"format"`
	Digest     string             `json:"digest"`
	Plan       stdjson.RawMessage `json:"plan"`
}

const apiVersion = "cli.timoni.sh/v1alpha1"

// sum returns the digest of an envelope.
func (e envelope) sum() (string, error) {
	var plan bytes.Buffer
	if err := stdjson.Compact(&plan, e.Plan); err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n%s\n%d\n%s", e.APIVersion, e.Kind, e.Format, plan.Bytes())
	return fmt.Sprintf("sha256:%x", hash.Sum(nil)), nil
}

// encode returns the content of a file with the plan.
func encode(p Plan) ([]byte, error) {
	body, err := stdjson.Marshal(p)
	if err != nil {
		return nil, err
	}
	e := envelope{APIVersion: apiVersion, Kind: kind, Format: format, Plan: body}
	if e.Digest, err = e.sum(); err != nil {
		return nil, err
	}
	text, err := stdjson.MarshalIndent(e, "", " ")
	return append(text, '\n'), err
}

// decode returns the plan in the content of a file. Text that was changed since
// it was written, and another format, is refused.
func decode(data []byte) (Plan, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil || e.Kind != kind || e.APIVersion != apiVersion {
		return Plan{}, fail.Invalidf("it is not a saved plan")
	}
	if e.Format != format {
		return Plan{}, &FormatError{Format: e.Format}
	}
	sum, err := e.sum()
	if err != nil || sum != e.Digest {
		return Plan{}, fail.Refusedf("it was changed since it was written: its digest is not that of its content")
	}
	var p Plan
	if err := json.Unmarshal(e.Plan, &p); err != nil { // keeps integers
		return Plan{}, fail.Refusedf("it holds no plan that can be read: %w", err)
	}
	if err := p.check(); err != nil {
		return Plan{}, fail.Refuse(err)
	}
	return p, nil
}

// check returns an error for a plan that no program of ours has written.
func (p Plan) check() error {
	switch {
	case p.ClusterUID == "" || len(p.Instances) == 0:
		return errors.New("it names no cluster, or no instance")
	case p.Bundle == "" && len(p.Instances)+len(p.Leaving) > 1:
		return errors.New("it has several instances, and no bundle")
	}
	known := map[string]bool{}
	for i, in := range p.Instances {
		known[in.Metadata.Namespace+"/"+in.Metadata.Name] = true
		if err := in.check(in.Metadata.Namespace, in.Metadata.Name); err != nil {
			return fmt.Errorf("instance %d %w", i+1, err)
		}
		for _, before := range in.After {
			if before < 0 || before >= i {
				return fmt.Errorf("instance %q comes after one that is not before it", in.Metadata.Name)
			}
		}
	}
	for _, l := range p.Leaving {
		known[l.Namespace+"/"+l.Name] = true
		if err := l.check(l.Namespace, l.Name); err != nil {
			return fmt.Errorf("an instance that leaves %w", err)
		}
	}
	if len(known) < len(p.Instances)+len(p.Leaving) {
		return errors.New("it has an instance twice")
	}
	return nil
}

// check returns an error for changes of an instance that cannot be shown as what
// they are.
func (c Changes) check(namespace, name string) error {
	if !isLine(namespace) || !isLine(name) {
		return errors.New("has no name, or no namespace")
	}
	var outcomes []event.Outcome
	for _, s := range c.Steps {
		outcomes = append(outcomes, s.Outcome)
	}
	for _, d := range c.Differences {
		outcomes = append(outcomes, d.Outcome)
	}
	for _, o := range outcomes {
		if !isAction(o.Action) || !isLine(o.Kind) || !isLine(o.Name) || !isLine(o.String()+o.Group) {
			return errors.New("has an object without a name, or without an action")
		}
	}
	return nil
}

// isAction says whether a plan may have an action.
func isAction(a event.Action) bool {
	switch a {
	case event.Created, event.Configured, event.Recreated, event.Unchanged, event.Deferred, event.Deleted, event.Kept:
		return true
	}
	return false
}

// isLine says whether a text is what it looks like in a line.
func isLine(text string) bool { return text != "" && mask.Line(text) == text }

// Write writes the plan to a file that only the user reads. Readers find the old
// file or the new one. A device or a pipe is refused: the file would take its
// place.
func Write(name string, p Plan) error {
	data, err := encode(p)
	if err == nil {
		err = replace(name, data)
	}
	if err != nil {
		return fmt.Errorf("save the plan to %q: %w", name, err)
	}
	return nil
}

func replace(name string, data []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return fail.Invalidf("it is not a regular file")
	}
	dir := filepath.Dir(name)
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target // the user named it
	}
	return link.Replace(dir, filepath.Base(name), data, 0o600)
}

// Read reads the plan in a file.
func Read(ctx context.Context, name string) (Plan, error) {
	content, err := input.ReadUpTo(ctx, name, maxSize+1)
	if err == nil && len(content.Data) > maxSize {
		err = fail.Refusedf("it is larger than %d MiB", maxSize>>20)
	}
	var p Plan
	if err == nil {
		p, err = decode(content.Data)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("plan %q: %w", name, err)
	}
	return p, nil
}
