// SPDX-License-Identifier: Apache-2.0

// Package credential reads the credentials of registries from Secrets of a stream.
package credential

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// Data returns the data of a Secret, decoded. No error shows any.
func Data(secret *yaml.RNode) (map[string]string, error) {
	data := map[string]string{}
	for key, text := range secret.GetDataMap() {
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, fmt.Errorf("data.%s is not base64", key)
		}
		data[key] = string(decoded)
	}
	plain, err := secret.Pipe(yaml.Lookup("stringData"))
	if err != nil || plain == nil {
		return data, err
	}
	err = plain.VisitFields(func(field *yaml.MapNode) error {
		data[field.Key.YNode().Value] = field.Value.YNode().Value
		return nil
	})
	return data, err
}

// OfDocker returns USER:PASSWORD for a registry from a docker configuration, which
// is in the Secret with a name.
func OfDocker(config, host, secret string) (string, error) {
	var docker struct {
		Auths map[string]struct{ Auth, Username, Password string } `json:"auths"`
	}
	if json.Unmarshal([]byte(config), &docker) != nil {
		return "", fmt.Errorf("the Secret %q: .dockerconfigjson is not JSON of docker's configuration", secret)
	}
	names := []string{host, "https://" + host, "https://" + host + "/v1/", "https://" + host + "/v2/"}
	if host == "docker.io" || host == "index.docker.io" {
		names = append(names, "docker.io", "index.docker.io", "https://index.docker.io/v1/") // as docker and kubectl write it
	}
	for _, name := range names {
		entry, ok := docker.Auths[name]
		if !ok {
			continue
		}
		if entry.Username != "" {
			return entry.Username + ":" + entry.Password, nil
		}
		decoded, err := base64.StdEncoding.DecodeString(entry.Auth)
		if err != nil || !strings.Contains(string(decoded), ":") {
			return "", fmt.Errorf("the Secret %q: the auth of %s is not base64 of USER:PASSWORD", secret, host)
		}
		return string(decoded), nil
	}
	return "", fmt.Errorf("the Secret %q has no credentials for %s", secret, host)
}
