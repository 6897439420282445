// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/ref"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/archive"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/oci"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/registry/source"
	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// A module is pushed, and its content is on disk again until it is closed. With
// a Verifier in oci.Options, nothing is used before its signature was checked.
func ExampleOpen() {
	server := httptest.NewServer(fixture.NewRegistry())
	defer server.Close()
	version, err := pushAndOpen(context.Background(), strings.TrimPrefix(server.URL, "http://"))
	fmt.Println(version, err)
	// Output: 1.0.0 <nil>
}

func pushAndOpen(ctx context.Context, host string) (version string, err error) {
	reference, err := ref.Parse("oci://" + host + "/modules/minimal:1.0.0")
	if err != nil {
		return "", err
	}
	image, err := archive.PackModule("../../../test/modules/minimal", "1.0.0", archive.PackOptions{})
	if err != nil {
		return "", err
	}
	if _, err = oci.Push(ctx, image, reference, []string{"1.0.0"}, false, oci.Options{}); err != nil {
		return "", err
	}
	module, err := source.Open(ctx, reference, source.Options{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, module.Close()) }()
	// module.Dir is what render.Build takes.
	return module.Version, nil
}
