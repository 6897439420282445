// SPDX-License-Identifier: Apache-2.0

// Package sops decrypts files that SOPS encrypted, with the user's own program.
// What it decrypts goes through pipes and is never written to a file.
package sops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// program is the name of the program.
const program = "sops"

var (
	// ErrEncrypted means that a file is encrypted where none is decrypted.
	ErrEncrypted = errors.New("it is encrypted by SOPS, and is not decrypted here")
	// ErrNoProgram means that a file is encrypted, and sops is not installed.
	ErrNoProgram = errors.New("it is encrypted by SOPS, and there is no program sops on PATH")
)

// Plain is what a file says once it is decrypted.
type Plain struct {
	Data []byte
	// Secrets are the values that were encrypted. For a file that was encrypted
	// as a whole, such as one in CUE, they are not known: nil.
	Secrets []string
	IsWhole bool // the file was encrypted as a whole
}

// Decrypter decrypts a file. Its name says the format; it has no known extension
// if the content decides.
type Decrypter func(ctx context.Context, name string, data []byte) (Plain, error)

// ciphertext begins each encrypted value, and the checksum of each file.
const ciphertext = "ENC[AES256_GCM,"

// IsEncrypted says whether SOPS encrypted a file.
func IsEncrypted(data []byte) bool {
	if !bytes.Contains(data, []byte(ciphertext)) {
		return false
	}
	metadata := field(document(data), "sops")
	mac := field(metadata, "mac")
	return mac != nil && strings.HasPrefix(mac.Value, ciphertext)
}

// Decrypt decrypts a file with the program on PATH, which finds the keys as it
// always does. No error shows what was encrypted.
func Decrypt(ctx context.Context, name string, data []byte) (Plain, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return Plain{}, ErrNoProgram
	}
	format := formatOf(name, data)
	args := []string{"--decrypt", "--input-type", format, "--output-type", format, "/dev/stdin"}
	if runtime.GOOS == "windows" {
		args = []string{"decrypt", "--input-type", format, "--output-type", format} // 3.11 and newer
	}
	out, err := run(ctx, path, data, func(text string) string { return text }, args...)
	if err != nil {
		return Plain{}, explain(ctx, "decrypt", err)
	}
	p := Plain{Data: out, IsWhole: format == binary}
	if !p.IsWhole {
		p.Secrets = secrets(document(data), document(p.Data), nil)
	}
	return p, nil
}

// patience is how long what the program has started may keep its pipes open once
// it has ended itself.
const patience = time.Second

// run runs the program with a standard input, and returns what it writes. The
// error is what the program says, as hide makes it.
func run(ctx context.Context, path string, stdin []byte, hide func(string) string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = bytes.NewReader(stdin), &stdout, &stderr, patience
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil || errors.Is(err, exec.ErrWaitDelay): // an agent goes on, and sops has ended
		return stdout.Bytes(), nil
	}
	return nil, reason(err, hide(stderr.String()))
}

// explain says in an error of run what the program was to do, unless it was stopped.
func explain(ctx context.Context, verb string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s with sops: %w", verb, err)
}

// The types of files, as sops calls them.
const (
	binary = "binary"
	json   = "json"
	yamls  = "yaml"
)

// formatOf returns the type of an encrypted file. What sops has no type for, it
// encrypts as a whole, into JSON with the field data.
func formatOf(name string, data []byte) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return json
	case ".yaml", ".yml":
		return yamls
	}
	root := document(data)
	whole := field(root, "data")
	switch {
	case len(root.Content) == 4 && whole != nil && strings.HasPrefix(whole.Value, ciphertext):
		return binary
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
		return json
	}
	return yamls
}

// reason returns what the program had to say.
func reason(err error, stderr string) error {
	const longest = 300
	var said []string
	for line := range strings.Lines(stderr) {
		if line = strings.Trim(line, " \t\r\n|-"); line != "" {
			said = append(said, line)
		}
	}
	text := strings.Join(said, " ")
	if text == "" {
		return err
	}
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return errors.New(text)
}

// document returns the root of a document in YAML or JSON, which is nil when it
// is neither.
func document(data []byte) *yaml.Node {
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

// field returns a field of a map, nil when there is none.
func field(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// secrets adds the values below plain that are encrypted in the other document.
// A bool is none.
func secrets(encrypted, plain *yaml.Node, found []string) []string {
	if encrypted == nil || plain == nil || encrypted.Kind != plain.Kind {
		return found
	}
	switch plain.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(plain.Content); i += 2 {
			found = secrets(field(encrypted, plain.Content[i].Value), plain.Content[i+1], found)
		}
	case yaml.SequenceNode:
		for i := range min(len(plain.Content), len(encrypted.Content)) {
			found = secrets(encrypted.Content[i], plain.Content[i], found)
		}
	case yaml.ScalarNode:
		if strings.HasPrefix(encrypted.Value, ciphertext) && plain.Value != "" && plain.ShortTag() != "!!bool" {
			found = append(found, plain.Value)
		}
	}
	return found
}
