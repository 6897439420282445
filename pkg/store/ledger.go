// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/kube"
)

const (
	ledgerPrefix = "timoni-ledger."
	ledgerKey    = "ledger"
	// maxLedger bounds the compressed ledger: a Secret holds 1 MiB.
	maxLedger = 900 << 10
	// maxInflated bounds what is read, as anybody may have written it.
	maxInflated = 64 << 20
)

// Ledger is what we remember of an instance beside its record. Nothing depends
// on it: without it an apply asks the server about every object again.
type Ledger struct {
	// Fingerprints say, by inventory id, what an object looked like when it was
	// last found to be as wanted.
	Fingerprints map[string]string `json:"fingerprints,omitempty"`

	secret api.Object // as read, nil when there is none
}

// Ledger returns the ledger of an instance, empty when there is none, or none
// that can be read.
func (s Store) Ledger(ctx context.Context, namespace, name string) (*Ledger, error) {
	secret, err := s.client.Get(ctx, secrets(), namespace, ledgerPrefix+name)
	if apierrors.IsNotFound(err) {
		return &Ledger{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the ledger of instance %q in namespace %q: %w", name, namespace, err)
	}
	ledger := &Ledger{}
	if err := ledger.decode(secret); err != nil {
		ledger = &Ledger{}
	}
	ledger.secret = secret
	return ledger, nil
}

// SaveLedger writes the fingerprints of an instance, if they differ from those
// that were read. The ledger belongs to the record, so that whoever deletes
// that deletes both.
func (s Store) SaveLedger(ctx context.Context, rec *Record, ledger *Ledger, fingerprints map[string]string) error {
	if ledger.secret != nil && maps.Equal(ledger.Fingerprints, fingerprints) {
		return nil
	}
	next := &Ledger{Fingerprints: fingerprints}
	text, err := next.encode()
	if err != nil {
		return err
	}
	m := rec.Instance.Metadata
	secret := api.Object{
		"apiVersion": "v1", "kind": "Secret", "type": "timoni.sh/ledger",
		"metadata": map[string]any{
			"name": ledgerPrefix + m.Name, "namespace": m.Namespace,
			// Not the labels by which records are listed.
			"labels": map[string]any{api.LabelName: m.Name, api.LabelComponent: "ledger"},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "v1", "kind": "Secret", "name": rec.secret.Name(), "uid": kube.UID(rec.secret),
			}},
		},
		"data": map[string]any{ledgerKey: text},
	}
	if ledger.secret == nil {
		_, err = s.client.Create(ctx, secrets(), secret, kube.Real)
	} else {
		secret["metadata"].(map[string]any)["resourceVersion"] = kube.ResourceVersion(ledger.secret)
		_, err = s.client.Update(ctx, secrets(), secret)
	}
	if err == nil || apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) {
		return nil // another run, or the garbage collector of a deleted record, was there: the next apply writes it
	}
	return fmt.Errorf("write the ledger of instance %q: %w", m.Name, err)
}

// encode returns the ledger as the data of a Secret. One that is too large is
// forgotten rather than refused: it only saves work.
func (l *Ledger) encode() (string, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(zip).Encode(l), zip.Close()); err != nil {
		return "", fmt.Errorf("encode the ledger: %w", err)
	}
	if b.Len() > maxLedger {
		return (&Ledger{}).encode()
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func (l *Ledger) decode(secret api.Object) error {
	data, _ := secret["data"].(map[string]any)
	encoded, _ := data[ledgerKey].(string)
	zipped, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	zip, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return err
	}
	return json.NewDecoder(io.LimitReader(zip, maxInflated)).Decode(l)
}
