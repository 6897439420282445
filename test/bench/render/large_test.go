// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubectl-timoni/kubectl-timoni/test/fixture"
)

// BenchmarkCache measures a result that is read from the cache, one that is
// written to it, and the start of the program.
func BenchmarkCache(b *testing.B) {
	build := binary(b, "kubectl-timoni-build")
	measure(b, "help/program=build", func() *exec.Cmd { return exec.Command(build, "--help") })
	for name, dir := range map[string]string{
		"minimal": minimalModule(b), "operator-typed-crds-1": operator(b, 1), "objects-5000": fixture.ManyObjects(b, 5000),
	} {
		render := func() *exec.Cmd { return exec.Command(build, "app", dir, "-n", "apps") }
		cache := "TIMONI_CACHE_DIR=" + b.TempDir()
		measure(b, "module="+name+"/cache=off", render)
		measureWith(b, "module="+name+"/cache=miss", "TIMONI_CACHE_DIR="+b.TempDir(), func() *exec.Cmd {
			cmd := render()
			cmd.Args = append(cmd.Args, "--kube-version", fmt.Sprintf("1.30.%d", time.Now().UnixNano()%1e9)) // of which there is no result
			return cmd
		})
		if err := withVariable(render(), cache).Run(); err != nil {
			b.Fatal(err)
		}
		measureWith(b, "module="+name+"/cache=hit", cache, render)
	}
}

// BenchmarkFunction measures the function next to build, and a Bundle of twenty
// instances next to one.
func BenchmarkFunction(b *testing.B) {
	build, krm := binary(b, "kubectl-timoni-build"), binary(b, "timoni-krm")
	for name, module := range map[string]string{"minimal": minimalModule(b), "init": initModule(b), "operator": operator(b, 0)} {
		dir := b.TempDir()
		if err := os.CopyFS(filepath.Join(dir, "module"), os.DirFS(module)); err != nil {
			b.Fatal(err)
		}
		run := func(spec string) *exec.Cmd {
			cmd := exec.Command(krm)
			cmd.Dir, cmd.Stdin = dir, strings.NewReader(functionHead+spec)
			return cmd
		}
		one := "  kind: Instance\n  metadata: {name: app, namespace: apps}\n  spec:\n    module: {url: 'file://module'}\n"
		var twenty strings.Builder
		twenty.WriteString("  kind: Bundle\n  metadata: {name: all, namespace: apps}\n  spec:\n    instances:\n")
		for i := range 20 {
			fmt.Fprintf(&twenty, "      app-%d:\n        module: {url: 'file://module'}\n", i)
		}
		measure(b, "module="+name+"/program=build", func() *exec.Cmd { return exec.Command(build, "app", module, "-n", "apps") })
		measure(b, "module="+name+"/program=krm", func() *exec.Cmd { return run(one) })
		if name == "operator" {
			continue
		}
		measure(b, "module="+name+"/program=krm-twenty", func() *exec.Cmd { return run(twenty.String()) })
		cache := "TIMONI_CACHE_DIR=" + b.TempDir()
		for _, spec := range []string{one, twenty.String()} {
			if err := withVariable(run(spec), cache).Run(); err != nil {
				b.Fatal(err)
			}
		}
		measureWith(b, "module="+name+"/program=krm/cache=hit", cache, func() *exec.Cmd { return run(one) })
		measureWith(b, "module="+name+"/program=krm-twenty/cache=hit", cache, func() *exec.Cmd { return run(twenty.String()) })
	}
}

const functionHead = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig:\n  apiVersion: krm.timoni.sh/v1alpha1\n"

func withVariable(cmd *exec.Cmd, variable string) *exec.Cmd {
	cmd.Env = append(os.Environ(), variable)
	return cmd
}

func minimalModule(b *testing.B) string {
	b.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "modules", "minimal"))
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

// initModule returns a module as 'mod init' writes it.
func initModule(b *testing.B) string {
	b.Helper()
	cmd := exec.Command(binary(b, "kubectl-timoni-mod"), "init", "app")
	cmd.Dir = b.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("mod init: %v\n%s", err, out)
	}
	return filepath.Join(cmd.Dir, "app")
}

// operator returns a module of the shape of the largest in the wild, an
// operator's: 56 objects that the schemas of Kubernetes type, and six CRDs among
// them, 1.7 MB together. The first typed of these have a schema as well, as 'cue
// get go' writes it, the others are plain literals.
func operator(b testing.TB, typed int) string {
	b.Helper()
	dir := fixture.Module(b, map[string]string{
		"cue.mod/gen/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/types_go_gen.cue": crdSchema,
		"timoni.cue": operatorModule, "values.cue": "package main\n\nvalues: replicas: 2\n",
		"templates/config.cue": operatorConfig, "templates/objects.cue": operatorObjects,
	})
	for i := range 6 {
		fixture.Files(b, dir, map[string]string{fmt.Sprintf("templates/crd%d.cue", i): operatorCRD(i, i < typed)})
	}
	minimal := filepath.Join("..", "..", "modules", "minimal", "cue.mod", "gen")
	if err := os.CopyFS(filepath.Join(dir, "cue.mod", "gen"), os.DirFS(minimal)); err != nil {
		b.Fatal(err)
	}
	return dir
}

// operatorCRD returns a CRD whose schema nests two levels.
func operatorCRD(n int, typed bool) string {
	var text strings.Builder
	clause, schema := "", ""
	if typed {
		clause = "import apiextensionsv1 \"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1\"\n\n"
		schema = "apiextensionsv1.#CustomResourceDefinition & "
	}
	fmt.Fprintf(&text, crdHead, n, clause, schema)
	writeProperties(&text, 2, 0)
	text.WriteString("}\n}]\n}\n}\n")
	return text.String()
}

func writeProperties(text *strings.Builder, depth, seed int) {
	text.WriteString("properties: {\n")
	for i := range 8 {
		fmt.Fprintf(text, "field%d: {\n\tdescription: %q\n", i, strings.Repeat(fmt.Sprintf("Field %d is what the controller reads. ", seed+i), 24))
		switch {
		case depth > 0 && i < 5:
			text.WriteString("type: \"object\"\n")
			writeProperties(text, depth-1, seed+i)
			text.WriteString("required: [\"field0\"]\n")
		case i%2 == 0:
			text.WriteString("type: \"array\"\nitems: {type: \"string\", maxLength: 63}\n")
		default:
			text.WriteString("type: \"string\"\nminLength: 1\nmaxLength: 253\npattern: \"^[a-z0-9]+$\"\n")
		}
		text.WriteString("}\n")
	}
	text.WriteString("}\n")
}

const crdHead = `package templates

%[2]scrds: "crd%[1]d": %[3]s{
	apiVersion: "apiextensions.k8s.io/v1"
	kind:       "CustomResourceDefinition"
	metadata: name: "widget%[1]ds.example.com"
	spec: {
		group: "example.com"
		names: {kind: "Widget%[1]d", plural: "widget%[1]ds", singular: "widget%[1]d", listKind: "Widget%[1]dList"}
		scope: "Namespaced"
		versions: [{
			name:    "v1"
			served:  true
			storage: true
			schema: openAPIV3Schema: {
				type: "object"
`

const operatorModule = `package main

import "timoni.sh/test/templates"

values: templates.#Config

timoni: {
	apiVersion: "v1alpha1"
	instance: templates.#Instance & {
		config: values
		config: metadata: {
			name:      string @tag(name)
			namespace: string @tag(namespace)
		}
	}
	apply: app: [for o in instance.objects {o}]
}
`

const operatorConfig = `package templates

import (
	"list"

	corev1 "k8s.io/api/core/v1"
)

#Image: {
	repository: *"registry.example.com/operator" | string
	tag:        *"1.0.0" | string
	digest:     *"" | string
	reference:  "\(repository):\(tag)"
}

#Component: {
	replicas:  *1 | int & >=0
	image:     #Image
	resources: corev1.#ResourceRequirements
	tolerations?: [...corev1.#Toleration]
	affinity?: corev1.#Affinity
	logLevel:  *"info" | "debug" | "warn" | "error"
	securityContext: corev1.#SecurityContext | *{
		allowPrivilegeEscalation: false
		capabilities: drop: ["ALL"]
	}
}

#Config: {
	metadata: {
		name!:      string
		namespace!: string
		labels: {[string]: string} & {"app.kubernetes.io/name": metadata.name}
	}
	replicas: *1 | int
	components: [string]: #Component
	for i in list.Range(0, 10, 1) {
		components: "part\(i)": replicas: *1 | int
	}
}
`

const operatorObjects = `package templates

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

#Deployment: appsv1.#Deployment & {
	#config: #Config
	#name:   string
	#part:   #config.components[#name]

	apiVersion: "apps/v1"
	kind:       "Deployment"
	metadata: {
		name:      "\(#config.metadata.name)-\(#name)"
		namespace: #config.metadata.namespace
		labels:    #config.metadata.labels
	}
	spec: {
		replicas: #part.replicas
		selector: matchLabels: app: #name
		template: {
			metadata: labels: app: #name
			spec: {
				serviceAccountName: "\(#config.metadata.name)-\(#name)"
				containers: [{
					name:            #name
					image:           #part.image.reference
					args: ["--log-level=\(#part.logLevel)"]
					securityContext: #part.securityContext
					resources:       #part.resources
					ports: [{name: "http", containerPort: 8080}]
					livenessProbe: httpGet: {path: "/healthz", port: "http"}
				}]
				if #part.tolerations != _|_ {tolerations: #part.tolerations}
				if #part.affinity != _|_ {affinity: #part.affinity}
			}
		}
	}
}

#Instance: {
	config: #Config
	objects: crds
	objects: {
		for part, _ in config.components {
			"deploy-\(part)": #Deployment & {#config: config, #name: part}
			"svc-\(part)": corev1.#Service & {
				apiVersion: "v1", kind: "Service"
				metadata: {name: "\(config.metadata.name)-\(part)", namespace: config.metadata.namespace, labels: config.metadata.labels}
				spec: {selector: app: part, ports: [{name: "http", port: 80, targetPort: "http"}]}
			}
			"sa-\(part)": corev1.#ServiceAccount & {
				apiVersion: "v1", kind: "ServiceAccount"
				metadata: {name: "\(config.metadata.name)-\(part)", namespace: config.metadata.namespace, labels: config.metadata.labels}
			}
			for n in ["a", "b"] {
				"cm-\(part)-\(n)": corev1.#ConfigMap & {
					apiVersion: "v1", kind: "ConfigMap"
					metadata: {name: "\(config.metadata.name)-\(part)-\(n)", namespace: config.metadata.namespace, labels: config.metadata.labels}
					data: level: config.components[part].logLevel
				}
			}
		}
	}
}
`

const crdSchema = `package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

#JSON: _

#JSONSchemaPropsOrArray: _

#JSONSchemaPropsOrBool: _

#JSONSchemaProps: {
	id?:          string
	$schema?:     string
	$ref?:        null | string
	description?: string
	type?:        string
	format?:      string
	title?:       string
	default?:     null | #JSON
	maximum?:     null | number
	exclusiveMaximum?: bool
	minimum?:     null | number
	exclusiveMinimum?: bool
	maxLength?:   null | int
	minLength?:   null | int
	pattern?:     string
	maxItems?:    null | int
	minItems?:    null | int
	uniqueItems?: bool
	multipleOf?:  null | number
	enum?: [...#JSON]
	maxProperties?: null | int
	minProperties?: null | int
	required?: [...string]
	items?: null | #JSONSchemaPropsOrArray
	allOf?: [...#JSONSchemaProps]
	oneOf?: [...#JSONSchemaProps]
	anyOf?: [...#JSONSchemaProps]
	not?: null | #JSONSchemaProps
	properties?: {[string]: #JSONSchemaProps}
	additionalProperties?: null | #JSONSchemaPropsOrBool
	patternProperties?: {[string]: #JSONSchemaProps}
	nullable?: bool
	"x-kubernetes-preserve-unknown-fields"?: null | bool
	"x-kubernetes-embedded-resource"?: bool
	"x-kubernetes-int-or-string"?: bool
	"x-kubernetes-list-map-keys"?: [...string]
	"x-kubernetes-list-type"?: null | string
	"x-kubernetes-map-type"?: null | string
}

#CustomResourceDefinition: {
	metav1.#TypeMeta
	metadata?: metav1.#ObjectMeta
	spec: {
		group: string
		names: {plural: string, singular?: string, shortNames?: [...string], kind: string, listKind?: string, categories?: [...string]}
		scope: string & ("Cluster" | "Namespaced")
		versions: [...{
			name:     string
			served:   bool
			storage:  bool
			deprecated?: bool
			schema?: null | {openAPIV3Schema?: null | #JSONSchemaProps}
			subresources?: null | {status?: null | {}, scale?: null | {specReplicasPath: string, statusReplicasPath: string}}
			additionalPrinterColumns?: [...{name: string, type: string, description?: string, priority?: int, jsonPath: string}]
		}]
	}
}
`
