// SPDX-License-Identifier: Apache-2.0

package mask_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

func TestIsWary(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"db.password": true, "apiKey": true, "accessToken": true, "PGPASS": true, "dbPass": true, "userpwd": true, "dbpw": true, "basicAuth": true,
		"Bearer x": true, "private: x": true, "creds": true, "dsn": true, "DATABASE_DSN": true, "connectionString": true, "conn": true,
		"pin": true, "userPin: 1": true, "PIN": true, "pinCode": true, "pins": true, "otp": true, "cookie": true, "jwt": true, "hmac": true,
		"kubeconfig": true, ".dockerconfigjson": true, "salt": true, "webhookURL": true,

		"url: postgres://u:p@h/db": true, "postgres://:p@h": true, "amqp://u:%40x@h": true,
		"ghp_" + strings.Repeat("a1", 18): true, "github_pat_11ABC": true, "glpat-abc": true, "npm_" + strings.Repeat("a1", 18): true,
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln": true, "AKIAIOSFODNN7EXAMPLE": true, "AIza" + strings.Repeat("a_1", 12): true,
		"https://hooks.slack.com/services/T0/B0/x": true, "xoxb-1-2": true, "sk_live_x": true, "hvs." + strings.Repeat("a1", 12): true,
		"-----BEGIN RSA PRIVATE KEY-----": true,

		"replicas: 3": false, "image: ghcr.io/org/app:1.2@sha256:0123": false, "host: http://u@example.com:80/a": false,
		"ping: true": false, "pinned: true": false, "message: hello": false, "url: https://example.com:8443/a": false,
		"resources: {limits: {cpu: 1}}": false, "eyJ.": false, "AKIA": false,
	} {
		if got := mask.IsWary(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
