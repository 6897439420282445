// SPDX-License-Identifier: Apache-2.0

package krmcmd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/cmd/krmcmd"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/pipeline/guard"
)

// examine returns the report on a kustomization of these files.
func examine(t *testing.T, files map[string]string) guard.Report {
	t.Helper()
	dir := t.TempDir()
	for file, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	env := cli.Env{
		Program: "timoni-krm", Verb: "timoni-krm", Args: []string{guard.Verb, "--", dir},
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		LookupEnv: func(string) (string, bool) { return "", false }, Executable: os.Executable,
	}
	if code := cli.Run(t.Context(), env, krmcmd.New); code != fail.Done {
		t.Fatalf("code %d: %s", code, stderr.String())
	}
	var report guard.Report
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	return report
}

// Whatever a kustomization names, its examination asks no network.
func TestExamineOffline(t *testing.T) {
	t.Parallel()
	const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		fmt.Fprint(w, configMap)
	}))
	t.Cleanup(func() {
		server.Close()
		if n := requests.Load(); n > 0 {
			t.Errorf("%d requests", n)
		}
	})
	url := server.URL + "/a.yaml"
	for name, kustomization := range map[string]string{
		"resources":             "resources: [%q]",
		"resources in capitals": "Resources: [%q]",
		"bases":                 "bases: [%q]",
		"components":            "components: [%q]",
		"a repository":          "components: [github.com/org/repo]",
		"generators":            "generators: [%q]",
		"transformers":          "transformers: [%q]",
		"validators":            "validators: [%q]",
		"a directory of them":   "generators: [remote]",
		"a base":                "resources: [remote]",
		"crds":                  "crds: [%q]",
		"configurations":        "configurations: [%q]",
		"openapi":               "openapi: {path: %q}",
		"patches":               "patches: [{path: %q}]",
		"patchesJson6902":       "patchesJson6902: [{target: {version: v1, kind: ConfigMap, name: a}, path: %q}]",
		"patchesStrategicMerge": "patchesStrategicMerge: [%q]",
		"replacements":          "replacements: [{path: %q}]",
		"files":                 "configMapGenerator: [{name: b, files: [%q]}]",
		"files with a key":      "configMapGenerator: [{name: b, files: [a=%s]}]",
		"env":                   "configMapGenerator: [{name: b, env: %q}]",
		"envs":                  "secretGenerator: [{name: b, envs: [%q]}]",
		"a builtin":             "transformers: ['{apiVersion: builtin, kind: PatchTransformer, metadata: {name: b}, path: %q}']",
		"a chart":               "helmCharts: [{name: c, repo: %q}]",
		"an old chart":          "helmChartInflationGenerator: [{chartName: c, chartRepoUrl: %q}]",
		"a builtin chart":       "generators: ['{apiVersion: builtin, kind: HelmChartInflationGenerator, metadata: {name: b}, name: c, repo: %q}']",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(kustomization, "%") {
				kustomization = fmt.Sprintf(kustomization, url)
			}
			if !strings.Contains(strings.ToLower(kustomization), "resources:") {
				kustomization += "\nresources: [a.yaml]"
			}
			report := examine(t, map[string]string{
				"kustomization.yaml": kustomization, "a.yaml": configMap,
				"remote/kustomization.yaml": fmt.Sprintf("resources: [%q]", url),
			})
			if len(report.Unseen) != 1 || report.LeftOut.Error != "" || report.Complete.Error != "" {
				t.Errorf("%+v", report)
			}
		})
	}
}

// A directory that is named like an address is a directory here.
func TestExamineDirectory(t *testing.T) {
	t.Parallel()
	report := examine(t, map[string]string{
		"kustomization.yaml":                     "resources: [github.com/org/repo]",
		"github.com/org/repo/kustomization.yaml": "configMapGenerator: [{name: a}]",
	})
	if len(report.Unseen) > 0 || report.LeftOut.Error != "" || report.LeftOut.Objects != 1 {
		t.Errorf("%+v", report)
	}
}
