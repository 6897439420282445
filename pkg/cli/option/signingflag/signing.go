// SPDX-License-Identifier: Apache-2.0

// Package signingflag holds the flag that signs what is pushed. It is apart because
// few binaries sign.
package signingflag

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/privatekey"
)

// passwordVariable holds the password of a private key, as it does for cosign.
const passwordVariable = "COSIGN_PASSWORD"

// envScheme is before the name of an environment variable that holds a key,
// as cosign writes it.
const envScheme = "env://"

// Flag is the flag that signs what is pushed.
type Flag struct{ key string }

// AddTo registers the flag.
func (s *Flag) AddTo(fs *pflag.FlagSet) {
	fs.StringVar(&s.key, "sign", "", "sign what is pushed with the private `KEY` in a file, or in a variable as env://NAME; its password is in $"+passwordVariable)
}

// Key returns the key, nil when signing was not asked for. prompt asks for the
// password where the environment of process has none.
func (s *Flag) Key(lookupEnv func(string) (string, bool), prompt func(question string) ([]byte, error)) (oci.Signer, error) {
	if s.key == "" {
		return nil, nil
	}
	data, err := s.read(lookupEnv)
	if err != nil {
		return nil, err
	}
	key, err := privatekey.Parse(data, func() ([]byte, error) {
		if password, ok := lookupEnv(passwordVariable); ok {
			return []byte(password), nil
		}
		return prompt(fmt.Sprintf("password for the private key %s: ", s.key))
	})
	if err == nil {
		return key, nil
	}
	err = fail.With(fail.Usage, fmt.Errorf("private key %s: %w", s.key, err))
	return nil, fail.Hint(err, "%s holds the password of an encrypted key", passwordVariable)
}

func (s *Flag) read(lookupEnv func(string) (string, bool)) ([]byte, error) {
	if name, ok := strings.CutPrefix(s.key, envScheme); ok {
		data, found := lookupEnv(name)
		if !found {
			return nil, fail.Usagef("private key: the variable %s is not set", name)
		}
		return []byte(data), nil
	}
	data, err := os.ReadFile(s.key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fail.Hint(fail.With(fail.Usage, fmt.Errorf("private key: %w", err)),
			"--sign takes the file with the key; make one with 'cosign generate-key-pair'")
	}
	return data, fail.With(fail.Usage, err)
}
