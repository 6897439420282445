// SPDX-License-Identifier: Apache-2.0

package sops_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/sops"
)

// TestIsEncrypted tells files of SOPS from others that look like them. That
// files are decrypted is held by the script interop/sops, with the real program.
func TestIsEncrypted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"a: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:y]\n": true,
		`{"data": "ENC[AES256_GCM,data:x]", "sops": {"mac": "ENC[AES256_GCM,data:y]"}}`:         true,
		"a: ENC[AES256_GCM,data:x]\nsops: {mac: 1}\n":                                           false,
		"a: ENC[AES256_GCM,data:x]\nb: {sops: {mac: ENC[AES256_GCM,data:y]}}\n":                 false,
		"sops: [ENC[AES256_GCM,data:x]]\n":                                                      false,
		"ENC[AES256_GCM,":                                                                       false,
		"":                                                                                      false,
	} {
		if got := sops.IsEncrypted([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// install puts a script in the place of sops.
func install(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the script is one of a shell")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sops"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// What sops and the services of keys say may repeat what they were given.
func TestEncryptErrorHides(t *testing.T) {
	install(t, "echo 'no key for hunter2-plain, aHVudGVyMi1jb2RlZA==, hunter2-coded' >&2; cat >&2; exit 1\n")
	data := "kind: Secret\ndata: {a: aHVudGVyMi1jb2RlZA==}\nstringData: {b: hunter2-plain, c: [{d: hunter2-deep}]}\n"
	_, err := sops.Encrypt(t.Context(), "a.yaml", []byte(data), "data", "stringData")
	if err == nil || !strings.Contains(err.Error(), "encrypt with sops: no key for ***, ***, *** kind: Secret") ||
		strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVud") {
		t.Errorf("error %v", err)
	}
}

// A program that sops started, such as an agent, holds nothing up: neither a run
// that is stopped nor one that has ended.
func TestEncryptChild(t *testing.T) {
	for name, end := range map[string]string{"stopped": "wait", "ended": "exit 0"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			pipe, started := filepath.Join(dir, "pipe"), filepath.Join(dir, "started")
			install(t, fmt.Sprintf("cat <%q &\n>%q\n%s\n", pipe, started, end))
			if out, err := exec.CommandContext(t.Context(), "mkfifo", pipe).CombinedOutput(); err != nil {
				t.Fatalf("mkfifo: %v: %s", err, out)
			}
			t.Cleanup(func() { // lets the child end
				if f, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
					_, _ = f.WriteString("end\n")
					_ = f.Close()
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if name == "stopped" {
				go func() {
					for _, err := os.Stat(started); err != nil; _, err = os.Stat(started) {
						time.Sleep(time.Millisecond)
					}
					cancel()
				}()
			}
			_, err := sops.Encrypt(ctx, "a.yaml", []byte("data: {a: b}\n"), "data")
			if err == nil || errors.Is(err, context.Canceled) != (name == "stopped") {
				t.Errorf("error %v", err)
			}
		})
	}
}
