// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
)

// Supervising reports whether this process was started by [Spawn].
func Supervising() bool { return os.Getenv(envSupervise) != "" }

// Program is the main function of a program that starts control planes, or the
// supervisor of one: it calls run until it ends, or until an interrupt does. It
// returns the exit code.
func Program(run func(context.Context) error) int {
	if Supervising() {
		return Supervise()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

// supervisor answers at a loopback address: GET starts the control plane and
// describes it, DELETE ends it.
type supervisor struct {
	wanted  func()          // tests need a control plane
	end     func()          // the supervisor is to end
	ready   chan struct{}   // closed when cp or err is set
	stopped chan struct{}   // closed when nothing is left
	ctx     context.Context // done when the supervisor is to end
	cp      *ControlPlane
	err     error
}

// Supervise is the main function of a supervisor. It returns the exit code.
func Supervise() int {
	// The kernel kills the children when the thread that started them ends
	// (see guard); a locked thread lives as long as this function.
	runtime.LockOSThread()
	if err := superviseAs(os.Getenv(envSupervise)); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

func superviseAs(options string) error {
	var opts Options
	if err := json.Unmarshal([]byte(options), &opts); err != nil {
		return fmt.Errorf("read the supervisor's options: %w", err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if !opts.Detached {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	wanted := make(chan struct{})
	s := &supervisor{
		wanted:  sync.OnceFunc(func() { close(wanted) }),
		end:     cancel,
		ready:   make(chan struct{}),
		stopped: make(chan struct{}),
		ctx:     ctx,
	}
	server, url, err := s.listen()
	if err != nil {
		return err
	}
	fmt.Println(url)
	os.Stdout.Close()
	select {
	case <-wanted:
		err = s.run(opts)
	case <-ctx.Done():
	}
	close(s.stopped)
	// The caller that asked for the end learns that it came.
	grace, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	return errors.Join(err, server.Shutdown(grace))
}

// listen serves s at a free loopback port, under a path that cannot be guessed
// by other users of the machine.
func (s *supervisor) listen() (*http.Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	path := "/" + rand.Text()
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, s.describe)
	mux.HandleFunc("DELETE "+path, s.halt)
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	return server, "http://" + l.Addr().String() + path, nil
}

func (s *supervisor) describe(w http.ResponseWriter, r *http.Request) {
	s.wanted()
	select {
	case <-s.ready:
	case <-s.ctx.Done():
		http.Error(w, "the control plane is stopping", http.StatusServiceUnavailable)
		return
	case <-r.Context().Done():
		return
	}
	if s.err != nil {
		http.Error(w, s.err.Error(), http.StatusServiceUnavailable)
		return
	}
	_ = json.NewEncoder(w).Encode(s.cp)
}

func (s *supervisor) halt(http.ResponseWriter, *http.Request) {
	s.end()
	<-s.stopped
}

// run keeps a control plane until the supervisor is to end.
func (s *supervisor) run(opts Options) error {
	st := &stack{log: os.Stderr}
	s.cp, s.err = st.up(s.ctx, opts)
	close(s.ready)
	if s.err == nil || !opts.Detached {
		<-s.ctx.Done()
	}
	return st.down()
}

// up builds what is missing and starts everything. What it started before an
// error is left for down.
func (st *stack) up(ctx context.Context, opts Options) (*ControlPlane, error) {
	bin, err := controlplane.Binaries(ctx, st.log)
	if err != nil {
		return nil, err
	}
	st.bin = bin
	if opts.Previous {
		st.bare = true
		if st.bin.APIServer, err = controlplane.Extra(ctx, "kube-apiserver-previous", st.log); err != nil {
			return nil, err
		}
	}
	if st.dir, err = os.MkdirTemp("", "kubectl-timoni-kit-"); err != nil {
		return nil, fmt.Errorf("create a directory: %w", err)
	}
	if opts.Kubeconfig != "" {
		return st.external(ctx, opts.Kubeconfig)
	}
	return st.start(ctx)
}
