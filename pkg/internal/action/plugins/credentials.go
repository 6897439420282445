// SPDX-License-Identifier: Apache-2.0

package plugins

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// dockerConfig is the part of docker's configuration that says where
// credentials are; the credentials themselves are left undecoded.
type dockerConfig struct {
	Auths       map[string]json.RawMessage `json:"auths"`
	CredsStore  string                     `json:"credsStore"`
	CredHelpers map[string]string          `json:"credHelpers"`
}

// credentials checks the file with the registry credentials and that the
// helpers it names are there.
func (x Examination) credentials(context.Context) []Check {
	c := Check{Name: "registry credentials", Status: Warn}
	path, content := x.credentialFile()
	if path == "" {
		c.Message = "none: private registries cannot be used"
		c.Hint = "log in with 'kubectl timoni registry login HOST' or 'docker login HOST'"
		return []Check{c}
	}
	var config dockerConfig
	if err := json.Unmarshal(content, &config); err != nil {
		c.Status, c.Message = Fail, fmt.Sprintf("%s is no docker configuration: %v", path, err)
		c.Hint = "mend the file, or move it away and log in again"
		return []Check{c}
	}
	helpers := map[string]bool{}
	for _, name := range append(slices.Collect(maps.Values(config.CredHelpers)), config.CredsStore) {
		if _, ok := x.Places.onPath("docker-credential-" + name); name != "" && !ok {
			helpers["docker-credential-"+name] = true
		}
	}
	if len(helpers) > 0 {
		missing := strings.Join(slices.Sorted(maps.Keys(helpers)), ", ")
		c.Status, c.Message = Fail, fmt.Sprintf("%s names %s, not on PATH: no registry that it serves can be used", path, missing)
		c.Hint = fmt.Sprintf("install %s, or remove it from credsStore and credHelpers in %s", missing, path)
		return []Check{c}
	}
	c.Status, c.Message = OK, path
	if hosts := slices.Sorted(maps.Keys(config.Auths)); len(hosts) > 0 {
		c.Message += ": " + strings.Join(hosts, ", ")
	}
	return []Check{c}
}

// credentialFile returns the first credential file there is and its content,
// in the order in which docker, and then podman, look for it.
func (x Examination) credentialFile() (path string, content []byte) {
	home := x.Getenv("HOME")
	if runtime.GOOS == "windows" {
		home = x.Getenv("USERPROFILE")
	}
	candidates := []string{below(home, ".docker", "config.json")}
	if dir := x.Getenv("DOCKER_CONFIG"); dir != "" {
		candidates = []string{filepath.Join(dir, "config.json")}
	}
	candidates = append(candidates,
		x.Getenv("REGISTRY_AUTH_FILE"),
		below(x.Getenv("XDG_RUNTIME_DIR"), "containers", "auth.json"),
		below(x.Getenv("XDG_CONFIG_HOME"), "containers", "auth.json"),
		below(home, ".config", "containers", "auth.json"))
	for _, path := range candidates {
		if content, err := os.ReadFile(path); err == nil {
			return path, content
		}
	}
	return "", nil
}

// below returns a path below dir, or nothing when there is no dir.
func below(dir string, elements ...string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(append([]string{dir}, elements...)...)
}
