// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// The names of data keys that others add.
const (
	byKubectl    = "kubectl"    // taken back by the next apply
	byController = "controller" // left to it
)

func applied(r revision, adopt bool) step {
	name := "apply " + r.String()
	if adopt {
		name += " --adopt=all"
	}
	return step{name,
		func(ctx context.Context, u *user) error { return u.apply(ctx, r, adopt) },
		func(m *model) outcome { return m.apply(r, adopt) },
	}
}

func again(r revision) step {
	s := applied(r, false)
	s.name = "again: " + s.name
	return s
}

func rolledBack(to int) step {
	return step{fmt.Sprint("rollback to ", to),
		func(ctx context.Context, u *user) error { return u.rollback(ctx, to) },
		func(m *model) outcome { return m.apply(m.history[to-1], false) },
	}
}

func deleted() step {
	return step{"delete",
		func(ctx context.Context, u *user) error { return u.delete(ctx) },
		func(m *model) outcome { return m.delete() },
	}
}

// foreign is an object that another client makes before the module does.
func foreign(key string) step {
	return step{"another client creates " + key,
		func(ctx context.Context, u *user) error { return u.create(ctx, key) },
		func(m *model) outcome {
			m.cluster[key] = &thing{object: object{value: "foreign"}}
			return succeeds
		},
	}
}

// drifts returns what others may do to an object that exists.
func drifts(m *model, key string) []step {
	live := m.cluster[key]
	steps := []step{
		{"another client deletes " + key,
			func(ctx context.Context, u *user) error { return u.remove(ctx, key) },
			func(m *model) outcome {
				delete(m.cluster, key)
				return succeeds
			},
		},
		{"another instance takes " + key,
			func(ctx context.Context, u *user) error {
				return u.edit(ctx, key, "other", func(o *unstructured.Unstructured) {
					o.SetLabels(map[string]string{api.LabelInstanceName: "other", api.LabelInstanceNamespace: u.ns})
				})
			},
			func(m *model) outcome {
				m.cluster[key].ours = false
				return succeeds
			},
		},
	}
	if live.immutable {
		return steps
	}
	return append(steps, edited(key, "kubectl-edit", byKubectl, true), edited(key, "controller", byController, false))
}

// edited is an edit that adds a key and, with takes, changes the module's.
func edited(key, manager, extra string, takes bool) step {
	return step{manager + " edits " + key,
		func(ctx context.Context, u *user) error {
			return u.edit(ctx, key, manager, func(o *unstructured.Unstructured) {
				data, _, _ := unstructured.NestedStringMap(o.Object, "data")
				data[extra] = "eA=="
				if takes {
					data["key"] = "ZHJpZnQ="
				}
				_ = unstructured.SetNestedStringMap(o.Object, data, "data")
			})
		},
		func(m *model) outcome {
			live := m.cluster[key]
			if live.extra == nil {
				live.extra = map[string]bool{}
			}
			live.extra[extra] = true
			if takes {
				live.value = map[byte]string{'C': "ZHJpZnQ=", 'S': "drift"}[key[0]]
			}
			return succeeds
		},
	}
}

func (u *user) create(ctx context.Context, key string) error {
	r, name := u.resource(key)
	o := &unstructured.Unstructured{Object: stages(map[string]object{key: {value: "foreign"}})[kindOf(key)][name].(map[string]any)}
	o.SetAnnotations(nil)
	_, err := r.Create(ctx, o, metav1.CreateOptions{FieldManager: "other"})
	return err
}

func (u *user) remove(ctx context.Context, key string) error {
	r, name := u.resource(key)
	return r.Delete(ctx, name, metav1.DeleteOptions{})
}

func (u *user) edit(ctx context.Context, key, manager string, change func(*unstructured.Unstructured)) error {
	r, name := u.resource(key)
	o, err := r.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	change(o)
	_, err = r.Update(ctx, o, metav1.UpdateOptions{FieldManager: manager})
	return err
}
