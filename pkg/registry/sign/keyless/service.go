// SPDX-License-Identifier: Apache-2.0

package keyless

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

const (
	maxAnswer = 1 << 20 // bytes
	patience  = time.Minute
)

// service is a server that speaks JSON.
type service struct {
	what, url, userAgent string
}

// newService checks the URL of a server that gets an identity token or what
// was signed with one.
func newService(what, address, userAgent string) (service, error) {
	s := service{what, strings.TrimSuffix(address, "/"), userAgent}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return s, fail.Invalidf("%s %s: expected https://HOST[/PATH]", what, mask.URL(address))
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return s, nil
	}
	return s, fail.Invalidf("%s %s: only https is allowed", what, mask.URL(address))
}

// isLoopback says whether what is sent to a host stays on this machine.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// named returns an error that names the server. A nil err stays nil.
func (s service) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", s.what, mask.URL(s.url), err)
}

// post sends a document and reads the answer into out.
func (s service) post(ctx context.Context, path, secret string, document, out any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return s.named(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return s.named(s.do(req, secret, out))
}

// do sends a request and reads the answer into out. It follows no redirect: a
// token is for the server that was named. No error holds the secret.
func (s service) do(req *http.Request, secret string, out any) error {
	ctx, cancel := context.WithTimeout(req.Context(), patience)
	defer cancel()
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", s.userAgent)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which may hold a secret
		}
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(data) > maxAnswer:
		return errors.New("the answer is too large")
	case resp.StatusCode/100 != 2:
		return fmt.Errorf("the server answers %s%s", resp.Status, reason(data, secret))
	case json.Unmarshal(data, out) != nil:
		return errors.New("the answer cannot be read")
	}
	return nil
}

// reason returns what the body of an answer gives as the reason of a refusal.
func reason(body []byte, secret string) string {
	var answer struct{ Message string }
	if json.Unmarshal(body, &answer) != nil || answer.Message == "" {
		return ""
	}
	if secret != "" {
		answer.Message = strings.ReplaceAll(answer.Message, secret, mask.Hidden)
	}
	return ": " + short(errors.New(answer.Message)).Error()
}
