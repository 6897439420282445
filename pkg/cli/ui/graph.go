// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Graph is a directed graph to be drawn.
type Graph struct {
	Name  string
	Title string // empty when it is the only one
	Nodes []GraphNode
}

// GraphNode is a node of a graph.
type GraphNode struct {
	Name  string
	Lines []string // of its label
	From  []string // the names of the nodes before it
}

// GraphFormats are the formats in which graphs are drawn.
func GraphFormats() []string { return []string{"mermaid", "dot"} }

// DrawGraphs writes graphs, all of them as one picture, in a format.
func DrawGraphs(w io.Writer, format string, graphs []Graph) error {
	syntax := mermaid()
	if format == "dot" {
		syntax = dot()
	}
	var b strings.Builder
	fmt.Fprintf(&b, syntax.begin, syntax.escape.Replace(graphs[0].Name))
	for i, g := range graphs {
		if g.Title != "" {
			fmt.Fprintf(&b, syntax.group, i, syntax.escape.Replace(g.Title))
		}
		for k, n := range g.Nodes {
			lines := make([]string, len(n.Lines))
			for j, line := range n.Lines {
				lines[j] = syntax.escape.Replace(line)
			}
			fmt.Fprintf(&b, syntax.node, i, k, strings.Join(lines, syntax.newline))
		}
		g.edges(func(from, to int) { fmt.Fprintf(&b, syntax.edge, i, from, i, to) })
		if g.Title != "" {
			b.WriteString(syntax.endGroup)
		}
	}
	return Print(w, b.String()+syntax.end)
}

// graphSyntax is how a format writes what a graph consists of.
type graphSyntax struct {
	begin, group, node, edge, endGroup, end string // formats, in this order

	newline string // within a label
	escape  *strings.Replacer
}

func mermaid() graphSyntax {
	return graphSyntax{
		begin: "graph LR\n%.0s", group: "  subgraph g%d[\"%s\"]\n", node: "  g%dn%d[\"%s\"]\n", edge: "  g%dn%d --> g%dn%d\n", endGroup: "  end\n",
		// A # begins one of mermaid's own entities, and %% a comment or, within a
		// label too, a directive that changes the whole picture.
		newline: "<br/>", escape: strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;", "#", "#35;", "%%", "#37;#37;", "\n", " ", "\r", " "),
	}
}

func dot() graphSyntax {
	return graphSyntax{
		begin: "digraph \"%s\" {\n  rankdir=LR\n  node [shape=box]\n", group: "  subgraph cluster_%d {\n  label=\"%s\"\n",
		node: "  g%dn%d [label=\"%s\"]\n", edge: "  g%dn%d -> g%dn%d\n", endGroup: "  }\n", end: "}\n",
		newline: `\n`, escape: strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`),
	}
}

// edges calls draw for each edge between two nodes that the graph has.
func (g Graph) edges(draw func(from, to int)) {
	for to, n := range g.Nodes {
		for _, name := range n.From {
			if from := slices.IndexFunc(g.Nodes, func(n GraphNode) bool { return n.Name == name }); from >= 0 {
				draw(from, to)
			}
		}
	}
}
