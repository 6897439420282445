// SPDX-License-Identifier: Apache-2.0

package printer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/tree"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/instance"
)

// Tree is the state of an instance with what its objects own.
type Tree struct {
	Object
	Module  api.Module     `json:"module"`
	State   instance.State `json:"state"`
	Ready   bool           `json:"ready"`
	Objects []TreeNode     `json:"objects"`
	Unread  []string       `json:"unread,omitempty"` // what may not be read
}

// TreeNode is an object with what it owns.
type TreeNode struct {
	Object
	Status   string      `json:"status"`
	Message  string      `json:"message,omitempty"` // why it is not ready
	Warning  string      `json:"warning,omitempty"` // the newest about it
	LogLine  string      `json:"logLine,omitempty"` // the last of the container that is to blame
	Created  string      `json:"created,omitempty"` // RFC 3339
	Parts    *tree.Ready `json:"parts,omitempty"`   // how many are ready
	Restarts *int64      `json:"restarts,omitempty"`
	Images   []string    `json:"images,omitempty"`
	Owned    []TreeNode  `json:"owned,omitempty"`
}

// TreeOf returns the result of status with a tree.
func TreeOf(r *instance.TreeReport) Tree {
	return Tree{
		Object: owned(ofInstance("InstanceTree", r.Name, r.Namespace), r.Bundle), Module: r.Module, State: r.State, Ready: r.Ready,
		Objects: convert(r.Roots, nodeOf), Unread: r.Unread,
	}
}

func nodeOf(n *tree.Node) TreeNode {
	f := n.Facts
	return TreeNode{
		Object: ofCluster(n.Object), Status: n.Status, Message: n.Reason, Warning: n.Warning, LogLine: n.LogLine,
		Created: f.Created, Parts: f.Ready, Restarts: f.Restarts, Images: f.Images, Owned: convert(n.Children, nodeOf),
	}
}

// TreeRows returns the rows of a table of a forest: each object, and below one
// that is not ready why.
func TreeRows(roots []*tree.Node) [][]string {
	var rows [][]string
	for _, n := range roots {
		rows = append(rows, treeRows(n, "", "", nil)...)
	}
	return rows
}

func treeRows(n *tree.Node, first, indent string, above []string) [][]string {
	name := n.Object.String()
	if first != "" {
		name = n.Object.Kind + "/" + n.Object.Name // in the namespace of its owner
	}
	images := ""
	if !slices.Equal(n.Facts.Images, above) {
		images = strings.Join(convert(n.Facts.Images, shortImage), ",")
	}
	rows := [][]string{{first + name, parts(n.Facts.Ready), status(n.Status), restarts(n.Facts.Restarts), Age(n.Facts.Created), images, why(n)}}
	for i, child := range n.Children {
		branch, below := "├─ ", "│  "
		if i == len(n.Children)-1 {
			branch, below = "└─ ", "   "
		}
		rows = append(rows, treeRows(child, indent+branch, indent+below, n.Facts.Images)...)
	}
	return rows
}

// shortImage returns an image with the beginning of its digest.
func shortImage(image string) string {
	const enough = len("sha256:") + 12
	name, digest, found := strings.Cut(image, "@")
	if !found || len(digest) <= enough {
		return image
	}
	return name + "@" + digest[:enough] + "…"
}

func parts(r *tree.Ready) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", r.Have, r.Want)
}

func restarts(n *int64) string {
	if n == nil {
		return ""
	}
	return fmt.Sprint(*n)
}

// status returns the word of a status that is not written as readiness is.
func status(s string) string {
	if s == "Current" {
		return "Ready"
	}
	return s
}

// why says all that is known of why an object is not ready.
func why(n *tree.Node) string {
	var texts []string
	add := func(prefix, text string) {
		if text != "" && !strings.Contains(strings.Join(texts, "; "), text) {
			texts = append(texts, prefix+text)
		}
	}
	add("", n.Reason)
	if n.Status != string(api.HealthCurrent) {
		if _, message, _ := strings.Cut(n.Warning, ": "); message == "" || !strings.Contains(n.Reason, message) {
			add("", n.Warning)
		}
		add("log: ", n.LogLine)
	}
	return strings.Join(texts, "; ")
}

// TreeGraph returns a forest as a graph, with the instance at its root.
func TreeGraph(r *instance.TreeReport) ui.Graph {
	const root = "0" // numbers name the nodes: an instance may have the name of any
	g := ui.Graph{Name: r.Name, Nodes: []ui.GraphNode{{Name: root, Lines: []string{r.Name, "in namespace " + r.Namespace}}}}
	var add func(n *tree.Node, above string)
	add = func(n *tree.Node, above string) {
		name := fmt.Sprint(len(g.Nodes))
		g.Nodes = append(g.Nodes, ui.GraphNode{Name: name, Lines: graphLines(n.Object, n), From: []string{above}})
		for _, child := range n.Children {
			add(child, name)
		}
	}
	for _, n := range r.Roots {
		add(n, root)
	}
	return g
}

func graphLines(o event.Object, n *tree.Node) []string {
	state := status(n.Status)
	if count := parts(n.Facts.Ready); count != "" {
		state += " " + count
	}
	lines := []string{o.Kind + "/" + o.Name, state}
	if text := why(n); text != "" {
		lines = append(lines, text)
	}
	return lines
}
