// SPDX-License-Identifier: Apache-2.0

package arch

import (
	"path"
	"regexp"
	"strings"
)

// phrase is wording that the glossary forbids, with what to say.
type phrase struct{ pattern, say string }

// phrases is the right column of docs/glossary.md, and what else readers stumble
// over. An expression matches within a line, whatever the case.
func phrases() []phrase {
	return []phrase{
		{`(?:is|are|was|were) wanted`, `"expected", "required", "requested" or "desired"`},
		{`(?:be|is|are) had|had back`, `"available", "read", "made" or "restored"`},
		{`what is known of`, `what it is: "the state of", "describes"`},
		{`vouch(?:es|ed)? for`, `"verifies", "signs"; "unverified TLS"`},
		{`who(?:ever)? (?:builds|types)|whoever|somebody|anybody`, `"the user", "the caller", "the author", "another client"`},
		{`nobody`, `"the user", "the caller", "no server" (or "the user nobody" of Unix)`},
		{`beside`, `"next to", "in addition to", "other than" or "compared with"`},
		{`(?:is|are) not there`, `"does not exist", "not found" or "is missing"`},
		{`what left the`, `"what the module no longer renders", "removed from"`},
		{`no value is given`, `"required value is missing"`},
		{`(?:has|have|are) no words`, `"is not supported"`},
		{`names no object`, `"invalid target %q: want KIND/NAME"`},
		{`(?:an?|the) \w+ is wanted`, `"expected an int, got the string …"`},
		{`surviv\w+ this input`, `"internal error"`},
		{`for want of`, `"because … is missing", "without"`},
		{`knows? nothing of`, `"ignores", "does not read"`},
		{`(?:is|are) known again`, `"identifies", "is recognized by"`},
		{`(?:to|cannot) be found out`, `"is unknown", "to determine"`},
		{`requests (?:are|may be) under way at once`, `"maximum concurrent requests"`},
		{`definitions? of (?:a kind|kinds)`, `"CRD"`},
	}
}

// unixNobody is the user that is meant where the word is allowed, and a name of Go's.
var unixNobody = regexp.MustCompile(`(?i)user nobody|nobody:|http\.NoBody`)

// checkWords holds texts to the glossary: comments, messages, scripts, pages.
func checkWords(files []File) []Finding {
	list := phrases()
	patterns := make([]string, len(list))
	for i, p := range list {
		patterns[i] = "(" + p.pattern + ")"
	}
	combined := regexp.MustCompile(`(?i)\b(?:` + strings.Join(patterns, "|") + `)\b`)
	var all []Finding
	for _, f := range files {
		if !hasWords(f.Path) {
			continue
		}
		text := unixNobody.ReplaceAllStringFunc(f.Source, func(s string) string { return strings.Repeat(" ", len(s)) })
		for _, m := range combined.FindAllStringSubmatchIndex(text, -1) {
			for i, p := range list {
				if m[2*i+2] >= 0 {
					line := 1 + strings.Count(text[:m[0]], "\n")
					all = append(all, Finding{f.Path, line, "words", `"` + text[m[0]:m[1]] + `": say ` + p.say + " (docs/glossary.md)"})
				}
			}
		}
	}
	return all
}

// hasWords reports whether people read a file. The glossary and this package
// have the phrases in order to forbid them.
func hasWords(name string) bool {
	return name != "docs/glossary.md" && path.Dir(name) != "test/arch" && path.Base(name) != "LICENSE"
}
