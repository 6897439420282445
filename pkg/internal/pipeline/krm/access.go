// SPDX-License-Identifier: Apache-2.0

package krm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/credential"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/fields"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// registryConfig is how a registry is reached. It holds no credentials: a
// function config is a file of a repository, and kustomize writes it to others.
type registryConfig struct {
	CredentialsFrom secretConfig `json:"credentialsFrom" doc:"A Secret among the objects that a transformer works on, marked config.kubernetes.io/local-config, with .dockerconfigjson or username, password and registry. Default: docker's configuration."`
	Insecure        bool         `json:"insecure" doc:"Allow plain http and any certificate, where TIMONI_KRM_ALLOW_INSECURE in the environment of the build names the registry."`
	Offline         bool         `json:"offline" doc:"Ask no registry: take what the cache has."`
	CacheDir        string       `json:"cacheDir" doc:"The directory of the cache: below that of the kustomization, or the user's cache."`
}

type secretConfig struct {
	Kind      string `json:"kind" schema:"Secret"`
	Name      string `json:"name" schema:"required"`
	Namespace string `json:"namespace" doc:"Needed only where two have the name."`
}

type verifyConfig struct {
	Key string `json:"key" doc:"A file with a public key in PEM form, as cosign writes it."`
}

// Access is how a registry is reached, and what is trusted that comes from it.
type Access struct {
	Creds    string // user:password, empty for docker's configuration
	Insecure bool
	Offline  bool
	CacheDir string // empty for the user's
	KeyName  string // of the file of Key
	Key      []byte // the public key in PEM form that must have signed, nil for none
}

// Trust is what the person that builds allows function configs, which may be
// another author's.
type Trust struct {
	Env       []string       // names of environment variables that may be read
	Insecure  []string       // registries, host or host:port, that need no certificate
	CacheDir  string         // of the user, empty when there is none
	Decrypt   sops.Decrypter // of files that SOPS encrypted, nil to refuse them
	LookupEnv func(string) (string, bool)
}

func (c registryConfig) check() error {
	from := c.CredentialsFrom
	switch {
	case from.Kind != "" && from.Kind != "Secret":
		return fields.Errorf("spec.registry.credentialsFrom.kind", "%q is not Secret", from.Kind)
	case from != secretConfig{} && from.Name == "":
		return fields.Errorf("spec.registry.credentialsFrom.name", "is missing")
	}
	return nil
}

// access returns what the config says of registries, for one of them; a local
// module is in none.
func (f Function) access(ctx context.Context, c registryConfig, verify verifyConfig, module ref.Reference, items []*yaml.RNode) (Access, error) {
	host, _, _ := strings.Cut(module.Repository, "/")
	a := Access{Offline: c.Offline, Insecure: c.Insecure}
	if module.IsLocal() {
		if verify.Key != "" {
			return a, fields.Errorf("spec.verify.key", "the module %q is a directory, which has no signature", module)
		}
		return a, nil
	}
	if c.Insecure && !slices.Contains(f.Trust.Insecure, host) {
		err := fail.Hint(fail.Refusedf("the environment of the build does not allow this for %s", host),
			"if you trust the network to it, export TIMONI_KRM_ALLOW_INSECURE=%s", host)
		return a, fields.At("spec.registry.insecure", err)
	}
	var err error
	if c.CredentialsFrom.Name != "" {
		if a.Creds, err = c.CredentialsFrom.credentials(items, host); err != nil {
			return a, fields.At("spec.registry.credentialsFrom", err)
		}
	}
	if c.CacheDir != "" {
		if a.CacheDir, err = f.cacheDir(c.CacheDir); err != nil {
			return a, fields.At("spec.registry.cacheDir", err)
		}
	}
	if verify.Key != "" {
		a.KeyName = verify.Key
		key, err := readFile(ctx, f.Dir, verify.Key)
		if err != nil {
			return a, fields.At("spec.verify.key", err)
		}
		a.Key = key.Data
		if _, err = signature.ParsePublicKey(verify.Key, a.Key); err != nil {
			return a, fields.Errorf("spec.verify.key", "%q: %w", verify.Key, err)
		}
	}
	return a, nil
}

// cacheDir returns a directory below the base directory or in the user's cache.
func (f Function) cacheDir(name string) (string, error) {
	dir := name
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(f.Dir, dir)
	}
	for _, parent := range []string{f.Dir, f.Trust.CacheDir} {
		if parent == "" {
			continue
		}
		inside, err := willBeWithin(parent, dir)
		if err != nil {
			return "", err
		}
		switch {
		case inside && parent == f.Dir:
			return dir, withoutLinks(dir, name)
		case inside:
			return dir, nil
		}
	}
	return "", fail.Hint(fail.Refusedf("%q lies neither below the directory of the kustomization nor in the user's cache", name),
		"name a directory relative to the kustomization's, or set TIMONI_CACHE_DIR yourself")
}

// withoutLinks returns an error when there is a link in a cache, which may have
// come with a remote base: files are written and removed in it.
func withoutLinks(dir, name string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // others use the cache, too
			return nil
		case err != nil:
			return err
		case path != dir && entry.Type()&fs.ModeSymlink != 0:
			return fail.Hint(fail.Refusedf("%q holds a link, %q, and is no cache of ours", name, strings.TrimPrefix(path, dir+string(filepath.Separator))),
				"remove it: what it holds is fetched again")
		}
		return nil
	})
}

// willBeWithin says whether path lies in or below dir once links are resolved,
// of as much of it as is there.
func willBeWithin(dir, path string) (bool, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return false, err
	}
	if rel, err := filepath.Rel(dir, path); err != nil || !filepath.IsLocal(rel) {
		return false, nil //nolint:nilerr // another volume
	}
	for at := path; ; at = filepath.Dir(at) {
		_, err := os.Lstat(at)
		switch {
		case err == nil:
			return values.Within(dir, at)
		case !errors.Is(err, fs.ErrNotExist):
			return false, err
		case at == dir:
			return true, nil // nothing is there yet, and so no link
		}
	}
}

// credentials returns USER:PASSWORD for a registry from a Secret of the stream.
func (c secretConfig) credentials(items []*yaml.RNode, host string) (string, error) {
	if len(items) == 0 {
		return "", errGenerator()
	}
	found, err := only(items, "Secret", c.Namespace, c.Name, func(item *yaml.RNode) bool {
		return item.GetApiVersion() == "v1" && item.GetKind() == "Secret"
	})
	if err != nil {
		return "", err
	}
	if found.GetAnnotations()[localConfig] != "true" {
		return "", fail.Hint(fmt.Errorf("the Secret %q has no annotation %s, so it would be part of the result", c.Name, localConfig),
			`annotate it with %s: "true"`, localConfig)
	}
	data, err := credential.Data(found)
	if err != nil {
		return "", fmt.Errorf("the Secret %q: %w", c.Name, err)
	}
	if config, ok := data[".dockerconfigjson"]; ok {
		return credential.OfDocker(config, host, c.Name)
	}
	if data["username"] == "" || data["password"] == "" {
		return "", fmt.Errorf("the Secret %q has neither .dockerconfigjson nor username and password", c.Name)
	}
	// A config from elsewhere, such as a remote component, sees this Secret
	// too, and must not send it to a registry of its choice.
	if data["registry"] != host {
		err := fail.Refusedf("the Secret %q does not say that its password is for %s", c.Name, host)
		return "", fail.Hint(err, "if it is, add to its stringData registry: %q", host)
	}
	return data["username"] + ":" + data["password"], nil
}

// localConfig marks an object that is for functions and no part of the result.
const localConfig = "config.kubernetes.io/local-config"

// errGenerator is the error where a generator is to take something from the
// stream, which it does not see.
func errGenerator() error {
	return errors.New("kustomize passes objects only to what is listed under transformers: there are none here")
}

// environment returns the variables that a config names, if the user lets
// configs read them. One that is not set is left out.
func (t Trust) environment(names []string) (map[string]string, error) {
	found := map[string]string{}
	var problems []error
	wanted := slices.Clone(t.Env)
	for _, name := range names {
		if !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	for i, name := range names {
		if !slices.Contains(t.Env, name) {
			err := fail.Hint(fail.Refusedf("the environment of the build does not allow to read %q", name),
				"if this config may know it, export TIMONI_KRM_ALLOW_ENV=%s", strings.Join(wanted, ","))
			problems = append(problems, fields.At(fmt.Sprintf("spec.runtime.env[%d]", i), err))
			continue
		}
		if t.LookupEnv == nil {
			continue
		}
		if value, ok := t.LookupEnv(name); ok {
			found[name] = value
		}
	}
	return found, errors.Join(problems...)
}
