// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/base64"
	"strings"
	"sync"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/apply"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/follow"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// Accompany makes an engine tell, while it waits, events and logs as the request
// says, without the values of the Secrets among the objects.
func Accompany(engine *apply.Engine, req ApplyRequest, objects func(yield func(api.Object) bool)) {
	if req.Along == "" || engine.Observer == nil {
		return
	}
	// Most runs tell nothing, and have no need of what hides.
	hide := sync.OnceValue(func() func(string) string { return hideSecrets(objects) })
	engine.Along = follow.New(engine.Client, engine.Observer, follow.Options{
		Logs: req.Along, Hide: func(text string) string { return hide()(text) },
	})
}

// objectsOf returns the objects of all stages.
func objectsOf(stages []apply.Stage) func(yield func(api.Object) bool) {
	return func(yield func(api.Object) bool) {
		for _, s := range stages {
			for _, o := range s.Objects {
				if !yield(o) {
					return
				}
			}
		}
	}
}

// hideSecrets returns a function that hides the values of the Secrets among
// objects.
func hideSecrets(objects func(yield func(api.Object) bool)) func(string) string {
	found := map[string]string{}
	for o := range objects {
		if !o.IsSecret() {
			continue
		}
		texts, _ := o["stringData"].(map[string]any)
		for _, v := range texts {
			addSecret(found, v)
		}
		data, _ := o["data"].(map[string]any)
		for _, v := range data {
			encoded, _ := v.(string)
			addSecret(found, encoded)
			if text, err := base64.StdEncoding.DecodeString(encoded); err == nil {
				addSecret(found, string(text))
			}
		}
	}
	return mask.Values(found)
}

// addSecret adds a value, which a program may have read without the line break
// at its end.
func addSecret(found map[string]string, value any) {
	text, _ := value.(string)
	for _, v := range []string{text, strings.TrimSpace(text)} {
		if v != "" {
			found[v] = mask.Hidden
		}
	}
}
