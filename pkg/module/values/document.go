// SPDX-License-Identifier: Apache-2.0

package values

import (
	"fmt"
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

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/order"
)

// A few lines of YAML can stand for billions of values, or for themselves.
const (
	maxAliased = 50_000 // values that aliases stand for
	maxMerged  = 10_000 // fields that merge keys stand for; each is compared with the others
	maxDepth   = 500    // maps and lists within each other
)

// NodeError is an error about a place of a YAML document.
type NodeError struct {
	Line, Column int
	Message      string
}

// Error returns the message and the place.
func (e *NodeError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// CheckNode refuses a document that stands for more than it may, or for what
// contains it. The time that it takes depends on the document alone, not on
// what it stands for.
func CheckNode(n *yamlnode.Node) *NodeError {
	d := document{sizes: map[*yamlnode.Node]int{}}
	return d.check(n, 0)
}

// document holds what is known about a document.
type document struct {
	sizes           map[*yamlnode.Node]int // what each anchored value comes to, 0 while it is counted
	aliased, merged int
}

func (d *document) check(n *yamlnode.Node, depth int) *NodeError {
	if depth > maxDepth {
		return refuse(n, "more than %d maps and lists within each other", maxDepth)
	}
	if n.Kind == yamlnode.AliasNode {
		return d.use(n, &d.aliased, maxAliased)
	}
	for i, child := range n.Content {
		var err *NodeError
		if n.Kind == yamlnode.MappingNode && i%2 == 1 && isMergeKey(n.Content[i-1]) {
			err = d.use(child, &d.merged, maxMerged)
		} else {
			err = d.check(child, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// use adds what a value comes to to a sum.
func (d *document) use(n *yamlnode.Node, sum *int, most int) *NodeError {
	size, err := d.size(n, 0)
	if err != nil {
		return err
	}
	if *sum += size; *sum > most {
		return refuse(n, "aliases and merge keys stand for more than %d values", most)
	}
	return nil
}

// size returns how many values a node comes to with its aliases replaced.
func (d *document) size(n *yamlnode.Node, depth int) (int, *NodeError) {
	if size, ok := d.sizes[n]; ok {
		if size == 0 {
			return 0, refuse(n, "a value that contains itself")
		}
		return size, nil
	}
	if depth > maxDepth {
		return 0, refuse(n, "more than %d maps and lists within each other", maxDepth)
	}
	d.sizes[n] = 0
	children := n.Content
	if n.Kind == yamlnode.AliasNode {
		children = []*yamlnode.Node{n.Alias}
	}
	sum := 1
	for _, child := range children {
		size, err := d.size(child, depth+1)
		if err != nil {
			return 0, err
		}
		sum = min(sum+size, maxAliased+1)
	}
	d.sizes[n] = sum
	return sum, nil
}

func isMergeKey(n *yamlnode.Node) bool {
	return n.Kind == yamlnode.ScalarNode && n.Value == "<<" && (n.Tag == "" || n.Tag == "!" || n.ShortTag() == "!!merge")
}

func refuse(n *yamlnode.Node, format string, args ...any) *NodeError {
	return &NodeError{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// checkYAML refuses what CUE's decoder (v0.17.1) does not end on, or only after
// minutes. A document that is no YAML is left to the decoder.
func (s Source) checkYAML() error {
	decoder := yamlnode.NewDecoder(strings.NewReader(string(s.Data)))
	for {
		var doc yamlnode.Node
		if decoder.Decode(&doc) != nil {
			return nil //nolint:nilerr // the decoder of CUE says what is wrong
		}
		if err := CheckNode(&doc); err != nil {
			return s.errorf(err.Line, err.Column, "%s", err.Message)
		}
	}
}

// checkLiterals refuses numbers that JSON and Kubernetes do not have, and mends
// those of YAML that CUE's decoder (v0.17.1) writes as no literal is written. It
// refuses names that CUE would change without a word.
func checkLiterals(lit *ast.StructLit) error {
	var problem errors.Error
	negative := map[ast.Node]bool{}
	ast.Walk(lit, func(n ast.Node) bool {
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
