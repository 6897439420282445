// SPDX-License-Identifier: Apache-2.0

package build

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// secretFields returns the fields in which a Secret holds something.
func secretFields() []string { return []string{"data", "stringData"} }

// Secrets returns the names of the Secrets that hold something.
func (r *Result) Secrets() []string {
	var names []string
	for _, o := range r.Objects() {
		if holdsSecret(o) {
			names = append(names, o.Ref().String())
		}
	}
	return names
}

func holdsSecret(o api.Object) bool {
	if !o.IsSecret() {
		return false
	}
	for _, field := range secretFields() {
		if held, ok := o[field].(map[string]any); ok && len(held) > 0 {
			return true
		}
	}
	return false
}

// isEncrypted says whether sops encrypted what a Secret holds.
func isEncrypted(o api.Object) bool { return o.IsSecret() && o["sops"] != nil }

// Placed says in which file the object of a stage is to be written.
type Placed func(stage string, o api.Object) string

// In places all objects in one directory.
func In(dir string) Placed {
	return func(_ string, o api.Object) string { return filepath.Join(dir, fileName(o)) }
}

// InStages places objects in the directories of WriteFlux.
func InStages(dir string) Placed {
	return func(stage string, o api.Object) string {
		return filepath.Join(dir, fluxStages, escape(stage), fileName(o))
	}
}

// EncryptSecrets has sops encrypt what Secrets hold, each by the rules for the
// file in which it is placed. A file there that decrypts to the same is taken over
// as it is, because each encryption gives other bytes.
func (r *Result) EncryptSecrets(ctx context.Context, placed Placed) error {
	for _, set := range r.Sets {
		for i, o := range set.Objects {
			if !holdsSecret(o) {
				continue
			}
			encrypted, err := encrypted(ctx, o, placed(set.Name, o))
			if err != nil {
				return fmt.Errorf("%s: %w", o.Ref(), err)
			}
			set.Objects[i] = encrypted
		}
	}
	return nil
}

func encrypted(ctx context.Context, o api.Object, file string) (api.Object, error) {
	plain := api.YAML([]api.Object{o})
	if earlier, err := os.ReadFile(file); err == nil {
		if kept := sops.Kept(ctx, file, earlier, plain, secretFields()...); kept != nil {
			return kept, nil
		}
	}
	data, err := sops.Encrypt(ctx, file, plain, secretFields()...)
	if err != nil {
		return nil, err
	}
	var done api.Object
	err = json.Unmarshal(data, &done)
	return done, err
}
