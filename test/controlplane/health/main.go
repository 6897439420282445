// SPDX-License-Identifier: Apache-2.0

// Command health judges objects by health checks in the languages of Argo CD
// and Flux, with the interpreters that these use. It reads one request from its
// standard input and prints a list of verdicts, one for each object.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	lua "github.com/yuin/gopher-lua"
)

// request holds either a script in Lua or expressions in CEL.
type request struct {
	Lua                         string
	InProgress, Failed, Current string
	Objects                     []map[string]any
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	var req request
	if err := json.NewDecoder(os.Stdin).Decode(&req); err != nil {
		return err
	}
	judge := req.lua
	if req.Lua == "" {
		judge = req.cel
	}
	var verdicts []string
	for _, o := range req.Objects {
		verdict, err := judge(o)
		if err != nil {
			return err
		}
		verdicts = append(verdicts, verdict)
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

// lua runs the script as Argo CD does: obj is the object, and what the script
// returns has the field status.
func (r request) lua(o map[string]any) (string, error) {
	state := lua.NewState()
	defer state.Close()
	state.SetGlobal("obj", toLua(state, o))
	if err := state.DoString(r.Lua); err != nil {
		return "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", fmt.Errorf("the script returns a %s", state.Get(-1).Type())
	}
	return table.RawGetString("status").String(), nil
}

func toLua(state *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case float64:
		return lua.LNumber(v)
	case []any:
		table := state.NewTable()
		for _, e := range v {
			table.Append(toLua(state, e))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, e := range v {
			table.RawSetString(key, toLua(state, e))
		}
		return table
	}
	return lua.LNil
}

// cel asks the expressions in Flux's order; its documentation says that one
// that names a field that is not there makes it wait.
func (r request) cel(o map[string]any) (string, error) {
	env, err := cel.NewEnv(cel.Variable("status", cel.DynType), cel.Variable("metadata", cel.DynType), cel.Variable("spec", cel.DynType))
	if err != nil {
		return "", err
	}
	for _, c := range []struct{ verdict, expression string }{
		{"Progressing", r.InProgress}, {"Degraded", r.Failed}, {"Healthy", r.Current},
	} {
		tree, issues := env.Compile(c.expression)
		if issues.Err() != nil {
			return "", issues.Err()
		}
		program, err := env.Program(tree)
		if err != nil {
			return "", err
		}
		if out, _, err := program.Eval(o); err == nil && out.Value() == true {
			return c.verdict, nil
		}
	}
	return "Progressing", nil
}
