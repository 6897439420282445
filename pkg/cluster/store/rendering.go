// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
)

// renderingPrefix begins the data keys of the ledger that hold, each for one
// revision, what was rendered: apart from the rest, so that only a rollback
// unpacks it. An older version that writes the ledger drops them, after which a
// rollback renders again, as that version does.
const renderingPrefix = "rendering."

// Kept says what the history keeps of a revision.
type Kept string

// What is kept.
const (
	KeptFull   Kept = "full"   // what was rendered, too: a rollback needs nothing else
	KeptValues Kept = "values" // the module's digest and the values, with which a rollback renders again
)

// whyFull is why a revision lost what was rendered, or never had it.
const whyFull = "the ledger is full"

// Kept returns what the history keeps of the revision.
func (r Revision) Kept() Kept {
	if r.rendering != "" {
		return KeptFull
	}
	return KeptValues
}

// Keep has the history keep what was rendered.
func (r *Revision) Keep(rendering api.Rendering) error {
	text, err := pack(rendering)
	if err != nil {
		return fmt.Errorf("encode what was rendered: %w", err)
	}
	r.rendering, r.WithoutRendering = text, ""
	return nil
}

// forget has the history keep nothing of what was rendered.
func (r *Revision) forget() { r.rendering, r.WithoutRendering = "", "" }

// Rendering returns what was rendered, and false where that is not kept or cannot
// be read.
func (r Revision) Rendering() (api.Rendering, bool) {
	if r.rendering == "" {
		return api.Rendering{}, false
	}
	text, err := unpack(r.rendering)
	if err != nil {
		return api.Rendering{}, false
	}
	rendering, err := api.ParseRendering(text)
	return rendering, err == nil
}

// DigestOf returns what tells stages from others.
func DigestOf(stages []api.Stage) string {
	h := sha256.New()
	if json.NewEncoder(h).Encode(stages) != nil {
		return "" // unknown
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil))
}

// fitRenderings returns the history with as many renderings as there is room for,
// and whether one is lost: the oldest go first. One that is too large alone does
// not take the older ones along.
func fitRenderings(history []Revision, room int) (fitting []Revision, lost bool) {
	fitting, left := slices.Clone(history), room
	for i := range slices.Backward(fitting) {
		r := &fitting[i]
		n := base64.StdEncoding.DecodedLen(len(r.rendering))
		switch {
		case n == 0:
		case n <= left:
			left -= n
		default:
			r.rendering, r.WithoutRendering, lost = "", whyFull, true
			if n <= room {
				left = 0
			}
		}
	}
	return fitting, lost
}

// renderings returns the data keys for the renderings of a history.
func renderings(history []Revision) map[string]any {
	data := map[string]any{}
	for _, r := range history {
		if r.rendering != "" {
			data[renderingKey(r.Number)] = r.rendering
		}
	}
	return data
}

func renderingKey(number int) string { return renderingPrefix + strconv.Itoa(number) }

// pack returns a value as compressed JSON in base64.
func pack(v any) (string, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(zip).Encode(v), zip.Close()); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// unpack returns the JSON of pack, or plain JSON in base64.
func unpack(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !bytes.HasPrefix(data, []byte(gzipMagic)) {
		return data, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(zip, maxInflated))
}

// gzipMagic is how gzip begins; JSON does not.
const gzipMagic = "\x1f\x8b"
