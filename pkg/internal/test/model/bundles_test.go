// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/kube"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/store"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/deploy"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/fleet"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
)

// bundleSequences is how many sequences of steps on bundles there are, unless
// -sequences says more of it.
const bundleSequences = 60

// TestBundleSequences holds S8, S11 and the owners of instances in random
// histories of bundles: instances come, leave and move; there are two bundles of
// one name without a namespace in common, another bundle with the same instances,
// and verbs on one instance alone. Sequence n of seed s is sequence 0 of s+n:
// go test ./pkg/internal/test/model -run TestBundleSequences -seed S -sequences 1.
func TestBundleSequences(t *testing.T) {
	first, count := *seed, *sequences
	if first == 0 {
		first, count = commitSeed(), bundleSequences
	}
	t.Logf("seed %d", first)
	w := newWorld(t)
	seeds := make(chan uint64, count)
	for n := range count {
		seeds <- first + uint64(n)
	}
	close(seeds)
	var group sync.WaitGroup
	for n := range min(*workers, 4) {
		name := fmt.Sprintf("fleet-%d", n)
		u := &bundleUser{user: w.user(t, name), spaces: []string{name, name + "-b", name + "-c"}, name: name}
		for _, ns := range u.spaces[1:] {
			w.user(t, ns)
		}
		group.Go(func() {
			for s := range seeds {
				if err := u.sequence(t.Context(), s); err != nil {
					t.Errorf("seed %d: %v", s, err)
					return // what is left there would be in the way of the next
				}
			}
		})
	}
	group.Wait()
}

// bundleUser has three namespaces, and a name that its bundles have.
type bundleUser struct {
	*user
	name   string
	spaces []string
}

// place is where an instance is.
type place struct{ namespace, name string }

// installed is an instance that exists.
type installed struct {
	bundle  string   // that owns it, empty for none
	spaces  []string // of that bundle when the record was written
	objects map[string]string
}

// bundleModel is what must exist.
type bundleModel map[place]*installed

// act is one verb.
type act struct {
	name  string
	real  func(context.Context, *bundleUser) error
	model func(bundleModel) outcome
}

// sequence takes bundles through random steps, and away again.
func (u *bundleUser) sequence(ctx context.Context, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 2))
	m := bundleModel{}
	var done []string
	for range 2 + random.IntN(maxSteps) {
		a := u.choose(random)
		done = append(done, a.name)
		if err := u.check(ctx, m, a); err != nil {
			return fmt.Errorf("after\n  %s\n%w", strings.Join(done, "\n  "), err)
		}
	}
	for p := range m {
		if err := u.deleteOne(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// check carries a verb out in the cluster and in the model, and returns how they
// differ afterwards.
func (u *bundleUser) check(ctx context.Context, m bundleModel, a act) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := a.real(ctx, u)
	want := a.model(m)
	if got := errorKind(err); got != want {
		return fmt.Errorf("it was a %s (%w), want %s", got, err, want)
	}
	got, err := u.found(ctx)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(m.lines(), got); diff != "" {
		return fmt.Errorf("the cluster is not what the model says (-want +got):\n%s", diff)
	}
	return nil
}

func (u *bundleUser) choose(random *rand.Rand) act {
	switch random.IntN(10) {
	case 0, 1, 2:
		return u.applies(random, u.name, u.spaces[:2])
	case 3, 4:
		return u.applies(random, u.name, u.spaces[2:])
	case 5:
		return u.applies(random, u.name+"-other", u.spaces)
	case 6:
		return u.deletes(random, u.spaces[:2])
	case 7:
		return u.deletesByName(random)
	case 8:
		return u.appliesOne(random)
	}
	p := u.place(random, u.spaces)
	return act{fmt.Sprintf("delete %s -n %s", p.name, p.namespace),
		func(ctx context.Context, u *bundleUser) error { return u.deleteOne(ctx, p) },
		func(m bundleModel) outcome {
			if m[p] == nil {
				return fails
			}
			delete(m, p)
			return succeeds
		},
	}
}

func (u *bundleUser) place(random *rand.Rand, spaces []string) place {
	return place{spaces[random.IntN(len(spaces))], []string{"a", "b", "c"}[random.IntN(3)]}
}

// objectsOf returns random objects of an instance.
func objectsOf(random *rand.Rand, p place) map[string]string {
	objects := map[string]string{p.name + "-0": fmt.Sprint(random.IntN(2))}
	if random.IntN(2) == 0 {
		objects[p.name+"-1"] = fmt.Sprint(random.IntN(2))
	}
	return objects
}

// file is a bundle file.
type file struct {
	name      string
	instances map[place]map[string]string
}

// randomFile returns a file with one to three instances, each in one namespace.
func (u *bundleUser) randomFile(random *rand.Rand, name string, spaces []string) file {
	f := file{name: name, instances: map[place]map[string]string{}}
	for _, instance := range []string{"a", "b", "c"}[random.IntN(3):] {
		p := place{spaces[random.IntN(len(spaces))], instance}
		f.instances[p] = objectsOf(random, p)
	}
	return f
}

func (f file) home() []string {
	var home []string
	for p := range f.instances {
		home = append(home, p.namespace)
	}
	slices.Sort(home)
	return slices.Compact(home)
}

func (f file) String() string {
	var parts []string
	for p, objects := range f.instances {
		parts = append(parts, fmt.Sprintf("%s/%s%v", p.namespace, p.name, objects))
	}
	slices.Sort(parts)
	return f.name + " " + strings.Join(parts, " ")
}

// read returns the file as it is read.
func (f file) read() ([]cuefile.File, error) {
	module, err := filepath.Abs(filepath.Join("..", "..", "..", "..", "test", "modules", "raw"))
	if err != nil {
		return nil, err
	}
	instances := map[string]any{}
	for p, objects := range f.instances {
		instances[p.name] = map[string]any{
			"module": map[string]any{"url": "file://" + module}, "namespace": p.namespace, "values": configMaps(objects),
		}
	}
	data, err := json.Marshal(map[string]any{"bundle": map[string]any{"apiVersion": "v1alpha1", "name": f.name, "instances": instances}})
	return []cuefile.File{{Name: "bundle.json", Format: cuefile.FormatOf("bundle.json"), Data: data}}, err
}

func configMaps(objects map[string]string) map[string]any {
	all := map[string]any{}
	for name, value := range objects {
		all[name] = map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": map[string]any{"key": value},
		}
	}
	return map[string]any{"stages": map[string]any{"app": all}}
}

func (u *bundleUser) applies(random *rand.Rand, name string, spaces []string) act {
	f, prune, adopt := u.randomFile(random, name, spaces), random.IntN(2) == 0, random.IntN(4) == 0
	return act{fmt.Sprintf("bundle apply %s, prune %v, adopt %v", f, prune, adopt),
		func(ctx context.Context, u *bundleUser) error {
			files, err := f.read()
			if err != nil {
				return err
			}
			req := fleet.ApplyRequest{Request: fleet.Request{Files: files}, PruneInstances: prune}
			req.Apply.Options = apply.Options{Timeout: 30 * time.Second, Holder: holder()}
			if adopt {
				req.Apply.Adopt = apply.AdoptAll
			}
			_, err = fleet.Apply(ctx, u.site(), req, event.Discard())
			return err
		},
		func(m bundleModel) outcome { return m.apply(f, prune, adopt) },
	}
}

func (m bundleModel) apply(f file, prune, adopt bool) outcome {
	for p := range f.instances {
		if m[p] != nil && m[p].bundle != f.name && !adopt {
			return refuses
		}
	}
	left := m.left(f)
	for p, objects := range f.instances {
		if m[p] != nil && m[p].bundle == f.name && maps.Equal(m[p].objects, objects) {
			continue // nothing is written
		}
		m[p] = &installed{f.name, f.home(), objects}
	}
	if prune {
		m.remove(left)
	}
	return succeeds
}

// left returns the instances of a bundle that its file does not name.
func (m bundleModel) left(f file) []place {
	var left []place
	for p, in := range m {
		isOwn := in.bundle == f.name && slices.ContainsFunc(f.home(), func(ns string) bool { return ns == p.namespace || slices.Contains(in.spaces, ns) })
		if isOwn && f.instances[p] == nil {
			left = append(left, p)
		}
	}
	return left
}

func (m bundleModel) remove(places []place) {
	for _, p := range places {
		delete(m, p)
	}
}

func (u *bundleUser) deletes(random *rand.Rand, spaces []string) act {
	f, prune := u.randomFile(random, u.name, spaces), random.IntN(2) == 0
	return act{fmt.Sprintf("bundle delete %s, prune %v", f, prune),
		func(ctx context.Context, u *bundleUser) error {
			files, err := f.read()
			if err != nil {
				return err
			}
			return u.deleteBundle(ctx, fleet.Target{Request: fleet.Request{Files: files}}, prune)
		},
		func(m bundleModel) outcome {
			for p := range f.instances {
				if m[p] != nil && m[p].bundle != f.name {
					return refuses
				}
			}
			left := m.left(f)
			m.remove(slices.Collect(maps.Keys(f.instances)))
			if prune {
				m.remove(left)
			}
			return succeeds
		},
	}
}

// deletesByName deletes by the name, the bundle that a namespace names or, where
// there is one bundle of the name, that.
func (u *bundleUser) deletesByName(random *rand.Rand) act {
	namespace := append([]string{""}, u.spaces...)[random.IntN(4)]
	return act{fmt.Sprintf("bundle delete %s -n %q", u.name, namespace),
		func(ctx context.Context, u *bundleUser) error {
			return u.deleteBundle(ctx, fleet.Target{Name: u.name, Namespace: namespace}, false)
		},
		func(m bundleModel) outcome {
			var members []place
			for p, in := range m {
				if in.bundle == u.name {
					members = append(members, p)
				}
			}
			if len(members) == 0 {
				return fails
			}
			first := namespace
			if first == "" {
				first = members[0].namespace
			}
			own := m.connected(members, first)
			switch {
			case len(own) == 0:
				return fails
			case namespace == "" && len(own) < len(members):
				return refuses
			}
			members = own
			m.remove(members)
			return succeeds
		},
	}
}

// connected returns those of some instances that are of the bundle in a
// namespace: they are connected by namespaces.
func (m bundleModel) connected(members []place, namespace string) []place {
	reached := []string{namespace}
	var own []place
	for range members {
		own = nil
		for _, p := range members {
			spaces := append(slices.Clone(m[p].spaces), p.namespace)
			if slices.ContainsFunc(spaces, func(ns string) bool { return slices.Contains(reached, ns) }) {
				reached, own = append(reached, spaces...), append(own, p)
			}
		}
	}
	return own
}

func (u *bundleUser) deleteBundle(ctx context.Context, target fleet.Target, prune bool) error {
	return fleet.Delete(ctx, u.site(), fleet.DeleteRequest{
		Target: target, PruneInstances: prune, Delete: instance.DeleteRequest{Timeout: 30 * time.Second, Holder: holder()},
	}, event.Discard(), func(fleet.Deleted) error { return nil })
}

// appliesOne is an apply of one instance, of no bundle.
func (u *bundleUser) appliesOne(random *rand.Rand) act {
	p, adopt := u.place(random, u.spaces), random.IntN(3) == 0
	objects := objectsOf(random, p)
	return act{fmt.Sprintf("apply %s -n %s %v, adopt %v", p.name, p.namespace, objects, adopt),
		func(ctx context.Context, u *bundleUser) error {
			req := u.request()
			req.Name, req.Namespace = p.name, p.namespace
			if adopt {
				req.Adopt = apply.AdoptAll
			}
			data, err := json.Marshal(configMaps(objects))
			if err != nil {
				return err
			}
			req.Values = []values.Source{{Name: "values.json", Format: values.JSON, Data: data}}
			if req.Module, err = ref.Parse("file://" + filepath.Join("..", "..", "..", "..", "test", "modules", "raw")); err != nil {
				return err
			}
			_, err = deploy.Apply(ctx, u.client, req, event.Discard())
			return err
		},
		func(m bundleModel) outcome {
			if m[p] != nil && m[p].bundle != "" && !adopt {
				return refuses
			}
			m[p] = &installed{objects: objects}
			return succeeds
		},
	}
}

func (u *bundleUser) deleteOne(ctx context.Context, p place) error {
	_, err := instance.Delete(ctx, u.client, instance.DeleteRequest{
		Key: instance.Key{Namespace: p.namespace, Name: p.name}, Timeout: 30 * time.Second, Holder: holder(),
	}, event.Discard())
	return err
}

func (u *bundleUser) site() fleet.Site { return fleet.Site{Client: u.client, Alone: true} }

// lines returns what is to be seen of the instances, one a line.
func (m bundleModel) lines() []string {
	lines := []string{}
	for p, in := range m {
		for name, value := range in.objects {
			lines = append(lines, fmt.Sprintf("%s/%s=%s", p.namespace, name, value))
		}
		lines = append(lines, bundleLine(p.namespace, p.name, in.bundle, slices.Collect(maps.Keys(in.objects))))
	}
	slices.Sort(lines)
	return lines
}

// found returns the same of the cluster.
func (u *bundleUser) found(ctx context.Context) ([]string, error) {
	lines := []string{}
	for _, ns := range u.spaces {
		objects, _, err := u.client.List(ctx, kube.ConfigMaps(), ns, kube.Selector{Labels: api.LabelInstanceName})
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			data, _ := o["data"].(map[string]any)
			lines = append(lines, fmt.Sprintf("%s/%s=%s", ns, o.Name(), data["key"]))
		}
		records, err := store.New(u.client).List(ctx, ns, "")
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			var names []string
			for _, entry := range r.Inventory() {
				id, err := entry.Parse()
				if err != nil {
					return nil, err
				}
				names = append(names, id.Name)
			}
			lines = append(lines, bundleLine(ns, r.Instance.Metadata.Name, r.Bundle(), names))
		}
	}
	slices.Sort(lines)
	return lines, nil
}

func bundleLine(namespace, name, bundle string, objects []string) string {
	slices.Sort(objects)
	return fmt.Sprintf("instance %s/%s of %q: %q", namespace, name, bundle, objects)
}
