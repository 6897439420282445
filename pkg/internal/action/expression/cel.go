// SPDX-License-Identifier: Apache-2.0

// Package expression has expressions in CEL evaluated by a child process: the library
// is linked by Program alone.
//
// The child reads requests from its standard input and answers each on its
// standard output, in order, every one a line of JSON. It ends with its input.
package expression

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	apijson "k8s.io/apimachinery/pkg/util/json"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// Program is the binary that evaluates expressions, with the subcommand Verb.
const (
	Program = "kubectl-timoni-mod"
	Verb    = "cel"
)

// request asks whether an expression is true of an object, or without an object
// whether it can be compiled.
type request struct {
	Expression string          `json:"expression"`
	Object     json.RawMessage `json:"object,omitempty"`
}

// answer to a request.
type answer struct {
	Holds bool   `json:"holds"`
	Lack  string `json:"lack,omitempty"`
	Error string `json:"error,omitempty"`
}

// Evaluator evaluates expressions about single objects.
type Evaluator interface {
	// Compile returns what is wrong with an expression.
	Compile(expression string) error
	// Holds says whether an expression is true of an object. When the object has
	// not all that the expression asks for, it does not hold, and lack says what
	// is missing.
	Holds(expression string, object api.Object) (holds bool, lack string, err error)
}

// Serve answers requests until the input ends.
func Serve(in io.Reader, out io.Writer, e Evaluator) error {
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q request
		err := decoder.Decode(&q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if err = encoder.Encode(reply(e, q)); err != nil {
			return err
		}
	}
}

func reply(e Evaluator, q request) answer {
	if q.Object == nil {
		if err := e.Compile(q.Expression); err != nil {
			return answer{Error: err.Error()}
		}
		return answer{}
	}
	var object api.Object
	if err := apijson.Unmarshal(q.Object, (*map[string]any)(&object)); err != nil {
		return answer{Error: err.Error()}
	}
	holds, lack, err := e.Holds(q.Expression, object)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Holds: holds, Lack: lack}
}
