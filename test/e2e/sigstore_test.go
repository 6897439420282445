// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit/sigstore"
)

// serveSigstore starts a Sigstore for the script: the real Fulcio with an
// authority of its own, and package sigstore's issuer and logs. It writes
// trusted_root.json and token.jwt, a token of team@example.com, and sets FULCIO
// and SIGSTORE, the URL of the others.
func serveSigstore(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, "serve-sigstore")
	authority, err := sigstore.New()
	ts.Check(err)
	services, err := authority.Serve()
	ts.Check(err)
	ts.Defer(services.Close)
	fulcio := startFulcio(ts, services.URL)
	chain, err := trustBundle(fulcio)
	ts.Check(err)
	trusted, err := services.Trust(chain)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("trusted_root.json"), trusted, 0o600))
	token, err := services.Token("team@example.com", "sigstore")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("token.jwt"), []byte(token), 0o600))
	ts.Setenv("FULCIO", fulcio)
	ts.Setenv("SIGSTORE", services.URL)
	ts.Setenv("TOKEN", token)
}

// startFulcio starts Fulcio, which trusts the issuer at a URL and logs
// certificates there, and returns its URL.
func startFulcio(ts *testscript.TestScript, issuer string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	path, err := controlplane.Extra(ctx, "fulcio", os.Stderr)
	ts.Check(err)
	ports, err := freePorts(3)
	ts.Check(err)
	dir := ts.MkAbs(".fulcio")
	ts.Check(os.Mkdir(dir, 0o700))
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf("oidc-issuers:\n  %[1]s: {issuer-url: %[1]q, client-id: sigstore, type: email}\n", issuer)
	ts.Check(os.WriteFile(config, []byte(text), 0o600))
	const host = "127.0.0.1"
	cmd := exec.Command(path, "serve", "--ca=ephemeralca", "--config-path="+config, "--ct-log-url="+issuer,
		"--host="+host, "--grpc-host="+host, "--port="+ports[0], "--grpc-port="+ports[1], "--metrics-port="+ports[2],
		"--legacy-unix-domain-socket=legacy")
	cmd.Dir = dir // the path of a socket is short
	log, err := os.Create(filepath.Join(dir, "log"))
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // killed
		ts.Check(log.Close())
	})
	return "http://" + host + ":" + ports[0]
}

func freePorts(n int) ([]string, error) {
	ports, err := kit.FreePorts(n)
	for i, address := range ports {
		if _, ports[i], err = net.SplitHostPort(address); err != nil {
			return nil, err
		}
	}
	return ports, err
}

// trustBundle waits for Fulcio and returns the certificates of its authority.
func trustBundle(fulcio string) ([]string, error) {
	var answer struct {
		Chains []struct{ Certificates []string }
	}
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get(fulcio + "/api/v2/trustBundle")
		if err == nil && resp.StatusCode == http.StatusOK {
			err = json.NewDecoder(resp.Body).Decode(&answer)
			_ = resp.Body.Close() // it was read
			if err == nil && len(answer.Chains) == 1 {
				return answer.Chains[0].Certificates, nil
			}
		}
		if time.Since(start) > time.Minute {
			return nil, fmt.Errorf("fulcio at %s does not answer: %w", fulcio, err)
		}
	}
}
