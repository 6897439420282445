// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"fmt"
	"net/http"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
)

// Login checks the credentials in o against the registry at host and stores
// them then, where docker does: in its configuration, or in the credential
// helper that this names. It returns the path of the configuration.
func Login(ctx context.Context, host string, o Access) (where string, err error) {
	s, err := openHost(ctx, host, o)
	if err != nil {
		return "", archive.Named("log in to", host, err)
	}
	defer s.Close()
	auth, err := s.verify(ctx)
	if err != nil {
		return "", archive.Named("log in to", host, err)
	}
	file, err := config.Load("")
	if err != nil {
		return "", fmt.Errorf("docker configuration: %w", err)
	}
	key := storageKey(s.Repo.Registry)
	err = file.GetCredentialsStore(key).Store(types.AuthConfig{
		ServerAddress: key, Username: auth.Username, Password: auth.Password,
	})
	if err != nil {
		return "", fmt.Errorf("store the credentials: %s", s.Clean(err.Error()))
	}
	return file.Filename, nil
}

// Logout removes the credentials for the registry at host. It is ErrNotFound
// when there are none.
func Logout(host string) (where string, err error) {
	registry, err := newRegistry(host, false)
	if err != nil {
		return "", err
	}
	file, err := config.Load("")
	if err != nil {
		return "", fmt.Errorf("docker configuration: %w", err)
	}
	key := storageKey(registry)
	store := file.GetCredentialsStore(key)
	auth, err := store.Get(key)
	if err != nil {
		return "", fmt.Errorf("credentials for %s: %w", host, err)
	}
	if auth.Username == "" && auth.Password == "" && auth.IdentityToken == "" {
		return "", fmt.Errorf("credentials for %s in %s: %w", host, file.Filename, ErrNotFound)
	}
	if err = store.Erase(key); err != nil {
		return "", fmt.Errorf("credentials for %s: %w", host, err)
	}
	return file.Filename, nil
}

// openHost opens a session that is about no repository.
func openHost(ctx context.Context, host string, o Access) (*Session, error) {
	return openAt(ctx, ref.Reference{Repository: host + "/login"}, host+"/login", o)
}

// storageKey returns the name under which docker keeps credentials.
func storageKey(registry name.Registry) string {
	if registry.RegistryStr() == name.DefaultRegistry {
		return authn.DefaultAuthKey
	}
	return registry.RegistryStr()
}

// verify asks the registry whether it takes the credentials, and returns them.
// A registry that lets everybody in is asked with them too, since it may mind
// wrong ones.
func (s *Session) verify(ctx context.Context) (*authn.AuthConfig, error) {
	registry := s.Repo.Registry
	challenge, err := transport.Ping(ctx, registry, s.transport)
	if err != nil {
		return nil, s.Explain(ctx, err)
	}
	trip, err := transport.NewWithContext(ctx, registry, s.auth, s.transport, nil)
	if err != nil {
		return nil, s.Explain(ctx, err)
	}
	scheme := "https"
	if challenge.Insecure {
		scheme = "http"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+registry.RegistryStr()+"/v2/", nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: trip}).Do(req)
	if err != nil {
		return nil, s.Explain(ctx, err)
	}
	defer resp.Body.Close()
	if err = transport.CheckError(resp, http.StatusOK); err != nil {
		return nil, s.Explain(ctx, err)
	}
	config, err := s.auth.Authorization()
	if err == nil && config.Username == "" {
		return nil, fail.Invalidf("the user name is missing")
	}
	return config, err
}
