// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// job is a program that runs in parallel to the script. Unlike testscript's own
// background programs it can be asked what it has printed, signalled with
// SIGTERM, and held to an exit code and a time.
type job struct {
	cmd            *exec.Cmd
	stdout, stderr output
	signalled      time.Time // or started
	ended          time.Time
	err            error
	done           chan struct{} // closed when ended and err are set
}

// output is a buffer that may be read while a program writes to it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the buffer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// String returns what has been written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// start runs a program in parallel to the script.
func start(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "start JOB PROGRAM [ARG...]")
	s := current(ts)
	if _, ok := s.jobs[args[0]]; ok {
		ts.Fatalf("there is a job %s", args[0])
	}
	path, err := lookPath(args[1], ts.Getenv("PATH"))
	ts.Check(err)
	j := &job{done: make(chan struct{})}
	j.cmd = exec.Command(path, args[2:]...)
	j.cmd.Dir = ts.MkAbs(".")
	j.cmd.Env = s.environ(ts)
	j.cmd.Stdout, j.cmd.Stderr = &j.stdout, &j.stderr
	j.signalled = time.Now()
	ts.Check(j.cmd.Start())
	go func() {
		j.err = j.cmd.Wait()
		j.ended = time.Now()
		close(j.done)
	}()
	s.jobs[args[0]] = j
}

// lookPath finds a program on the script's PATH, which is not the test's.
func lookPath(name, path string) (string, error) {
	if filepath.Base(name) != name {
		return name, nil
	}
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// environ returns the script's environment: testscript tells the values, but
// not the names, so a name that setup does not know goes with
// start JOB env NAME=VALUE PROGRAM.
func (s *script) environ(ts *testscript.TestScript) []string {
	env := []string{"PWD=" + ts.MkAbs(".")}
	for _, name := range s.variables {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

func find(ts *testscript.TestScript, name string) *job {
	j, ok := current(ts).jobs[name]
	if !ok {
		ts.Fatalf("there is no job %s", name)
	}
	return j
}

// expect waits until a job has printed something.
func expect(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 3, "expect JOB stdout|stderr REGEXP")
	j := find(ts, args[0])
	stream, ok := map[string]*output{"stdout": &j.stdout, "stderr": &j.stderr}[args[1]]
	if !ok {
		ts.Fatalf("unknown stream %q", args[1])
	}
	re, err := regexp.Compile("(?m)" + args[2])
	ts.Check(err)
	limit, err := time.ParseDuration(patience)
	ts.Check(err)
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !re.MatchString(stream.String()) {
		select {
		case <-tick.C:
		case <-j.done:
			if !re.MatchString(stream.String()) {
				ts.Fatalf("%s ended without printing %s: %v\n%s%s", args[0], args[2], j.err, j.stdout.String(), j.stderr.String())
			}
		case <-deadline:
			ts.Fatalf("%s did not print %s\n%s%s", args[0], args[2], j.stdout.String(), j.stderr.String())
		}
	}
}

// sendSignal sends a signal to a job.
func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "signal INT|TERM|KILL JOB")
	j := find(ts, args[1])
	sig, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %q", args[0])
	}
	j.signalled = time.Now()
	ts.Check(j.cmd.Process.Signal(sig))
}

// finish waits for a job, which must exit with a given code, and when a
// duration is given within that time of its start or of the last signal to it.
func finish(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, "finish CODE JOB [DURATION]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	limit, err := time.ParseDuration(strings.Join(append(args[2:], patience)[:1], ""))
	ts.Check(err)
	j := find(ts, args[1])
	select {
	case <-j.done:
	case <-time.After(limit):
		ts.Fatalf("%s has not ended in %s", args[1], limit)
	}
	delete(current(ts).jobs, args[1])
	_, _ = ts.Stdout().Write([]byte(j.stdout.String()))
	_, _ = ts.Stderr().Write([]byte(j.stderr.String()))
	got, err := exitCode(j.err)
	ts.Check(err)
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", args[1], got, want)
	}
	if took := j.ended.Sub(j.signalled); len(args) > 2 && took > limit {
		ts.Fatalf("%s ended %s after the signal, want %s", args[1], took.Round(time.Millisecond), limit)
	}
}

// killJobs ends what the script left running.
func (s *script) killJobs() {
	for _, j := range s.jobs {
		if err := j.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.t.Log(err)
		}
		<-j.done
	}
}
