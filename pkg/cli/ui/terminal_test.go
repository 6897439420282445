// SPDX-License-Identifier: Apache-2.0

package ui_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/fail"
)

// hostile has every character that a terminal may do something else with than
// show it, but for the line break.
func hostile() string {
	var b strings.Builder
	for r := range rune(0xFFFF) {
		if isControl(r) && r != '\n' {
			b.WriteString(string(r) + "x")
		}
	}
	return b.String()
}

func isControl(r rune) bool {
	bidi := []rune{0x61C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069}
	return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || slices.Contains(bidi, r)
}

func background() context.Context { return context.Background() }

// stringer is a result with a text of its own.
type stringer struct {
	Name string `json:"name"`
}

func (s stringer) String() string { return s.Name }

// printers write a text in every way that there is.
func printers(text string) map[string]func(io.Writer) error {
	o := event.Object{Group: text, Version: text, Kind: text, Namespace: text, Name: text}
	outcomes := []event.Outcome{{Object: o, Action: event.Refused, Reason: text}}
	all := map[string]func(io.Writer) error{
		"table":   func(w io.Writer) error { return ui.Table(w, []string{text}, [][]string{{text}, {"b"}}) },
		"names":   func(w io.Writer) error { return ui.Names(w, []event.Object{o}) },
		"value":   func(w io.Writer) error { return ui.Value(w, "", stringer{text}) },
		"json":    func(w io.Writer) error { return ui.Structured(w, "json", stringer{text}) },
		"yaml":    func(w io.Writer) error { return ui.Structured(w, "yaml", []stringer{{text}}) },
		"diff":    func(w io.Writer) error { return ui.Diff(w, "-"+text+"\n+b\n", false) },
		"result":  func(w io.Writer) error { return ui.Result{Outcomes: outcomes, Summary: text}.Print(w) },
		"dry run": func(w io.Writer) error { return ui.Result{Outcomes: outcomes, DryRun: text}.Print(w) },
		"print":   func(w io.Writer) error { return ui.Print(w, text) },
		"printf":  func(w io.Writer) error { _, err := ui.Printf(w, "%s: %q\n", text, text); return err },
		"println": func(w io.Writer) error { _, err := ui.Println(w, text); return err },
		"ask":     func(w io.Writer) error { _, err := ui.Ask(background(), strings.NewReader("n\n"), w, text); return err },
		"done": func(w io.Writer) error {
			events := ui.NewEvents(w, time.Now)
			events.Done(ui.Result{Summary: text, Outcomes: outcomes}, nil)
			events.Done(ui.Result{}, fail.Hint(fail.Usagef("%s", text), "%s", text))
			return nil
		},
	}
	for _, e := range []event.Event{
		event.Resolved{Range: text, Reference: text}, event.Pulled{Reference: text, Digest: text}, event.StageStarted{Name: text, Total: 2},
		event.Applied{Object: o, Action: event.Created, Reason: text}, event.Progress{Object: o, Status: text, Message: text},
		event.Note{Text: text}, event.Warning{Text: text},
	} {
		kind := fmt.Sprintf("%T", e)
		all["text "+kind] = func(w io.Writer) error { ui.NewText(w).Observe(e); return nil }
		all["events "+kind] = func(w io.Writer) error { ui.NewEvents(w, time.Now).Observe(e); return nil }
	}
	return all
}

// TestPrintersControlNoTerminal holds that no way to print lets a character
// through that controls a terminal, and that a line stays a line.
func TestPrintersControlNoTerminal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{hostile(), "\x1b]0;title\a", "a\r\nb", "\xff\x9b31m"} {
		for name, write := range printers(text) {
			var b strings.Builder
			if err := write(&b); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			out := strings.NewReplacer("\n", "", "\t", "").Replace(b.String())
			if i := strings.IndexFunc(out, isControl); i >= 0 || strings.ToValidUTF8(out, "") != out {
				t.Errorf("%s lets %q through", name, out[max(0, i):])
			}
		}
	}
}

// TestLiveTableControlsNoTerminal is the same for what moves the cursor itself.
func TestLiveTableControlsNoTerminal(t *testing.T) {
	t.Parallel()
	s := &screen{t: t}
	text := ui.TerminalTable(s, 2000, 24, time.Now)
	o := event.Object{Kind: hostile(), Name: hostile()}
	text.Observe(event.WaitStarted{Objects: 1, Waiting: []event.Progress{{Object: o, Status: "InProgress", Message: hostile()}}})
	text.Observe(event.Progress{Object: o, Status: hostile(), Message: hostile()})
	text.Observe(event.WaitDone{})
	if out := strings.Join(s.shown(), ""); strings.ContainsFunc(out, isControl) {
		t.Errorf("the table lets %q through", out)
	}
}

// FuzzPrinters holds of any text that no printer lets it control a terminal,
// and that JSON and YAML have its value.
func FuzzPrinters(f *testing.F) {
	for _, seed := range []string{hostile(), "\x1b[2J", "a\tb\nc", "\xff", "\U000e0001", "\x80\xa0\xf3", "- x: y #", "e\u0301"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, write := range printers(text) {
			var b strings.Builder
			if err := write(&b); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if i := strings.IndexFunc(b.String(), func(r rune) bool { return r != '\n' && r != '\t' && isControl(r) }); i >= 0 {
				t.Errorf("%s lets %q through", name, b.String()[i:])
			}
		}
		var asJSON, asYAML strings.Builder
		var fromJSON, fromYAML stringer
		if err := ui.Structured(&asJSON, "json", stringer{text}); err != nil || json.Unmarshal([]byte(asJSON.String()), &fromJSON) != nil {
			t.Fatalf("%v: %s", err, asJSON.String())
		}
		if err := ui.Structured(&asYAML, "yaml", stringer{text}); err != nil || yaml.Unmarshal([]byte(asYAML.String()), &fromYAML) != nil {
			t.Fatalf("%v: %s", err, asYAML.String())
		}
		if utf8.ValidString(text) && (fromJSON.Name != text || fromYAML.Name != text) {
			t.Errorf("%q becomes %q and %q", text, fromJSON.Name, fromYAML.Name)
		}
		_ = api.ValueYAML(text)
	})
}
