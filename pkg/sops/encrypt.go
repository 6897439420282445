// SPDX-License-Identifier: Apache-2.0

package sops

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// ErrMissing means that something is to be encrypted, and sops is not installed.
var ErrMissing = errors.New("there is no program sops on PATH, which encrypts it")

// Encrypt encrypts the fields at the root of a document that have one of the names,
// with the program on PATH, which finds the keys as it always does: by the rules of
// .sops.yaml for a file of this name, or in its environment. The document is in YAML,
// the result in JSON. No error shows what is encrypted.
func Encrypt(ctx context.Context, name string, data []byte, fields ...string) ([]byte, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, ErrMissing
	}
	args := []string{
		"encrypt", "--input-type", yamls, "--output-type", json, "--filename-override", name,
		"--encrypted-regex", "^(" + strings.Join(fields, "|") + ")$",
	}
	if runtime.GOOS != "windows" {
		args = append(args, "/dev/stdin") // 3.10 and older read no standard input without it
	}
	out, err := run(ctx, path, data, maskOf(data, fields), args...)
	if err != nil {
		return nil, explain(ctx, "encrypt", err)
	}
	if !isSealed(out, fields) {
		return nil, fmt.Errorf("sops left a value as it was in %s", strings.Join(fields, " or "))
	}
	return out, nil
}

// maskOf returns a function that takes what the fields of a document hold out of a
// text, also as base64 stands for it.
func maskOf(data []byte, fields []string) func(string) string {
	hidden := map[string]string{}
	var collect func(n *yaml.Node)
	collect = func(n *yaml.Node) {
		if n == nil {
			return
		}
		if n.Kind == yaml.ScalarNode && n.Value != "" {
			hidden[n.Value] = mask.Hidden
			if decoded, err := base64.StdEncoding.DecodeString(n.Value); err == nil {
				hidden[string(decoded)] = mask.Hidden
			}
		}
		for i, child := range n.Content {
			if n.Kind != yaml.MappingNode || i%2 == 1 {
				collect(child)
			}
		}
	}
	root := document(data)
	for _, name := range fields {
		collect(field(root, name))
	}
	return mask.Values(hidden)
}

// isSealed says whether sops encrypted a document, and all that the fields hold.
func isSealed(data []byte, fields []string) bool {
	root := document(data)
	return IsEncrypted(data) && !slices.ContainsFunc(fields, func(f string) bool { return hasPlain(field(root, f)) })
}

// Kept returns what a file says in which the fields are encrypted, if it decrypts
// to the same as a plain document in YAML, else nil: without the private key that
// is not known.
func Kept(ctx context.Context, name string, encrypted, plain []byte, fields ...string) map[string]any {
	if !isSealed(encrypted, fields) {
		return nil
	}
	decrypted, err := Decrypt(ctx, name, encrypted)
	if err != nil {
		return nil
	}
	var before, now, kept map[string]any
	for into, data := range map[*map[string]any][]byte{&before: decrypted.Data, &now: plain, &kept: encrypted} {
		if yaml.Unmarshal(data, into) != nil {
			return nil
		}
	}
	if !reflect.DeepEqual(before, now) {
		return nil
	}
	return kept
}

// hasPlain says whether a value below a node is not encrypted. Sops leaves what is
// empty as it is.
func hasPlain(n *yaml.Node) bool {
	switch {
	case n == nil:
		return false
	case n.Kind == yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			if hasPlain(n.Content[i]) {
				return true
			}
		}
		return false
	case n.Kind != yaml.ScalarNode:
		return slices.ContainsFunc(n.Content, hasPlain)
	}
	return n.Value != "" && n.ShortTag() != "!!null" && !strings.HasPrefix(n.Value, ciphertext)
}
