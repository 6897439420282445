// SPDX-License-Identifier: Apache-2.0

package session

import "testing"

// TestClean holds that a credential is masked wherever it stands, and that a
// short one does not garble the words that have its letters.
func TestClean(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, secret, want string }{
		"one letter":             {"dial tcp 127.0.0.1:5000", "p", "dial tcp 127.0.0.1:5000"},
		"one letter, alone":      {"password p is wrong: \"p\"", "p", "password *** is wrong: \"***\""},
		"three letters":          {"Token.expires_in: bad exp", "exp", "Token.expires_in: bad ***"},
		"at the ends":            {"abc, abc", "abc", "***, ***"},
		"long, in a word":        {"user:hunter2@host", "hunter2", "user:***@host"},
		"long, as a part":        {"xhunter2x", "hunter2", "x***x"},
		"signs of an expression": {"a .* b", ".*", "a *** b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (&Session{secrets: []string{tc.secret}}).Clean(tc.text); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
