// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/sigstore/sigstore/pkg/cryptoutils"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/sign/signature"
	"github.com/kubectl-timoni/kubectl-timoni/test/controlplane"
	"github.com/kubectl-timoni/kubectl-timoni/test/kit/sigstore"
)

// cosign runs the real one, which knows no oci:// before its operands.
func cosign(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	path, err := controlplane.Extra(ctx, "cosign", os.Stderr)
	ts.Check(err)
	for i := range args {
		args[i] = strings.TrimPrefix(args[i], "oci://")
	}
	switch err = ts.Exec(path, args...); {
	case err == nil && neg:
		ts.Fatalf("cosign %s succeeds", strings.Join(args, " "))
	case err != nil && !neg:
		ts.Fatalf("cosign %s: %v", strings.Join(args, " "), err)
	}
}

// keyPairCommand is writeKeys with the password of $COSIGN_PASSWORD.
func keyPairCommand(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, "key-pair NAME")
	ts.Check(writeKeys(ts.MkAbs(args[0]), []byte(ts.Getenv("COSIGN_PASSWORD"))))
}

// writeKeys writes path.key and path.pub in cosign's format. A private key
// without a password is not encrypted.
func writeKeys(path string, password []byte) error {
	private, public, err := cryptoutils.GeneratePEMEncodedECDSAKeyPair(elliptic.P256(), func(bool) ([]byte, error) { return password, nil })
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path+".key", private, 0o600), os.WriteFile(path+".pub", public, 0o644))
}

// signKeyless signs an artifact without a key, by a Sigstore of its own, whose
// trusted root it writes.
func signKeyless(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 4, "sign-keyless bundle|file|legacy oci://HOST/PATH:VERSION SUBJECT ISSUER")
	r, err := ref.Parse(args[1])
	ts.Check(err)
	ctx := context.Background()
	digest, err := oci.Digest(ctx, r, oci.Options{})
	ts.Check(err)
	authority, err := sigstore.New()
	ts.Check(err)
	trusted, err := authority.TrustedRoot()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("trusted_root.json"), trusted, 0o600))
	target, err := name.NewDigest(strings.TrimPrefix(r.Source(), "oci://") + "@" + digest)
	ts.Check(err)
	if args[0] == "legacy" {
		s, err := authority.Legacy(args[2], args[3], digest)
		ts.Check(err)
		ts.Check(pushLegacy(target, s))
		return
	}
	bundle, err := authority.Bundle(args[2], args[3], signature.PredicateType, digest)
	ts.Check(err)
	if args[0] == "file" {
		ts.Check(os.WriteFile(ts.MkAbs("bundle.json"), bundle, 0o600))
		return
	}
	ts.Check(pushBundle(target, bundle))
}

// pushLegacy puts a signature where cosign before version 3 does.
func pushLegacy(target name.Digest, s signature.Signature) error {
	image, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer: static.NewLayer(s.Payload, "application/vnd.dev.cosign.simplesigning.v1+json"),
		Annotations: map[string]string{
			"dev.cosignproject.cosign/signature": s.Value,
			"dev.sigstore.cosign/certificate":    s.Certificate,
			"dev.sigstore.cosign/bundle":         s.Rekor,
		},
	})
	if err != nil {
		return err
	}
	return remote.Write(target.Tag(strings.Replace(target.DigestStr(), ":", "-", 1)+".sig"), image)
}

// pushBundle makes a bundle refer to what it signs.
func pushBundle(target name.Digest, bundle []byte) error {
	const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	subject, err := remote.Head(target)
	if err != nil {
		return err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mediaType)
	image, err = mutate.Append(image, mutate.Addendum{Layer: static.NewLayer(bundle, mediaType)})
	if err != nil {
		return err
	}
	referrer, _ := mutate.Subject(image, *subject).(v1.Image)
	digest, err := referrer.Digest()
	if err != nil {
		return err
	}
	return remote.Write(target.Digest(digest.String()), referrer)
}
