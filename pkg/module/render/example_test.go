// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"context"
	"fmt"
	"log"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/values"
)

// A directory and values become stages of objects. Nothing else is read: no
// environment, no cluster, no registry.
func ExampleBuild() {
	result, err := render.Build(context.Background(), render.Request{
		Dir: "../../../test/modules/minimal", Name: "hello", Namespace: "apps", ModuleVersion: "1.0.0",
		Values: []values.Source{{Name: "values.yaml", Format: values.YAML, Data: []byte("replicas: 3\n")}},
		Limits: render.Limits{Memory: render.Unlimited},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, stage := range result.Sets {
		for _, o := range stage.Objects {
			fmt.Println(stage.Name, o.Ref())
		}
	}
	// Output:
	// app ServiceAccount/apps/hello
	// app ConfigMap/apps/hello-acac0c61
	// app Service/apps/hello
	// app Deployment/apps/hello
}
