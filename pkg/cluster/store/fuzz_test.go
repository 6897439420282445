// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

func secretWith(data map[string]string) api.Object {
	encoded := map[string]any{}
	for key, text := range data {
		if text != "" {
			encoded[key] = base64.StdEncoding.EncodeToString([]byte(text))
		}
	}
	return api.Object{"metadata": map[string]any{"name": "timoni.app", "namespace": "apps"}, "data": encoded}
}

// FuzzRecord holds that a record that is read is written so that the same is
// read again; that an upgrade of it names every object of it once, whatever it
// adds; that another format is never written; and that an error quotes nothing
// of what is in the Secret.
func FuzzRecord(f *testing.F) {
	const record = `{"kind":"Instance","metadata":{"name":"app"},"values":"{a: 1}","inventory":{"entries":[{"id":"a_b__C","v":"v1"}]}}`
	f.Add(record, "", "")
	f.Add(record, record, "2")
	f.Add(record, `{"inventory":{"entries":[{"id":"a_c__C","v":"v1"},{"id":"a_c__C","v":"v2"}]}}`, "3")
	f.Add(`{"values":"secret`, `null`, "x")
	f.Add(`{"metadata":[]}`, `{"inventory":null}`, "")
	f.Fuzz(func(t *testing.T, instance, pending, format string) {
		secret := secretWith(map[string]string{api.RecordKey: instance, api.PendingKey: pending, formatKey: format})
		rec, err := decode(secret)
		if err != nil {
			if len(instance) > 40 && strings.Contains(err.Error(), instance) {
				t.Errorf("the error quotes the record: %v", err)
			}
			return
		}
		if known := format == "" || format == "1" || format == "2"; known != (Writable(rec, nil) == nil) && strings.Trim(format, "+0") == format {
			t.Errorf("format %q: %v", format, Writable(rec, nil))
		}
		next := upgrading(rec, rec.Instance)
		named := map[string]int{}
		for _, e := range next.Inventory() {
			named[e.ID]++
		}
		for _, e := range rec.Inventory() {
			if named[e.ID] != 1 {
				t.Errorf("the upgrade names %q %d times", e.ID, named[e.ID])
			}
		}
		data, err := encode(rec)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(api.Object{"data": data})
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if diff := cmp.Diff(rec, again, cmpopts.IgnoreUnexported(Record{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read again (-want +got):\n%s", diff)
		}
	})
}

// FuzzLedger holds that a ledger that is read, compressed or not, is written so
// that the same is read again, within the size of a Secret.
func FuzzLedger(f *testing.F) {
	plain := `{"fingerprints":{"a":"b"},"applied":{"a":{"f:x":1}},"stages":{"a":1},"shared":{"_crd__C":"a/b"},"history":[{"revision":1,"values":"{}"}]}`
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write([]byte(plain))
	if err = errors.Join(err, w.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(plain), "")
	f.Add(zipped.Bytes(), "2")
	f.Add(zipped.Bytes()[:20], "1")
	f.Add([]byte("\x1f\x8b"), "9")
	f.Add([]byte(`{"applied":{"a":`), "")
	f.Fuzz(func(t *testing.T, text []byte, format string) {
		ledger := decodeLedger(secretWith(map[string]string{ledgerKey: string(text), formatKey: format}))
		encoded, err := ledger.encode()
		if err != nil {
			t.Fatalf("what was read is not written: %v", err)
		}
		size := 0
		for _, value := range encoded {
			size += base64.StdEncoding.DecodedLen(len(value.(string)))
		}
		if size > maxLedger+2*len(encoded)+1 {
			t.Errorf("it takes %d bytes", size)
		}
		again := decodeLedger(api.Object{"data": encoded})
		if diff := cmp.Diff(ledger, again, cmpopts.IgnoreUnexported(Ledger{}), cmp.AllowUnexported(Revision{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read again (-want +got):\n%s", diff)
		}
	})
}
