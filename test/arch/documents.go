// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	// heading is a heading of Markdown, and numbered what sections and decisions
	// of docs/design.md and docs/interop.md begin with.
	heading  = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
	numbered = regexp.MustCompile(`(?m)^(## )?(\d+)\. `)

	// citation names a document of the repository in a comment, with a section or
	// a decision. The spaces may hold the end of a line of comment.
	citation = regexp.MustCompile(`\bdocs/[\w/-]+\.md(?:,?\s+(section|decision)\s+(\d+))?`)
	// foreign is the name of a document that lies outside of the repository.
	foreign = regexp.MustCompile(`\b(?:DESIGN|INTEROP|SAFETY|STYLE|CONTROLPLANE)\.md`)
	// link is the target of a link in Markdown.
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	code        = regexp.MustCompile("(?s)```.*?\n```|`[^`\n]*`")
)

// document is what can be cited of a file.
type document struct {
	sections, decisions map[string]bool
	anchors             map[string]bool
}

// checkDocuments reports citations of documents, sections, decisions and
// anchors that do not exist.
func checkDocuments(files []File) []Finding {
	known := map[string]document{}
	for _, f := range files {
		known[f.Path] = document{}
		if path.Ext(f.Path) == ".md" {
			known[f.Path] = readDocument(f.Source)
		}
	}
	all := checkMap(files)
	for _, f := range files {
		switch {
		case isTestdata(f.Path):
		case path.Ext(f.Path) == ".md":
			all = append(all, checkLinks(f, known)...)
		case path.Ext(f.Path) == ".go" && !strings.HasPrefix(f.Path, "test/arch/"):
			all = append(all, checkCitations(f, known)...)
		}
	}
	return all
}

// checkMap reports pages of docs that its map does not name.
func checkMap(files []File) []Finding {
	const name = "docs/README.md"
	i := slices.IndexFunc(files, func(f File) bool { return f.Path == name })
	if i < 0 {
		return nil
	}
	var all []Finding
	for _, f := range files {
		if dir, page := path.Split(f.Path); dir == "docs/" && path.Ext(page) == ".md" && f.Path != name &&
			!strings.Contains(files[i].Source, "]("+page+")") {
			all = append(all, Finding{f.Path, 1, "map", name + " has no link to it"})
		}
	}
	return all
}

func readDocument(source string) document {
	d := document{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, m := range numbered.FindAllStringSubmatch(source, -1) {
		if m[1] != "" {
			d.sections[m[2]] = true
		} else {
			d.decisions[m[2]] = true
		}
	}
	for _, m := range heading.FindAllStringSubmatch(source, -1) {
		d.anchors[anchor(m[1])] = true
	}
	return d
}

// anchor returns the anchor that GitHub gives to a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

func checkCitations(f File, known map[string]document) []Finding {
	text := comments(f.Source)
	report := func(offset int, format string) Finding {
		return Finding{f.Path, 1 + strings.Count(f.Source[:offset], "\n"), "document", format}
	}
	var all []Finding
	for _, m := range foreign.FindAllStringIndex(text, -1) {
		all = append(all, report(m[0], "cites "+text[m[0]:m[1]]+", which is not in the repository"))
	}
	for _, m := range citation.FindAllStringSubmatchIndex(text, -1) {
		cited := text[m[0]:m[1]]
		name, _, _ := strings.Cut(cited, ".md")
		d, ok := known[name+".md"]
		switch {
		case !ok:
			all = append(all, report(m[0], "cites "+name+".md, which does not exist"))
		case m[2] < 0:
		case text[m[2]:m[3]] == "section" && !d.sections[text[m[4]:m[5]]],
			text[m[2]:m[3]] == "decision" && !d.decisions[text[m[4]:m[5]]]:
			all = append(all, report(m[0], "cites "+strings.Join(strings.Fields(cited), " ")+", which does not exist"))
		}
	}
	return all
}

// comments returns a source in which all but the text of its comments is
// blank. The offsets stay.
func comments(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		before, text, found := strings.Cut(line, "//")
		if !found {
			b.WriteString(strings.Repeat(" ", len(line)))
			continue
		}
		b.WriteString(strings.Repeat(" ", len(before)+len("//")))
		b.WriteString(strings.ReplaceAll(text, "\n", " "))
	}
	return b.String()
}

// checkLinks reports links in a page to files and anchors that do not exist.
func checkLinks(f File, known map[string]document) []Finding {
	var all []Finding
	text := code.ReplaceAllStringFunc(f.Source, func(s string) string { // code is no link
		return strings.Repeat(" ", len(s)-strings.Count(s, "\n")) + strings.Repeat("\n", strings.Count(s, "\n"))
	})
	for _, m := range link.FindAllStringSubmatchIndex(text, -1) {
		target := text[m[2]:m[3]]
		if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		name, fragment, _ := strings.Cut(target, "#")
		page := f.Path
		if name != "" {
			page = path.Join(path.Dir(f.Path), name)
		}
		d, ok := known[page]
		if !ok && !isDirectory(page, known) || fragment != "" && !d.anchors[fragment] {
			line := 1 + strings.Count(text[:m[0]], "\n")
			all = append(all, Finding{f.Path, line, "link", target + " does not exist"})
		}
	}
	return all
}

func isDirectory(name string, known map[string]document) bool {
	for other := range known {
		if strings.HasPrefix(other, strings.TrimSuffix(name, "/")+"/") {
			return true
		}
	}
	return false
}
