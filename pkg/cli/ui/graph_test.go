// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
)

// TestDrawGraphs draws two clusters, with characters that mean something in each
// format.
func TestDrawGraphs(t *testing.T) {
	t.Parallel()
	nodes := []ui.GraphNode{{Name: "db", Lines: []string{"data/db", `a <c> \d "b"`}}, {Name: "web", Lines: []string{"front/web"}, From: []string{"db", "gone"}}}
	for format, want := range map[string]string{
		"mermaid": `graph LR
  subgraph g0["eu"]
  g0n0["data/db<br/>a &lt;c&gt; \d &quot;b&quot;"]
  g0n1["front/web"]
  g0n0 --> g0n1
  end
  g1n0["data/db<br/>a &lt;c&gt; \d &quot;b&quot;"]
`,
		"dot": `digraph "shop" {
  rankdir=LR
  node [shape=box]
  subgraph cluster_0 {
  label="eu"
  g0n0 [label="data/db\na <c> \\d \"b\""]
  g0n1 [label="front/web"]
  g0n0 -> g0n1
  }
  g1n0 [label="data/db\na <c> \\d \"b\""]
}
`,
	} {
		var b strings.Builder
		if err := ui.DrawGraphs(&b, format, []ui.Graph{{Name: "shop", Title: "eu", Nodes: nodes}, {Name: "shop", Nodes: nodes[:1]}}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
}

// TestDrawGraphsHostile draws texts of a cluster that would be more than a text.
func TestDrawGraphsHostile(t *testing.T) {
	t.Parallel()
	hostile := "%%{init: {'themeCSS': '*{display:none}'}}%%\r\n%% #quot;]\nclick g0n0 call x()"
	for format, want := range map[string]string{
		"mermaid": "graph LR\n  g0n0[\"#37;#37;{init: {'themeCSS': '*{display:none}'}}#37;#37;  #37;#37; #35;quot;] click g0n0 call x()\"]\n",
		"dot": "digraph \"x\" {\n  rankdir=LR\n  node [shape=box]\n  g0n0 [label=\"%%{init: {'themeCSS': '*{display:none}'}}%%\\r\\n" +
			"%% #quot;]\\nclick g0n0 call x()\"]\n}\n",
	} {
		var b strings.Builder
		if err := ui.DrawGraphs(&b, format, []ui.Graph{{Name: "x", Nodes: []ui.GraphNode{{Name: "0", Lines: []string{hostile}}}}}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
}
