// SPDX-License-Identifier: Apache-2.0

// Package kit gives tests a real Kubernetes control plane and a real registry.
//
// A test binary that wants them hands its TestMain to [Main]; a test gets them
// with [ForTest]. They start when the first test asks and stop with the
// binary, however that ends: a supervising process, which is the test binary
// started once more, holds a pipe to its parent and stops everything by
// process id when the pipe closes.
package kit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// EnvURL names the environment variable with the address at which the
	// supervisor of a control plane answers. Tests that find it set use that
	// control plane and leave it running.
	EnvURL = "TIMONI_KIT"
	// envSupervise makes a process a supervisor; it holds its options.
	envSupervise = "TIMONI_KIT_SUPERVISE"
)

// ErrNoAudit is returned when requests are to be counted on a cluster that
// this package did not start.
var ErrNoAudit = errors.New("an existing cluster has no audit log to read")

// ControlPlane is a running control plane with a registry next to it.
type ControlPlane struct {
	// Dir holds everything that the control plane writes, logs included.
	Dir string `json:"dir"`
	// Kubeconfig is the path of the kit's own administrator's kubeconfig, whose
	// requests are not in the audit log.
	Kubeconfig string `json:"kubeconfig"`
	// Registry is the host and port of a registry that speaks plain HTTP.
	Registry string `json:"registry"`
	// Kubectl and Kustomize are the paths of the programs.
	Kubectl   string `json:"kubectl"`
	Kustomize string `json:"kustomize"`
	// AuditLog is the path of the API server's audit log, one JSON object per
	// line, and empty for an existing cluster.
	AuditLog string `json:"auditLog,omitempty"`
	// Token is a bearer token of an administrator, and empty for an existing
	// cluster.
	Token string `json:"token,omitempty"`
	// Pids are the process ids in the order in which they are stopped.
	Pids []int `json:"pids"`
	// Shared says that the control plane outlives this test binary, so that
	// tests clean up behind them.
	Shared bool `json:"-"`
}

// Options say what a supervisor starts.
type Options struct {
	// Kubeconfig names an existing cluster, which is then used instead of
	// starting one. The registry is started all the same.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Detached keeps the supervisor running when its parent ends.
	Detached bool `json:"detached,omitempty"`
	// Previous starts the API server of an older minor version, and none of what
	// else a control plane has.
	Previous bool `json:"previous,omitempty"`
	// LogFile takes the supervisor's messages instead of the parent's stderr.
	LogFile string `json:"-"`
}

// Main runs the tests of m and returns their exit code. It provides the
// control plane that [ForTest] asks for and stops it at the end.
//
// The flag -kubeconfig, which it defines, names an existing cluster to use.
func Main(m *testing.M) int {
	if Supervising() {
		return Supervise()
	}
	kubeconfig := flag.String("kubeconfig", "", "run the tests on the cluster of this kubeconfig, on which they create and delete objects")
	flag.Parse()
	if os.Getenv(EnvURL) != "" {
		return m.Run()
	}
	s, err := Spawn(Options{Kubeconfig: *kubeconfig})
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	os.Setenv(EnvURL, s.URL)
	defer os.Unsetenv(EnvURL)
	os.Setenv(envOwner, s.URL)
	code := m.Run()
	if err := s.Stop(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	return code
}

// envOwner holds the address of the supervisor that this process started, so
// that a control plane found in the environment is known to be shared.
const envOwner = "TIMONI_KIT_OWNER"

// ForTest returns the control plane of the test binary, started when the first
// test asks. It fails the test when there is none.
func ForTest(t testing.TB) *ControlPlane {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what needs a control plane")
	}
	url := os.Getenv(EnvURL)
	if url == "" {
		t.Fatal("no control plane: add func TestMain(m *testing.M) { os.Exit(kit.Main(m)) }")
	}
	cp, err := Attach(t.Context(), url)
	if err != nil {
		t.Fatalf("control plane: %v", err)
	}
	cp.Shared = url != os.Getenv(envOwner) || cp.AuditLog == ""
	return cp
}

// Attach returns the control plane of the supervisor at url, waiting until it
// has started.
func Attach(ctx context.Context, url string) (*ControlPlane, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	body, err := call(req)
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{Shared: true}
	if err := json.Unmarshal(body, cp); err != nil {
		return nil, fmt.Errorf("read the supervisor's answer: %w", err)
	}
	return cp, nil
}

// Halt stops the control plane of the supervisor at url, and the supervisor.
// It returns when everything has ended and every file is removed.
func Halt(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, url, nil)
	if err != nil {
		return err
	}
	_, err = call(req)
	return err
}

func call(req *http.Request) ([]byte, error) {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(strings.TrimSpace(string(body)))
	}
	return body, nil
}

// Supervisor is a child process that starts a control plane when asked and
// stops it when told or when its parent is gone.
type Supervisor struct {
	// URL is its address, for [Attach] and [Halt].
	URL string
	// Pid is its process id.
	Pid   int
	cmd   *exec.Cmd
	stdin io.Closer
}

// Spawn starts this program once more as a supervisor. The program's main, or
// TestMain, must call [Supervise] when [Supervising] says so.
func Spawn(opts Options) (*Supervisor, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	if opts.Kubeconfig != "" {
		if opts.Kubeconfig, err = filepath.Abs(opts.Kubeconfig); err != nil {
			return nil, fmt.Errorf("find the kubeconfig: %w", err)
		}
	}
	data, err := json.Marshal(opts)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), envSupervise+"="+string(data))
	cmd.Stderr = os.Stderr
	if opts.LogFile != "" {
		log, err := os.Create(opts.LogFile)
		if err != nil {
			return nil, fmt.Errorf("start the supervisor: %w", err)
		}
		defer log.Close()
		cmd.Stderr = log
	}
	// Ctrl-C at the terminal must reach the tests, not the supervisor.
	ownSession(cmd)
	return spawn(cmd)
}

func spawn(cmd *exec.Cmd) (*Supervisor, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	if err = cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stdin.Close()
		return nil, fmt.Errorf("start the supervisor: no address: %w", errors.Join(err, cmd.Wait()))
	}
	return &Supervisor{URL: strings.TrimSpace(url), Pid: cmd.Process.Pid, cmd: cmd, stdin: stdin}, nil
}

// Stop ends the supervisor and waits until it has stopped what it started.
func (s *Supervisor) Stop() error {
	s.stdin.Close()
	// A supervisor that hangs must not hang the tests.
	kill := time.AfterFunc(30*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("stop the control plane: %w", err)
	}
	return nil
}
