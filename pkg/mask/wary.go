// SPDX-License-Identifier: Apache-2.0

package mask

import "regexp"

// IsWary reports whether a text may hold or name a secret, for what is kept on a
// disk: it rather takes too much for one than too little. Next to what IsSecret
// finds, that is a part of a word that names what gives access, and a text in the
// form of such a thing.
func IsWary(text string) bool {
	return IsSecret(text) || waryNameRE.MatchString(text) || HasShape(text)
}

// HasShape reports whether a text holds what has the form of a secret: a URL with
// a password, the token of a known service, a private key.
func HasShape(text string) bool { return shapeRE.MatchString(text) }

// waryNameRE matches parts of names in any case. A "pin" ends a word, so that it is
// no "ping".
var waryNameRE = regexp.MustCompile(`(?i)pass|pwd|pw|auth|bearer|private|cred|dsn|conn|otp|cookie|jwt|hmac|kubeconfig|dockerconfig|salt|webhook|pin(?:code|s)?(?:[^a-z]|$)`)

var shapeRE = regexp.MustCompile(`://[^/\s@"']*:[^/\s@"']+@` + // a URL with a password
	`|\bgh[a-z]_[0-9A-Za-z]{16}|\bgithub_pat_|\bglpat-|\bnpm_[0-9A-Za-z]{16}` + // of GitHub, GitLab, npm
	`|\beyJ[\w-]+\.[\w-]+\.` + // a JWT
	`|\b(?:AKIA|ASIA)[0-9A-Z]{16}|\bAIza[\w-]{30}` + // of AWS, Google
	`|\bxox[a-z]-|hooks\.slack\.com/` + // of Slack
	`|\b[sr]k_(?:live|test)_|\bsk-[\w-]{16}|\bhv[sbr]\.[\w-]{16}` + // of Stripe, OpenAI, Vault
	`|-----BEGIN [A-Z ]*PRIVATE KEY`)
