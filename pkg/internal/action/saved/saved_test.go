// SPDX-License-Identifier: Apache-2.0

package saved_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/reviewed"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/saved"
)

func configMap(value any) api.Object {
	return api.Object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "data": map[string]any{"text": value}}
}

func plan() saved.Plan {
	o := configMap("<&>\u2028").Ref()
	return saved.Plan{
		Created: "2026-01-01T00:00:00Z", Program: "test", ClusterUID: "uid", Bundle: "b", HasSecrets: true,
		Policy: saved.PolicyOf(apply.Options{Adopt: apply.AdoptAll, Prune: apply.PruneAlways, NoWait: true, Replace: []api.Target{{Kind: "Job", Name: "x"}}}, "me"),
		Instances: []saved.Instance{{
			Instance: api.Instance{Metadata: api.Metadata{Name: "app", Namespace: "apps"}, Module: api.Module{Name: "m", Digest: "sha256:1"}, Values: "{a: 1}"},
			Rendering: api.Rendering{
				Stages: []api.Stage{{Name: "app", Objects: []api.Object{{"apiVersion": "v1", "kind": "X", "spec": map[string]any{"int": int64(1 << 62), "float": 1.5, "null": nil}}}}},
				Checks: []api.HealthCheck{{Name: "c", Group: "g", CUE: "current: true"}},
			},
			Place: &store.Bundle{Name: "b", Namespaces: []string{"apps"}},
			Changes: saved.Changes{
				Steps:       []reviewed.Step{{Outcome: event.Outcome{Object: o, Action: event.Configured, Reason: "r"}, UID: "u", Before: "1", After: "2", Replicas: &reviewed.Size{Before: 1}}},
				Differences: []saved.Difference{{Outcome: event.Outcome{Object: o, Action: event.Configured}, Before: configMap("one"), After: configMap("two")}},
			},
		}},
		Leaving: []saved.Leaving{{Namespace: "apps", Name: "old"}},
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil { //nolint:gosec // the mode that must not stay
		t.Fatal(err)
	}
	if err := saved.Write(name, plan()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	got, err := saved.Read(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plan(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWriteRefuses holds that a plan takes the place of no pipe and no device, and
// that a directory may be reached through a link.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := saved.Write(dir, plan()); err == nil || !strings.HasSuffix(err.Error(), "it is not a regular file") {
		t.Errorf("a directory: %v", err)
	}
	null := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, null); err != nil {
		t.Skip(err)
	}
	if err := saved.Write(null, plan()); err == nil || !strings.HasSuffix(err.Error(), "it is not a regular file") {
		t.Errorf("a device: %v", err)
	}
	if info, err := os.Lstat(null); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "real"), 0o700), os.Symlink("real", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "link", "plan.json")
	if err := saved.Write(name, plan()); err != nil {
		t.Fatal(err)
	}
	if _, err := saved.Read(t.Context(), name); err != nil {
		t.Error(err)
	}
}

// TestTampered holds that a plan with any letter or digit changed is refused.
func TestTampered(t *testing.T) {
	t.Parallel()
	data, err := saved.Encode(plan())
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range data {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789", rune(c)) {
			continue
		}
		other := slices.Clone(data)
		other[i] = c ^ 1
		if _, err := saved.Decode(other); err == nil {
			t.Errorf("byte %d: %q is a plan, too", i, other[max(0, i-20):i+1])
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	data, err := saved.Encode(plan())
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, tc := range map[string]struct {
		text string
		want string
	}{
		"no JSON":        {"x", "it is not a saved plan"},
		"another kind":   {strings.Replace(text, "SavedPlan", "Plan", 1), "it is not a saved plan"},
		"an older file":  {strings.Replace(text, `"format": 1`, `"format": 0`, 1), "its format is 0, and this version reads format 1 only"},
		"a newer file":   {strings.Replace(text, `"format": 1`, `"format": 2`, 1), "its format is 2, and this version reads format 1 only"},
		"another digest": {strings.Replace(text, `"digest": "sha256:`, `"digest": "sha256:0`, 1), "it was changed since it was written: its digest is not that of its content"},
	} {
		if _, err := saved.Decode([]byte(tc.text)); err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = saved.Decode([]byte(strings.Replace(text, `"int"`, `"INT"`, 1)))
	if _, refused := errors.AsType[*fail.RefusedError](err); !refused {
		t.Errorf("%v", err)
	}
	for name, change := range map[string]func(*saved.Plan){
		"no cluster":  func(p *saved.Plan) { p.ClusterUID = "" },
		"no instance": func(p *saved.Plan) { p.Instances = nil },
		"no name":     func(p *saved.Plan) { p.Instances[0].Metadata.Name = "" },
		"a cycle":     func(p *saved.Plan) { p.Instances[0].After = []int{0} },

		"several without a bundle": func(p *saved.Plan) { p.Bundle = "" },
		"an instance twice":        func(p *saved.Plan) { p.Instances = append(p.Instances, p.Instances[0]) },
		"one that leaves and not":  func(p *saved.Plan) { p.Leaving[0].Name = p.Instances[0].Metadata.Name },
		"a name of two lines":      func(p *saved.Plan) { p.Instances[0].Metadata.Name = "a\n# instance b" },
		"a name that turns":        func(p *saved.Plan) { p.Leaving[0].Name = "a\u202eb" },
		"an object of two lines":   func(p *saved.Plan) { p.Instances[0].Steps[0].Name = "a\nb" },
		"no such action":           func(p *saved.Plan) { p.Instances[0].Steps[0].Action = "<b>" },
		"nothing that differs":     func(p *saved.Plan) { p.Instances[0].Differences[0].Action = "" },
	} {
		p := plan()
		change(&p)
		if data, err = saved.Encode(p); err != nil {
			t.Fatal(err)
		}
		if _, err = saved.Decode(data); err == nil {
			t.Errorf("%s: it is a plan", name)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	changes := func(steps ...reviewed.Step) saved.Changes { return saved.Changes{Steps: steps} }
	step := func(action event.Action, before, after string, size *reviewed.Size) reviewed.Step {
		return reviewed.Step{Outcome: event.Outcome{Object: configMap("x").Ref(), Action: action}, UID: "u", Before: before, After: after, Replicas: size}
	}
	const configured = event.Configured
	for name, tc := range map[string]struct {
		reviewed, now saved.Changes
		want          string // the line of the object, empty when there is none
	}{
		"the same":          {changes(step(configured, "1", "2", nil)), changes(step(configured, "1", "2", nil)), ""},
		"another action":    {changes(step(configured, "1", "2", nil)), changes(step(event.Unchanged, "", "", nil)), "it was to be configured, and would be unchanged now"},
		"more":              {changes(), changes(step(event.Deleted, "1", "", nil)), "it is not in the plan, and would be deleted now"},
		"less":              {changes(step(event.Deleted, "1", "", nil)), changes(), "it was to be deleted, and does not exist now"},
		"another state":     {changes(step(configured, "1", "2", nil)), changes(step(configured, "3", "2", nil)), "it has changed"},
		"another result":    {changes(step(configured, "1", "2", nil)), changes(step(configured, "1", "3", nil)), "the server would make something else of it"},
		"scaled by hand":    {changes(step(configured, "1", "2", &reviewed.Size{Before: 1, After: 1})), changes(step(configured, "1", "2", &reviewed.Size{Before: 3, After: 1})), "it has changed"},
		"scaled":            {changes(step(configured, "1", "2", &reviewed.Size{Before: 1, After: 1})), changes(step(configured, "1", "2", &reviewed.Size{Before: 3, After: 3, Owner: "hpa"})), ""},
		"scaled again":      {changes(step(configured, "1", "2", &reviewed.Size{Before: 2, After: 2, Owner: "hpa"})), changes(step(configured, "1", "2", &reviewed.Size{Before: 3, After: 3, Owner: "hpa"})), ""},
		"scaled, with both": {changes(step(configured, "1", "2", &reviewed.Size{Before: 1, After: 2})), changes(step(configured, "1", "2", &reviewed.Size{Before: 3, After: 3, Owner: "hpa"})), "it has changed"},
		"no autoscaler now": {changes(step(configured, "1", "2", &reviewed.Size{Before: 2, After: 2, Owner: "hpa"})), changes(step(configured, "1", "2", &reviewed.Size{Before: 2, After: 2})), "it has changed"},
		"no replicas now":   {changes(step(configured, "1", "2", &reviewed.Size{Before: 2})), changes(step(configured, "1", "2", nil)), "it has changed"},
	} {
		err := tc.reviewed.Compare(tc.now)
		different, ok := errors.AsType[*saved.DifferentError](err)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (!ok || !slices.Equal(different.Lines, []string{"ConfigMap/a: " + tc.want})):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCompareNames holds that an error names the fields, and no value that was
// masked or whose name is a secret's.
func TestCompareNames(t *testing.T) {
	t.Parallel()
	state := func(before api.Object) saved.Changes {
		outcome := event.Outcome{Object: configMap("x").Ref(), Action: event.Configured}
		text := before["data"].(map[string]any)["text"].(string)
		return saved.Changes{
			Steps:       []reviewed.Step{{Outcome: outcome, Before: text}},
			Differences: []saved.Difference{{Outcome: outcome, Before: before, After: configMap("after")}},
		}
	}
	for _, tc := range []struct{ was, is, want string }{
		{"one", "two", ".data.text was one and is two"},
		{"***", "two", ".data.text"},
	} {
		err := state(configMap(tc.was)).Compare(state(configMap(tc.is)))
		if want := "  ConfigMap/a: it has changed: " + tc.want; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := saved.Encode(plan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"apiVersion":"cli.timoni.sh/v1alpha1","kind":"SavedPlan","format":1,"digest":"","plan":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := saved.Decode(data)
		if err != nil {
			return
		}
		again, err := saved.Encode(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := saved.Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := saved.Encode(second); err != nil || !bytes.Equal(third, again) {
			t.Errorf("%v, or another plan", err)
		}
		_ = first.Instances[0].Compare(second.Instances[0].Changes)
	})
}
