// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/cuefile"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// Definition is what a runtime file says: to which clusters a bundle goes, and
// which values are read from each.
type Definition struct {
	Name     string
	Clusters []Cluster // in the order of the fields; none: that of the kubeconfig's context
	Queries  []Query
}

// Cluster is a cluster under the name that a runtime file gives it.
type Cluster struct{ Name, Group, Context string }

// Query reads values from an object of a cluster.
type Query struct {
	APIVersion, Kind string
	Optional         bool    // an object that does not exist gives no value
	Values           []Value // in the order of the fields

	text, rest string // as written; what follows the kind
}

// Value is a name with a CUE expression over obj, the object.
type Value struct{ Name, Expression string }

// ReadDefinition evaluates runtime files, which are unified.
func ReadDefinition(files []cuefile.File) (d *Definition, err error) {
	defer values.Recover("the runtime", &err)
	root, err := cuefile.Evaluate(files, cuefile.Options{})
	if err != nil {
		return nil, cuefile.Hide(files, err)
	}
	r := &reader{files: files}
	d = r.definition(root)
	if len(r.problems) > 0 {
		return nil, cuefile.Hide(files, values.NewError(r.problems))
	}
	return d, nil
}

func (r *reader) definition(root cue.Value) *Definition {
	v := r.root(root, "runtime", "clusters", "values")
	if !v.Exists() {
		return nil
	}
	d := &Definition{Name: r.text(v, "name", true)}
	r.name(field(v, "name"), d.Name)
	r.each(r.child(v, "clusters", false), func(name string, v cue.Value) {
		r.name(v, name)
		if !r.isStruct(v) {
			return
		}
		r.fields(v, "group", "kubeContext")
		d.Clusters = append(d.Clusters, Cluster{Name: name, Group: r.text(v, "group", true), Context: r.text(v, "kubeContext", true)})
	})
	queries := field(v, "values")
	if !queries.Exists() {
		return d
	}
	items, err := queries.List()
	if err != nil {
		r.problem(queries, "expected a list, got %s", queries.IncompleteKind())
		return d
	}
	for items.Next() {
		d.Queries = append(d.Queries, r.query(items.Value()))
	}
	return d
}

// each calls do for each field of a map, which need not exist.
func (r *reader) each(v cue.Value, do func(name string, v cue.Value)) {
	if !v.Exists() {
		return
	}
	fields, err := v.Fields()
	if err != nil {
		r.add(err)
		return
	}
	for fields.Next() {
		do(fields.Selector().Unquoted(), fields.Value())
	}
}

func (r *reader) query(v cue.Value) Query {
	if !r.isStruct(v) {
		return Query{}
	}
	r.fields(v, "query", "for", "optional")
	q := Query{text: r.text(v, "query", true)}
	if parts := strings.SplitN(q.text, ":", 4); len(parts) == 4 && parts[0] == "k8s" && !slices.Contains(parts, "") {
		q.APIVersion, q.Kind, q.rest = parts[1], parts[2], parts[3]
	} else if q.text != "" {
		r.problem(field(v, "query"), "%q is not of the form k8s:APIVERSION:KIND:[NAMESPACE:]NAME", q.text)
	}
	if optional := field(v, "optional"); optional.Exists() {
		var err error
		if q.Optional, err = optional.Bool(); err != nil {
			r.problem(optional, "expected a bool, got %s", optional.IncompleteKind())
		}
	}
	names := r.child(v, "for", true)
	r.each(names, func(name string, _ cue.Value) {
		q.Values = append(q.Values, Value{Name: name, Expression: r.text(names, name, true)})
	})
	return q
}

// String returns the query as it is written.
func (q Query) String() string { return q.text }

// IsSecret says whether what the query reads must not be shown.
func (q Query) IsSecret() bool { return q.APIVersion == "v1" && q.Kind == "Secret" }

// Object returns the object that the query reads, of a kind that is namespaced
// or is not.
func (q Query) Object(namespaced bool) (namespace, name string, err error) {
	if !namespaced {
		return "", q.rest, nil // which may have colons in it
	}
	namespace, name, _ = strings.Cut(q.rest, ":")
	if name == "" {
		return "", "", &QueryError{Query: q}
	}
	return namespace, name, nil
}

// Evaluate returns the values that an object has. The data of a Secret is to be
// decoded by then. No error shows a value of a Secret.
func (q Query) Evaluate(object map[string]any) (r Runtime, err error) {
	defer values.Recover(fmt.Sprintf("query %q", q), &err)
	ctx := cuecontext.New()
	data, err := json.Marshal(map[string]any{"obj": object})
	if err != nil {
		return nil, err
	}
	scope := ctx.CompileBytes(data)
	r = Runtime{}
	for _, value := range q.Values {
		v := ctx.CompileString(value.Expression, cue.Scope(scope), cue.Filename(value.Name), cue.InferBuiltins(true))
		text, err := textOf(v)
		if err != nil {
			message := values.Problems(err)[0].Message
			if q.IsSecret() {
				message = mask.Quoted(message)
			}
			return nil, fmt.Errorf("query %q: for.%s: %s: %s", q, value.Name, value.Expression, message)
		}
		r[value.Name] = text
	}
	return r, nil
}

// textOf returns a scalar as a text that an attribute of its type reads.
func textOf(v cue.Value) (string, error) {
	if d, ok := v.Default(); ok {
		v = d
	}
	if err := v.Validate(cue.Concrete(true)); err != nil {
		return "", err
	}
	switch v.Kind() {
	case cue.StringKind:
		return v.String()
	case cue.BytesKind:
		b, err := v.Bytes()
		return string(b), err
	case cue.IntKind, cue.FloatKind, cue.NumberKind, cue.BoolKind:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("expected a string, a number or a bool, got %s", v.Kind())
}

// everything stands for all clusters, or all groups.
const everything = "*"

// QueryError says that a query for a namespaced object names no namespace.
type QueryError struct{ Query Query }

// Error names the query.
func (e *QueryError) Error() string { return fmt.Sprintf("query %q: it names no namespace", e.Query) }

// Complete returns the query with a placeholder where the namespace belongs.
func (e *QueryError) Complete() string {
	return fmt.Sprintf("k8s:%s:%s:NAMESPACE:%s", e.Query.APIVersion, e.Query.Kind, e.Query.rest)
}

// Select returns the clusters of these names and groups, all that a list does
// not exclude when it is empty or has a "*". Neither a name nor a group that
// does not exist is accepted.
func (d *Definition) Select(names, groups []string) ([]Cluster, error) {
	var knownNames, knownGroups []string
	for _, c := range d.Clusters {
		knownNames, knownGroups = append(knownNames, c.Name), append(knownGroups, c.Group)
	}
	for _, name := range names {
		if name != everything && !slices.Contains(knownNames, name) {
			return nil, fail.Invalidf("the runtime %q has no cluster %q%s", d.Name, name, fail.Suggest(name, knownNames))
		}
	}
	for _, group := range groups {
		if group != everything && !slices.Contains(knownGroups, group) {
			return nil, fail.Invalidf("the runtime %q has no group %q%s", d.Name, group, fail.Suggest(group, knownGroups))
		}
	}
	covers := func(list []string, name string) bool {
		return len(list) == 0 || slices.Contains(list, everything) || slices.Contains(list, name)
	}
	var selected []Cluster
	for _, c := range d.Clusters {
		if covers(names, c.Name) && covers(groups, c.Group) {
			selected = append(selected, c)
		}
	}
	if selected == nil && len(d.Clusters) > 0 {
		return nil, fail.Invalidf("the runtime %q has no cluster of this name in this group", d.Name)
	}
	return selected, nil
}
