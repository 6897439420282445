// SPDX-License-Identifier: Apache-2.0

// Package document refuses documents of YAML that stand for more than they say.
package document

import (
	"fmt"

	yamlnode "go.yaml.in/yaml/v3"
)

// A few lines of YAML can stand for billions of values, or for themselves.
const (
	maxAliased = 50_000 // values that aliases stand for
	maxMerged  = 10_000 // fields that merge keys stand for; each is compared with the others
	maxDepth   = 500    // maps and lists within each other
)

// Error is an error about a place of a YAML document.
type Error struct {
	Line, Column int
	Message      string
}

// Error returns the message and the place.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Check refuses a document that stands for more than it may, or for what
// contains it. The time that it takes depends on the document alone, not on
// what it stands for.
func Check(n *yamlnode.Node) *Error {
	d := document{sizes: map[*yamlnode.Node]int{}}
	return d.check(n, 0)
}

// document holds what is known about a document.
type document struct {
	sizes           map[*yamlnode.Node]int // what each anchored value comes to, 0 while it is counted
	aliased, merged int
}

func (d *document) check(n *yamlnode.Node, depth int) *Error {
	if depth > maxDepth {
		return refuse(n, "more than %d maps and lists within each other", maxDepth)
	}
	if n.Kind == yamlnode.AliasNode {
		return d.use(n, &d.aliased, maxAliased)
	}
	for i, child := range n.Content {
		var err *Error
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
func (d *document) use(n *yamlnode.Node, sum *int, most int) *Error {
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
func (d *document) size(n *yamlnode.Node, depth int) (int, *Error) {
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

func refuse(n *yamlnode.Node, format string, args ...any) *Error {
	return &Error{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}
