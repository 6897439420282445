// SPDX-License-Identifier: Apache-2.0

package values

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"
	yamlnode "go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/document"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
)

// checkYAML refuses what CUE's decoder (v0.17.1) does not end on, or only after
// minutes. A document that is no YAML is left to the decoder.
func (s Source) checkYAML() error {
	decoder := yamlnode.NewDecoder(strings.NewReader(string(s.Data)))
	for {
		var doc yamlnode.Node
		if decoder.Decode(&doc) != nil {
			return nil //nolint:nilerr // the decoder of CUE says what is wrong
		}
		if err := document.Check(&doc); err != nil {
			return s.errorf(err.Line, err.Column, "%s", err.Message)
		}
	}
}

// checkLiterals refuses numbers that JSON and Kubernetes do not have, and mends
// those of YAML that CUE's decoder (v0.17.1) writes as no literal is written. It
// refuses names that CUE would change without a word.
func checkLiterals(data ast.Expr) error {
	var problem errors.Error
	negative := map[ast.Node]bool{}
	ast.Walk(data, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.UnaryExpr:
			negative[n.X] = n.Op == token.SUB
		case *ast.Field:
			if name := order.LabelName(n.Label); problem == nil && !norm.NFC.IsNormalString(name) {
				problem = errors.Newf(n.Label.Pos(), "values: the name %q would become %q: write it in the normal form C of Unicode", name, norm.NFC.String(name))
			}
		case *ast.BasicLit:
			if message := checkNumber(n, negative[n]); message != "" && problem == nil {
				problem = errors.Newf(n.Pos(), "values: %s", message)
			}
		}
		return problem == nil
	}, nil)
	if problem == nil {
		return nil
	}
	return Explain(problem)
}

// checkNumber returns what is wrong with a number, "" for any other literal.
func checkNumber(lit *ast.BasicLit, negative bool) string {
	if lit.Kind != token.INT && lit.Kind != token.FLOAT {
		return ""
	}
	if whole, ok := strings.CutPrefix(lit.Value, "number & "); ok { // !!float 3
		lit.Kind, lit.Value = token.INT, whole
	}
	var info literal.NumInfo
	if err := literal.ParseNum(lit.Value, &info); err != nil {
		return "the number is not finite, or is not written as a number"
	}
	if !info.IsInt() {
		if f, err := strconv.ParseFloat(strings.ReplaceAll(lit.Value, "_", ""), 64); err == nil || !math.IsInf(f, 0) {
			return ""
		}
		return "the number does not fit into 64 bits"
	}
	value, ok := new(big.Int).SetString(lit.Value, 0)
	if ok && negative {
		value.Neg(value)
	}
	if !ok || value.IsInt64() || value.IsUint64() { // not ok: with a multiplier, as 1Ki
		return ""
	}
	return "the integer does not fit into 64 bits; as a string it needs quotes"
}
