// SPDX-License-Identifier: Apache-2.0

// Command flux pulls, pushes and judges with the libraries of Flux, whose
// controllers and command line do it so.
//
//	flux pull HOST/PATH:TAG DIR
//	flux push HOST/PATH:TAG DIR SOURCE REVISION
//	flux health <request    prints a verdict for each object
package main

import (
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/oci"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	client := oci.NewClient(oci.DefaultOptions())
	switch {
	case len(args) == 3 && args[0] == "pull":
		// The controller asks for the first layer, by its media type or index.
		meta, err := client.Pull(ctx, args[1], args[2])
		if err != nil {
			return err
		}
		return stdjson.NewEncoder(os.Stdout).Encode(meta)
	case len(args) == 5 && args[0] == "push":
		digest, err := client.Push(ctx, args[1], args[2], oci.WithPushMetadata(oci.Metadata{Source: args[3], Revision: args[4]}))
		fmt.Println(digest)
		return err
	case len(args) == 1 && args[0] == "health":
		return judge(ctx)
	}
	return errors.New("usage: flux pull URL DIR | push URL DIR SOURCE REVISION | health")
}

// judge says how healthy objects are by expressions.
func judge(ctx context.Context) error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var request struct {
		kustomize.HealthCheckExpressions
		Objects []map[string]any `json:"objects"`
	}
	if err = json.Unmarshal(input, &request); err != nil {
		return err
	}
	evaluator, err := cel.NewStatusEvaluator(&request.HealthCheckExpressions)
	if err != nil {
		return err
	}
	for _, o := range request.Objects {
		result, err := evaluator.Evaluate(ctx, &unstructured.Unstructured{Object: o})
		if err != nil { // names a field that does not exist
			result = &status.Result{Status: status.UnknownStatus}
		}
		fmt.Println(result.Status)
	}
	return nil
}
