// SPDX-License-Identifier: Apache-2.0

package oci_test

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/session"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// TestDockerConfig does not run in parallel, because the docker configuration
// is found through the environment.
func TestDockerConfig(t *testing.T) {
	vendor, content := plainLayers(t)
	host := fixture.Serve(t, basicAuth(newFake(t, vendor, content, nil)))
	login := func(password string) string {
		return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte("me:"+password)))
	}
	for name, test := range map[string]struct{ config, creds, text string }{
		"right":              {login(secret), "", ""},
		"wrong":              {login("not-" + secret), "", "access denied (401 Unauthorized, UNAUTHORIZED: go away, Basic ***)"},
		"wrong, but --creds": {login("not-" + secret), credentials.Creds, ""},
		"broken":             {`{"auths":` + secret, "", "credentials for " + host + ": "},
		"a missing helper":   {`{"credsStore":"no-such-helper"}`, "", "credentials for " + host + ": "},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("USERPROFILE", home)
			t.Setenv("DOCKER_CONFIG", home)
			fixture.Write(t, filepath.Join(home, "config.json"), test.config)
			_, err := oci.Pull(t.Context(), fixture.Reference(t, "oci://"+host+"/app:1.0.0"), t.TempDir(), oci.Options{Access: session.Access{Creds: test.creds}})
			if test.text == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			fixture.WantError(t, err, test.text)
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}
