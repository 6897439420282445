// SPDX-License-Identifier: Apache-2.0

package values

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// syntaxError returns the error of a parser. Those of the YAML decoder have the
// place in their text. What a text that was not parsed holds is not known, so
// that nothing of it is shown: it may be a secret.
func (s Source) syntaxError(err error) error {
	p := Problems(err)[0]
	if rest, ok := strings.CutPrefix(p.Message, s.Name+":"); ok {
		line, message, _ := strings.Cut(rest, ":")
		if n, atoiErr := strconv.Atoi(line); atoiErr == nil {
			rest = message
			if yamlParserRE.MatchString(message) {
				n++ // the decoder counts the lines of these from 0
			}
			p.Positions = []token.Position{{Filename: s.Name, Line: n}}
		}
		p.Message = strings.TrimSpace(rest)
	}
	if len(p.Positions) == 0 {
		p.Positions = []token.Position{{Filename: s.Name, Line: 1}}
	}
	p.Message = mask.WordsOf(foundRE.ReplaceAllString(tidyMessage(p.Message), "$1"), string(s.Data), isParsersWord)
	if s.Secret {
		p.Message = "syntax error (the text is secret and is not shown)"
	}
	return s.unparsed(p.Message, p.Positions[0])
}

// unparsed returns an error about a place of a text of which nothing is shown.
func (s Source) unparsed(message string, at token.Position) error {
	f := finding{text: "values: " + message, places: []token.Position{at}, unparsed: true}
	return NewError([]Problem{{Message: f.text, Positions: f.places, finding: &f}})
}

// errorf is unparsed for a place that is known by its line and column.
func (s Source) errorf(line, column int, format string, args ...any) error {
	return s.unparsed(fmt.Sprintf(format, args...), token.Position{Filename: s.Name, Line: line, Column: column})
}

var yamlParserRE = regexp.MustCompile(`did not find expected (?:<|node content|'-' indicator|key|',' or)`)

// foundRE matches what CUE's parser says of a token, before the token itself.
var foundRE = regexp.MustCompile(`^(expected .*, found '\S+') .*`)

// parsersWords are the words of which the parsers of CUE, YAML and JSON make
// their messages. Any other word of a message that stands in the text may be a
// part of the text.
const parsersWords = `
	a after alias aliases allowed an anchor and and array as at attribute base64 be beginning block BOM boolean bracket
	but by byte cannot character close code collection colon comma comment contains content context control data decode
	directive directory document does duplicate during end embed EOF escape exceeds exactly expand expected expression field file
	flow float for found go had has have hexadecimal IDENT identifier illegal import in incomplete indentation indicator
	input int integer internal interpolation into invalid is its itself JSON key label leading line list literal looking
	map mapping maps mark matching maximum merge missing more multiline must name nesting newline node nodes
	non not null number object octal octet of on one operand or order over package parent parse parser parsing past plain point
	quoted read refer reference referenced required requires reserved scalar scanning sequence should simple single square
	start starting stream string STRING struct syntax tag terminated than that the to token top trailing try undefined
	unexpected unicode Unicode unknown unmarshal unmatched unquoted UTF value values version while with within without YAML yaml
`

func isParsersWord(word string) bool {
	for known := range strings.FieldsSeq(parsersWords) {
		if word == known {
			return true
		}
	}
	return false
}
