// SPDX-License-Identifier: Apache-2.0

// Package mask says what may be shown: it hides the values of secrets in texts
// and objects, and escapes the characters that would control a terminal. It is
// the one place that does either.
package mask

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Hidden stands in the place of what must not be shown.
const Hidden = "***"

// Names matches, without regard to case, the part of a name that tells a
// secret: for expressions that look for more than the name.
const Names = `(?:pass(?:word|wd|phrase)|secret|token|credential|key)`

var nameRE = regexp.MustCompile(`(?i)` + Names + misspelt("password", "passwd", "passphrase", "secret", "token", "credential"))

// misspelt returns an expression for words with one letter too much, one too
// few or another one, before which a "|" stands: who misspells the name of a
// secret does not publish its value.
func misspelt(words ...string) string {
	var b strings.Builder
	for _, word := range words {
		for i := range word {
			b.WriteString("|" + word[:i] + ".?" + word[i+1:] + "|" + word[:i] + "." + word[i:])
		}
	}
	return b.String()
}

// IsSecret reports whether the value at a path is likely to be a secret, by
// the names in it.
func IsSecret(path string) bool { return nameRE.MatchString(path) }

// shortest is the length from which a value is replaced wherever it occurs. A
// shorter one occurs by chance in other words, so that it is replaced only
// where it stands alone.
const shortest = 4

// Values returns a function that replaces values in a text. The map has what
// stands in the place of each: Hidden, or a name. A value is found as it is,
// in upper and lower case, in quotes, in a URL, in base64, and by each of its
// lines.
func Values(replacements map[string]string) func(string) string {
	found := map[string]string{}
	for value, name := range replacements {
		for _, shape := range slices.Concat(shapes(value), cases(value)) {
			if _, whole := replacements[shape]; !whole {
				found[shape] = name
			}
		}
		found[value] = name
	}
	words := map[string]string{}
	var pairs []string
	for _, shape := range byLength(found) {
		switch trimmed := strings.TrimSpace(shape); {
		case len(trimmed) >= shortest:
			pairs = append(pairs, shape, found[shape])
		case trimmed != "" && utf8.ValidString(shape): // a few bytes that are no text stand in none
			words[shape] = found[shape]
		}
	}
	if len(pairs)+len(words) == 0 {
		return func(text string) string { return text }
	}
	replacer, short := strings.NewReplacer(pairs...), standingAlone(words)
	return func(text string) string { return short(replacer.Replace(text)) }
}

// byLength returns the keys, the longest first: one may be part of another.
func byLength(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	return keys
}

// standingAlone returns a function that replaces words where no other word,
// and no line number, is next to them.
func standingAlone(words map[string]string) func(string) string {
	if len(words) == 0 {
		return func(text string) string { return text }
	}
	all := byLength(words)
	for i, word := range all {
		all[i] = regexp.QuoteMeta(word)
	}
	re := regexp.MustCompile(`(^|[^\w.:])(` + strings.Join(all, "|") + `)($|[^\w.:])`)
	return func(text string) string {
		return re.ReplaceAllStringFunc(text, func(match string) string {
			m := re.FindStringSubmatch(match)
			return m[1] + words[m[2]] + m[3]
		})
	}
}

// shapes returns what a value looks like in a text other than as it is.
func shapes(value string) []string {
	all := []string{
		inner(strconv.Quote(value)), inner(strconv.QuoteToASCII(value)),
		url.QueryEscape(value), url.PathEscape(value), strings.TrimPrefix(url.UserPassword("", value).String(), ":"),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte(value)),
		base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	}
	if text, err := json.Marshal(value); err == nil {
		all = append(all, inner(string(text)))
	}
	if strings.Contains(value, "\n") {
		all = append(all, strings.Split(value, "\n")...)
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(strings.TrimSpace(s)) < shortest })
}

// cases returns a value in upper and in lower case, as a bundle may make it, in
// each of its shapes.
func cases(value string) (all []string) {
	for _, changed := range []string{strings.ToUpper(value), strings.ToLower(value)} {
		if changed != value && len(strings.TrimSpace(changed)) >= shortest {
			all = append(append(all, changed), shapes(changed)...)
		}
	}
	return all
}

// inner returns what is between the quotes.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

var quotedRE = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.){2,}\"|'[^']{2,}'|`[^`]{2,}`")

// Quoted hides what a message quotes. It is for the messages of parsers, which
// quote a part of a text of which it is not known what it is.
func Quoted(message string) string {
	return quotedRE.ReplaceAllStringFunc(message, func(quoted string) string {
		return quoted[:1] + Hidden + quoted[len(quoted)-1:]
	})
}

// wordsRE matches what a line consists of, other than white space and punctuation.
var wordsRE = regexp.MustCompile("[^\\s{}\\[\\](),:\"'`-][^\\s{}\\[\\](),:\"'`]*")

// Words hides every word of a text, and keeps its punctuation.
func Words(text string) string { return wordsRE.ReplaceAllString(text, Hidden) }

// WordsOf hides the words of a message that stand in a text too, except those
// that are in the vocabulary of who wrote the message.
func WordsOf(message, text string, vocabulary func(word string) bool) string {
	return wordRE.ReplaceAllStringFunc(message, func(word string) string {
		if len(word) < 2 || word[0] == '\\' || vocabulary(word) || !strings.Contains(text, word) {
			return word
		}
		return Hidden
	})
}

// wordRE matches a word, and apart from it the escape before it in a quoted text.
var wordRE = regexp.MustCompile(`\\(?:[abfnrtv]|x[[:xdigit:]]{2}|u[[:xdigit:]]{4}|U[[:xdigit:]]{8})|[\pL\pN_]+`)
