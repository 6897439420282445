// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLinked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		functions []string
		want      map[library]string
	}{
		"nothing":                       {nil, map[library]string{}},
		"a function":                    {[]string{"cuelang.org/go/cue.Value.Path"}, map[library]string{cue: "cuelang.org/go/cue.Value.Path"}},
		"a method of a package itself":  {[]string{"k8s.io/client-go/rest.(*Config).String"}, map[library]string{clientGo: "k8s.io/client-go/rest.(*Config).String"}},
		"a package below":               {[]string{"k8s.io/client-go/tools/clientcmd.init"}, map[library]string{clientGo: "k8s.io/client-go/tools/clientcmd.init"}},
		"a light part of the module":    {[]string{"k8s.io/client-go/util/homedir.HomeDir"}, map[library]string{}},
		"a name that begins the same":   {[]string{"k8s.io/client-go/restmapper.New", "cuelang.org/gopher.F"}, map[library]string{}},
		"the second of such names":      {[]string{"k8s.io/client-go/restmapper.New", "k8s.io/client-go/rest.init"}, map[library]string{clientGo: "k8s.io/client-go/rest.init"}},
		"verification by key":           {[]string{"github.com/sigstore/sigstore/pkg/signature.LoadVerifier"}, map[library]string{}},
		"a path inside of another name": {[]string{"example.com/vendor/cuelang.org/go/cue.F"}, map[library]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names := append([]string{"", "main.main"}, tc.functions...)
			got, err := linked([]byte(strings.Join(append(names, ""), "\x00")))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLinkedNeedsNames(t *testing.T) {
	t.Parallel()
	if _, err := linked([]byte("not a Go program")); !errors.Is(err, errNoNames) {
		t.Errorf("got %v, want %v", err, errNoNames)
	}
}

// TestThisProgram reads a real program: the test itself, which links go-cmp.
func TestThisProgram(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	links, err := linked(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[library]string{}, links); diff != "" {
		t.Error(diff)
	}
	if function(data, "github.com/google/go-cmp") == "" {
		t.Error("go-cmp not found")
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	b := binary{name: "x", size: 10, startup: 10 * time.Millisecond, may: []library{cue}}
	for name, tc := range map[string]struct {
		measurement measurement
		want        []string
		slower      float64
	}{
		"within":         {measurement{10, 10 * time.Millisecond, map[library]string{cue: "f"}}, nil, 1},
		"a noisy start":  {measurement{10, 30 * time.Millisecond, nil}, nil, 1},
		"too large":      {measurement{10.1, 0, nil}, []string{"x: 10.1 MB, at most 10"}, 1},
		"too slow":       {measurement{1, 31 * time.Millisecond, nil}, []string{"x: --help takes 31.0 ms of CPU time, expected at most 30.0 here"}, 1},
		"a slow machine": {measurement{1, 75 * time.Millisecond, nil}, nil, 2.5},
		"too slow there": {measurement{1, 76 * time.Millisecond, nil}, []string{"x: --help takes 76.0 ms of CPU time, expected at most 75.0 here"}, 2.5},
		"a forbidden library": {
			measurement{1, 0, map[library]string{clientGo: "k8s.io/client-go/rest.init"}},
			[]string{"x: must not link client-go, holds k8s.io/client-go/rest.init"}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, err := range b.judge(tc.measurement, tc.slower) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEachBinaryHasARow holds the table to the plugins that exist.
func TestEachBinaryHasARow(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for _, b := range binaries() {
		rows[b.source] = true
	}
	root := filepath.Join("..", "..", "..")
	dirs, err := filepath.Glob(filepath.Join(root, "plugins", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if source := "plugins/" + filepath.Base(dir); !rows[source] {
			t.Errorf("%s has no row in table.go", source)
		}
	}
}
