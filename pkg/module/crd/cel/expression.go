// SPDX-License-Identifier: Apache-2.0

package cel

import (
	"errors"
	"fmt"
	"strings"

	library "github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// self is the name under which an expression knows the object, as in the
// validation rules of a CustomResourceDefinition.
const self = "self"

// Expressions evaluates expressions about single objects, with the functions and
// the limit of cost that the API server has for them. The fields of the object
// have no declared types. It is not safe for concurrent use.
type Expressions struct {
	env      *library.Env
	compiled map[string]library.Program
}

// NewExpressions returns Expressions that knows none yet.
func NewExpressions() (*Expressions, error) {
	set, err := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        []library.EnvOption{library.Variable(self, library.DynType)},
	})
	if err != nil {
		return nil, err
	}
	env, err := set.Env(environment.NewExpressions)
	if err != nil {
		return nil, err
	}
	return &Expressions{env: env, compiled: map[string]library.Program{}}, nil
}

// Compile returns what is wrong with an expression: its syntax, its types, or
// that it is not true or false.
func (e *Expressions) Compile(expression string) error {
	_, err := e.compile(expression)
	return err
}

func (e *Expressions) compile(expression string) (library.Program, error) {
	if program, known := e.compiled[expression]; known {
		return program, nil
	}
	ast, issues := e.env.Compile(expression)
	if issues.Err() != nil {
		var problems []string
		for _, p := range issues.Errors() {
			problems = append(problems, fmt.Sprintf("column %d: %s", p.Location.Column()+1, p.Message))
		}
		return nil, errors.New(strings.Join(problems, "; "))
	}
	if t := ast.OutputType(); !t.IsExactType(library.BoolType) && !t.IsExactType(library.DynType) {
		return nil, fmt.Errorf("it gives %s and not true or false", t)
	}
	program, err := e.env.Program(ast)
	if err != nil {
		return nil, err
	}
	e.compiled[expression] = program
	return program, nil
}

// Holds says whether an expression is true of an object. When the object has
// not all that the expression asks for, it does not hold, and lack says what is
// missing.
func (e *Expressions) Holds(expression string, object api.Object) (holds bool, lack string, err error) {
	program, err := e.compile(expression)
	if err != nil {
		return false, "", err
	}
	result, _, err := program.Eval(map[string]any{self: map[string]any(object)})
	if err != nil && isMissing(err) {
		return false, err.Error(), nil
	}
	if err != nil {
		return false, "", err
	}
	holds, isBool := result.Value().(bool)
	if !isBool {
		return false, "", fmt.Errorf("it gives %s and not true or false", result.Type().TypeName())
	}
	return holds, "", nil
}

// isMissing says whether an expression asked for a field or an item that is not
// there. The library has no exported type for it.
func isMissing(err error) bool {
	return strings.HasPrefix(err.Error(), "no such key: ") || strings.HasPrefix(err.Error(), "index out of bounds: ")
}
