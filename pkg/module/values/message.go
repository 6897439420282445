// SPDX-License-Identifier: Apache-2.0

package values

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/token"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/wellknown"
)

// problem returns what alternatives of one value, found at one path, come to.
func (x *explainer) problem(group []finding) Problem {
	f := group[0]
	p := Problem{Path: f.where, Message: tidyMessage(f.text)}
	if missing := missingPackageRE.FindStringSubmatch(importFailedRE.ReplaceAllString(f.text, "")); missing != nil {
		p.Advice = wellknown.Vendor(missing[1])
	}
	at, blamed := x.blamed(f)
	path := x.pathIn(f, at, blamed)
	inValues := len(path) < len(f.path) || blamed && x.isUsers(at)
	if inValues && len(path) > 0 {
		p.Path = pathString(append([]string{fieldName}, path...))
	}
	show := x.disclosure(&p, f)
	secret := mask.IsSecret(p.Path) || show == structure || x.anyFromSecret(group)
	x.say(&p, group, at, path, inValues, secret)
	if show == structure || show == names && p.Rule == "" {
		p.Path = belowSecret(p.Path)
	}
	if f.isUnexplained() && secret && show != structure && p.Path != "" && blamed && x.isUsers(at) {
		p.Message = "the value is not what the module accepts"
	}
	x.locate(&p, f, at, blamed, inValues)
	if mask.IsSecret(p.Path) {
		p.Rule = "" // a default might be one
	}
	for _, at := range p.Positions {
		p.quotes = append(p.quotes, x.quote(at, p, show))
	}
	return p
}

// pathIn returns the path of a value in the values, as the user wrote it where
// the user's file is to blame.
func (x *explainer) pathIn(f finding, at token.Position, blamed bool) []string {
	if blamed && x.isUsers(at) {
		if written, ok := x.pathOf(at, f.path); ok {
			return written
		}
	}
	return valuePath(f.path)
}

// anyFromSecret reports whether a finding is about a text that came from a
// Secret.
func (x *explainer) anyFromSecret(group []finding) bool {
	return slices.ContainsFunc(group, func(f finding) bool { return slices.ContainsFunc(f.places, x.fromSecret) })
}

// isUnexplained reports whether the message is CUE's own, and may quote a value.
func (f finding) isUnexplained() bool { return f.class == other || f.class == consequence }

// disclosure returns how much of the user's lines may be shown, and takes out of
// the message what may be more: a string without quotes is a reference to
// nothing, and what an operator too much has put together has no name.
func (x *explainer) disclosure(p *Problem, f finding) disclosure {
	isUsers := len(f.places) == 0 || slices.ContainsFunc(f.places, x.isUsers)
	switch {
	case f.unparsed:
		return structure
	case f.class == unknownField:
		return names // it may be a misspelt secret
	case !isUsers || isOwn(f.text) || f.own && p.Path != "":
		return known
	case f.unresolved:
		p.Message = "a name that is not defined; a string needs quotes"
		return structure
	case f.isUnexplained():
		p.Message = mask.WordsOf(p.Message, x.usersText(), isParsersWord)
		return structure
	case p.Path == "":
		return structure
	}
	return known
}

// belowSecret returns a path without the names below that of a secret: a colon
// too much makes a name of a value.
func belowSecret(path string) string {
	for i, c := range path {
		if (c == '.' || c == '[') && mask.IsSecret(path[:i]) {
			return path[:i] + "." + mask.Hidden
		}
	}
	return path
}

// isOwn reports whether a message was written here, and quotes names only.
func isOwn(text string) bool {
	return strings.HasPrefix(text, fieldName) || strings.HasPrefix(text, "import ") || strings.HasPrefix(text, "@embed needs") || text == noValues
}

func (x *explainer) usersText() string {
	var b strings.Builder
	for _, source := range x.sources {
		b.Write(source.Data)
	}
	return b.String()
}

// say sets the message of a problem and the rule of the module that is broken.
func (x *explainer) say(p *Problem, group []finding, at token.Position, path []string, inValues, secret bool) {
	f := group[0]
	switch f.class {
	case other, consequence:
		if m := unresolvedRE.FindStringSubmatch(f.text); m != nil && x.module.Meant != nil && x.isModules(at) {
			p.Advice = x.module.Meant(m[1], at)
		}
		return
	case unknownField:
		x.unknown(p, path, inValues)
	case missing:
		x.missing(p, f, path, inValues)
	case mismatch, conflict, bound:
		p.Message = message(group, at, secret)
		if stringRE.MatchString(p.Message) && (secret || takesText(group, at)) {
			x.advise(p, Quote, "quote it")
		}
	}
	if p.Rule == "" {
		p.Rule, p.RulePosition = x.rule(group, last(f.path), at)
	}
}

// locate sets the places of a problem: those to look at, and the rule's.
func (x *explainer) locate(p *Problem, f finding, at token.Position, blamed, inValues bool) {
	switch {
	case len(p.Positions) > 0:
	case f.class == missing && p.RulePosition.IsValid():
		p.Positions = []token.Position{p.RulePosition} // the user has written nothing
		if !inValues {
			p.Rule, p.RulePosition = "", token.Position{}
		}
	default:
		p.Positions = x.places(f, at, blamed)
	}
	x.dropRepeated(p)
}

// places returns the places to show next to the rule: the one to blame first,
// then the other ones of the user, and of two values in conflict the other one.
func (x *explainer) places(f finding, at token.Position, blamed bool) []token.Position {
	if f.class == other || f.class == consequence || !blamed {
		return f.places
	}
	places := []token.Position{at}
	for i, place := range f.places {
		otherSide := i < 2 && f.class == conflict && !x.isUsers(at)
		if place != at && (x.isUsers(place) || otherSide) {
			places = append(places, place)
		}
	}
	return places
}

// dropRepeated takes out of the places the one of the rule, and a rule that the
// quoted line shows already.
func (x *explainer) dropRepeated(p *Problem) {
	isRules := func(at token.Position) bool {
		return at.Filename == p.RulePosition.Filename && at.Line == p.RulePosition.Line
	}
	if !p.RulePosition.IsValid() || len(p.Positions) == 0 {
		return
	}
	if isRules(p.Positions[0]) && p.Positions[0] != p.RulePosition {
		p.Rule, p.RulePosition = "", token.Position{}
		return
	}
	p.Positions = append(p.Positions[:1:1], slices.DeleteFunc(slices.Clone(p.Positions[1:]), isRules)...)
}

var unresolvedRE = regexp.MustCompile(`^reference "([^"]+)" not found$`)

func (x *explainer) unknown(p *Problem, path []string, inValues bool) {
	p.Message = "unknown field"
	if !inValues || x.module.Fields == nil || len(path) == 0 {
		return
	}
	// A field that the module's own values.cue sets is a field of the module as it
	// is evaluated, also when it is unknown to the schema.
	fields := slices.DeleteFunc(slices.Clone(x.module.Fields(path[:len(path)-1])), func(field Field) bool {
		return x.unknownFields[pathString(append(slices.Clone(path[:len(path)-1]), field.Name))]
	})
	if len(fields) == 0 {
		return
	}
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = field.Name
	}
	nearest, ok := fail.Nearest(last(path), names)
	if !ok {
		p.Advice = "the fields are: " + enumerate(names)
		return
	}
	p.Advice = fmt.Sprintf("did you mean %q?", nearest)
	field := fields[slices.Index(names, nearest)]
	p.Rule, p.RulePosition = x.ruleAt(field.Position, nearest)
}

// advise says what helps, in the words of the caller if it has any.
func (x *explainer) advise(p *Problem, remedy Remedy, text string) {
	p.Remedy, p.Advice = remedy, text
	if x.module.Advise != nil {
		p.Advice = x.module.Advise(*p)
	}
}

func (x *explainer) missing(p *Problem, f finding, path []string, inValues bool) {
	if !inValues {
		p.Message = "the value is not concrete"
		if len(f.args) > 0 {
			p.Message += ": " + shorten(f.args[0])
		}
		return
	}
	p.Message = "required value is missing"
	x.advise(p, Provide, "set it in the values")
	if at, ok := x.nullAt(path); ok {
		p.Message = "null takes the value away, and the module needs one"
		p.Positions = []token.Position{at}
	}
}

// message says what is wrong with the value at a place, which a group of
// alternatives all refuse.
func message(group []finding, at token.Position, secret bool) string {
	value := ""
	var wanted, kinds []string
	onlyTypes := true
	for _, f := range group {
		side := f.side(at)
		value = f.args[side]
		if secret {
			value = mask.Hidden
		}
		switch f.class {
		case bound:
			return outOfBound(value, f.args[1], f.text)
		case mismatch:
			value = valueText(value, f.args[2+side])
			wanted = add(wanted, f.args[1-side])
			kinds = add(kinds, kindText(f.args[3-side]))
			if onlyTypes {
				continue
			}
		case conflict:
			onlyTypes = false
			wanted = add(wanted, f.args[1-side])
		}
	}
	if onlyTypes {
		return typeMessage(value, group[0], at, kinds)
	}
	if secret {
		return value + " is not what the module wants"
	}
	if len(wanted) == 1 {
		return shorten(value) + " conflicts with " + shorten(wanted[0])
	}
	return "expected one of " + enumerate(wanted) + ", got " + shorten(value)
}

// side returns which of the two sides of a conflict a place has.
func (f finding) side(at token.Position) int {
	if f.class != bound && len(f.places) > 1 && f.places[1] == at {
		return 1
	}
	return 0
}

// takesText says whether the module may take a value where it is quoted. What
// cannot be evaluated alone may.
func takesText(group []finding, at token.Position) bool {
	ctx := cuecontext.New()
	return slices.ContainsFunc(group, func(f finding) bool {
		if f.class != mismatch {
			return false
		}
		side := f.side(at)
		wanted := ctx.CompileString(f.args[1-side])
		return wanted.Err() != nil || wanted.Unify(ctx.Encode(f.args[side])).Err() == nil
	})
}

func typeMessage(value string, f finding, at token.Position, kinds []string) string {
	own := f.args[2]
	if len(f.places) > 1 && f.places[1] == at {
		own = f.args[3]
	}
	slices.Sort(kinds)
	wanted := strings.Join(kinds, " or ")
	if value == kindText(own) {
		return "expected " + wanted + ", got " + value
	}
	return "expected " + wanted + ", got " + withArticle(own) + " " + shorten(value)
}

// withArticle returns a kind of CUE with the definite article: "the int".
func withArticle(kind string) string {
	text := kindText(kind)
	if _, name, found := strings.Cut(text, " "); found {
		return "the " + name
	}
	return text
}

func outOfBound(value, bound, text string) string {
	value = shorten(value)
	switch {
	case strings.HasPrefix(bound, "=~"):
		return value + " does not match " + strings.TrimPrefix(bound, "=~")
	case strings.HasPrefix(bound, "!~"):
		return value + " must not match " + strings.TrimPrefix(bound, "!~")
	case strings.Contains(text, "does not satisfy"):
		return value + " does not satisfy " + bound
	}
	return value + " is out of bounds: expected " + bound
}

// valueText returns what stands for a value in a message: scalars for
// themselves, maps and lists by their kind.
func valueText(value, kind string) string {
	switch kind {
	case "struct", "list":
		return kindText(kind)
	}
	return value
}

// kindText returns a kind of CUE in the words of YAML: (int|string) is "an int
// or a string".
func kindText(kind string) string {
	var words []string
	for name := range strings.SplitSeq(strings.Trim(kind, "()"), "|") {
		switch name {
		case "null":
			words = append(words, name)
		case "struct":
			words = append(words, "a map")
		case "int":
			words = append(words, "an int")
		default:
			words = append(words, "a "+name)
		}
	}
	return strings.Join(words, " or ")
}

// isKind says whether a side of a conflict is a type or a bound, not a value.
func isKind(arg string) bool {
	switch arg {
	case "string", "bytes", "bool", "number", "int", "float", "null":
		return arg != "null"
	}
	return strings.HasPrefix(arg, "<") || strings.HasPrefix(arg, ">") || strings.HasPrefix(arg, "=~") ||
		strings.HasPrefix(arg, "!") || strings.HasPrefix(arg, "[...") || strings.HasPrefix(arg, "(")
}

var importFailedRE = regexp.MustCompile(`^(?:\S+: )?(?:import failed: )+`)

var stringRE = regexp.MustCompile(`^expected a string, got the (int|float|number|bool)`)

var invalidJSONRE = regexp.MustCompile(`invalid JSON for file "[^"]*": `)

var missingPackageRE = regexp.MustCompile(`^cannot find package "([^"]*)": cannot find module providing package \S+$`)

var notFetchedRE = regexp.MustCompile(`^cannot find package "([^"]*)": cannot fetch (\S+): `)

// tidyMessage takes out of a message of the loader what says nothing.
func tidyMessage(text string) string {
	text = importFailedRE.ReplaceAllString(text, "")
	text = invalidJSONRE.ReplaceAllString(text, "invalid JSON: ")
	text = notFetchedRE.ReplaceAllString(text, `package "$1" is of $2: `)
	switch {
	case text == "package import cycle not allowed":
		return "the packages import each other"
	case missingPackageRE.MatchString(text):
		return missingPackageRE.ReplaceAllString(text, `package "$1" is neither in the module nor in its cue.mod`)
	}
	return text
}

// shorten keeps a value that is quoted in a message to one part of a line.
func shorten(s string) string {
	const longest = 60
	runes := []rune(s)
	if len(runes) <= longest {
		return s
	}
	return string(runes[:longest-1]) + "…"
}

// enumerate joins at most eight words.
func enumerate(words []string) string {
	const most = 8
	if len(words) > most {
		return strings.Join(words[:most], ", ") + ", …"
	}
	return strings.Join(words, ", ")
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func last(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[len(path)-1]
}
