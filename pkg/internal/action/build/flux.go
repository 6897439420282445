// SPDX-License-Identifier: Apache-2.0

package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/link"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// FluxSource is where Flux finds the directory that is written.
type FluxSource struct {
	Kind, Name, Namespace string // an empty Namespace is that of the instance
	Path                  string // of the directory in the source, ./ when empty
	// Keys is the Secret with the keys by which Flux decrypts what sops encrypted;
	// empty where Flux has them.
	Keys string
	// After are the Kustomizations, NAMESPACE/NAME, that are ready before the first
	// stage is applied.
	After []string
}

// LastKustomization returns the name of the Kustomization that is ready when an
// instance of this name is, empty when it has no objects.
func (r *Result) LastKustomization(name string) string {
	for _, set := range slices.Backward(r.Sets) {
		if len(set.Objects) > 0 {
			return objectName(name + "-" + set.Name)
		}
	}
	return ""
}

// ParseFluxSource reads KIND/NAME or KIND/NAME.NAMESPACE, as flux has it.
func ParseFluxSource(s string) (FluxSource, error) {
	kind, rest, _ := strings.Cut(s, "/")
	name, namespace, _ := strings.Cut(rest, ".")
	switch kind {
	case "OCIRepository", "GitRepository", "Bucket":
		if name != "" && !strings.Contains(rest, "/") {
			return FluxSource{Kind: kind, Name: name, Namespace: namespace}, nil
		}
	}
	return FluxSource{}, fail.Usagef("source %q: not of the form OCIRepository/NAME[.NAMESPACE], GitRepository/… or Bucket/…", s)
}

// The directories that WriteFlux makes.
const (
	fluxKustomizations = "kustomizations"
	fluxStages         = "stages"
)

// FluxActions says in Flux's annotations what Timoni's ask for, and that what an
// apply keeps is not pruned. It comes before WriteFlux, and before anything is
// encrypted.
func (r *Result) FluxActions() {
	for _, o := range r.Objects() {
		fluxActions(o)
	}
}

// WriteFlux writes the objects of each stage that has any to a directory of its
// own below req.Dir, and for each of them an object by which Flux applies it when
// the one before is ready. The Objects and Comments of req are those of the
// result.
func (r *Result) WriteFlux(req DirectoryRequest, source FluxSource, observer event.Observer) (Written, error) {
	done := Written{Dir: req.Dir}
	checks, warnings := r.conditions()
	for _, text := range warnings {
		observer.Observe(event.Warning{Text: text})
	}
	stages, kustomizations := map[string]bool{}, []api.Object(nil)
	var previous []any
	for _, earlier := range source.After {
		ns, name, _ := strings.Cut(earlier, "/")
		previous = append(previous, map[string]any{"name": name, "namespace": ns})
	}
	for _, set := range r.Sets {
		if len(set.Objects) == 0 {
			continue // git keeps no empty directory, and Flux fails where it finds none
		}
		k := fluxKustomization(req, source, set, previous)
		if list := healthExpressions(checks, set.Objects); list != nil {
			k["spec"].(map[string]any)["healthCheckExprs"] = list
		}
		kustomizations, previous = append(kustomizations, k), []any{map[string]any{"name": k.Name()}}
		stages[escape(set.Name)] = true
		if err := done.add(req, filepath.Join(fluxStages, escape(set.Name)), set.Objects); err != nil {
			return done, err
		}
	}
	if err := done.add(req, fluxKustomizations, kustomizations); err != nil {
		return done, err
	}
	err := done.removeStages(req, stages)
	return done, err
}

// add writes objects to a directory below that of the request.
func (w *Written) add(req DirectoryRequest, name string, objects []api.Object) error {
	if err := link.Check(req.Dir, name); err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	req.Dir, req.Objects, req.Comments = filepath.Join(req.Dir, name), objects, nil
	done, err := WriteDirectory(req)
	w.written += done.written
	w.unchanged += done.unchanged
	w.removed += done.removed
	return err
}

// removeStages removes what earlier runs wrote for stages that are no more.
func (w *Written) removeStages(req DirectoryRequest, stages map[string]bool) error {
	found, err := os.ReadDir(filepath.Join(req.Dir, fluxStages))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range found {
		if !entry.IsDir() || stages[entry.Name()] {
			continue
		}
		name := filepath.Join(fluxStages, entry.Name())
		if err = errors.Join(err, w.add(req, name, nil)); err == nil {
			_ = os.Remove(filepath.Join(req.Dir, name)) // stays when it holds files of others
		}
	}
	return err
}

func fluxKustomization(req DirectoryRequest, source FluxSource, set render.Set, previous []any) api.Object {
	sourceRef := map[string]any{"kind": source.Kind, "name": source.Name}
	if source.Namespace != "" {
		sourceRef["namespace"] = source.Namespace
	}
	spec := map[string]any{
		"interval": "10m", "retryInterval": "1m", "timeout": "5m", "prune": true,
		"path":      "./" + path.Join(source.Path, fluxStages, escape(set.Name)),
		"sourceRef": sourceRef,
	}
	if awaited, all := fluxHealthChecks(set.Objects); all {
		spec["wait"] = true
	} else if awaited != nil {
		spec["healthChecks"] = awaited
	}
	if slices.ContainsFunc(set.Objects, isEncrypted) {
		decryption := map[string]any{"provider": "sops"}
		if source.Keys != "" {
			decryption["secretRef"] = map[string]any{"name": source.Keys}
		}
		spec["decryption"] = decryption
	}
	if previous != nil {
		spec["dependsOn"] = previous
	}
	return api.Object{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
		"metadata": map[string]any{"name": objectName(req.Name + "-" + set.Name), "namespace": req.Namespace},
		"spec":     spec,
	}
}

// fluxHealthChecks returns what names the objects to wait for, and whether that
// is all of them: Flux waits for all or for those that it is told.
func fluxHealthChecks(objects []api.Object) (awaited []any, all bool) {
	for _, o := range objects {
		if o.IsDisabled(api.AnnotationWait) {
			continue
		}
		reference := map[string]any{"apiVersion": o.APIVersion(), "kind": o.Kind(), "name": o.Name()}
		if o.Namespace() != "" {
			reference["namespace"] = o.Namespace()
		}
		awaited = append(awaited, reference)
	}
	return awaited, len(awaited) == len(objects)
}

// fluxActions adds the annotations to an object. Those that the module gives stay.
func fluxActions(o api.Object) {
	const group = "kustomize.toolkit.fluxcd.io/"
	for _, a := range []struct {
		asked      bool
		flux, says string
	}{
		{o.IsEnabled(api.AnnotationForce), group + "force", "enabled"},
		{o.IsEnabled(api.AnnotationOneOff), group + "ssa", "IfNotPresent"},
		{o.IsKept(), group + "prune", "disabled"},
	} {
		if a.asked && o.Annotation(a.flux) == "" {
			o.SetAnnotation(a.flux, a.says)
		}
	}
}

// objectName returns a name that Kubernetes takes: what it does not is a hyphen.
func objectName(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(s)), "-")
}

// healthExpressions returns the health checks of the objects in CEL.
func healthExpressions(checks []condition, objects []api.Object) []any {
	var list []any
	for _, c := range checks {
		isOf := func(o api.Object) bool { return o.Group() == c.group && o.Kind() == c.kind }
		if slices.ContainsFunc(objects, isOf) {
			list = append(list, map[string]any{
				"apiVersion": c.apiVersion, "kind": c.kind,
				"inProgress": celStale, "failed": cel(c.Failed), "current": cel(c.Ready),
			})
		}
	}
	return list
}

// celStale says that the status is about an earlier generation of the object.
const celStale = `has(status.observedGeneration) && status.observedGeneration < metadata.generation`

// cel returns an expression that is true when a condition is, for the present
// generation of the object.
func cel(name string) string {
	return fmt.Sprintf(`has(status.conditions) && status.conditions.exists(c, c.type == %q && c.status == "True" && (!has(c.observedGeneration) || c.observedGeneration >= metadata.generation))`, name)
}
