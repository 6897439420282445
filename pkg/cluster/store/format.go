// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// The formats that this version writes, and the highest that it reads. They
// stand in a data key of their own, so that a version that knows no formats
// drops the number together with the rest when it writes the Secret: a Secret
// without a number has format 1.
//
// A format gets a new number when an older version would lose something by
// writing over it. Format 2 of the record names in pending what an upgrade adds
// instead of all that it wants; format 2 of the ledger names shared objects.
// Older versions read both.
const (
	recordFormat = 2
	ledgerFormat = 2
	formatKey    = "format"
)

// checkFormat returns why a Secret must not be written: a newer version wrote
// it, and what that version keeps there is unknown. highest is the highest format
// that this version knows.
func checkFormat(secret api.Object, highest int) error {
	text, present := dataText(secret, formatKey)
	if !present {
		return nil
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= highest {
		return nil
	}
	return &NewerFormatError{Namespace: secret.Namespace(), Name: secret.Name(), Format: text, Known: highest}
}

// dataText returns the decoded text of a data key of a Secret.
func dataText(secret api.Object, key string) (string, bool) {
	data, _ := secret["data"].(map[string]any)
	encoded, present := data[key].(string)
	if !present {
		return "", false
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return fmt.Sprintf("%.20s", encoded), true
	}
	return string(text), true
}

func encodeFormat(n int) string {
	return base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(n)))
}
