// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// Child is an Evaluator that asks a child process. It is not safe for
// concurrent use.
type Child struct {
	cmd         *exec.Cmd
	stdin       io.Closer
	requests    *json.Encoder
	answers     *json.Decoder
	stderr      *bytes.Buffer
	stop        context.CancelFunc
	interrupted func() error // why the caller no longer wants an answer
}

// Start starts the child: the binary at a path, which is killed when ctx is
// over. The caller has to Close it.
func Start(ctx context.Context, path string) (*Child, error) {
	alive, stop := context.WithCancel(ctx)
	c := &Child{
		cmd: exec.CommandContext(alive, path, Verb), stderr: new(bytes.Buffer), stop: stop,
		interrupted: func() error { return context.Cause(ctx) },
	}
	c.cmd.Stderr = c.stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		stop()
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		stop()
		return nil, err
	}
	c.stdin, c.requests, c.answers = stdin, json.NewEncoder(stdin), json.NewDecoder(stdout)
	return c, nil
}

// Close ends the child. It has nothing to lose.
func (c *Child) Close() {
	c.stop()
	_ = c.cmd.Wait()
}

// Compile returns what is wrong with an expression: a usage error.
func (c *Child) Compile(expression string) error {
	a, err := c.ask(request{Expression: expression})
	if err != nil {
		return err
	}
	if a.Error != "" {
		return fail.Usagef("%s", a.Error)
	}
	return nil
}

// Holds says whether an expression is true of an object, and if not, what the
// object lacks.
func (c *Child) Holds(expression string, object api.Object) (holds bool, lack string, err error) {
	text, err := json.Marshal(object)
	if err != nil {
		return false, "", err
	}
	a, err := c.ask(request{expression, text})
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	return a.Holds, a.Lack, err
}

func (c *Child) ask(q request) (answer, error) {
	var a answer
	err := c.requests.Encode(q)
	if err == nil {
		err = c.answers.Decode(&a)
	}
	if err == nil {
		return a, nil
	}
	if cause := c.interrupted(); cause != nil {
		return a, cause
	}
	return a, c.failure(err)
}

// failure returns why the child did not answer: in its own words, if it had any.
func (c *Child) failure(err error) error {
	_ = c.stdin.Close()
	if ended := c.cmd.Wait(); ended != nil {
		err = ended
	}
	said, _, _ := strings.Cut(strings.TrimPrefix(c.stderr.String(), "error: "), "\n")
	if said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return fail.Hint(fmt.Errorf("evaluate CEL with %s: %w", c.cmd.Path, err),
		"%s has to be of the same version: install the whole set again", Program)
}
