// SPDX-License-Identifier: Apache-2.0

// Package module is the district that turns files and values into Kubernetes
// objects. It has no code of its own.
//
// In: the directory of a module, values in CUE, YAML or JSON, the name and
// namespace of an instance, the versions of the module and of Kubernetes. Out:
// stages of objects, the module's health checks, its images, and errors that
// point to the user's file, line and column.
//
//   - schema has the CUE that modules import, and the OpenAPI of Kubernetes.
//   - values reads and merges what the user gives, and explains errors in it.
//   - order puts the fields of values into the order of the module.
//   - outline finds the fields of a CUE file without parsing it.
//   - partial loads of vendored packages what the module refers to.
//   - wellknown has the cluster-scoped kinds of well-known projects.
//   - assignment makes values of PATH=VALUE.
//   - cuefile evaluates CUE files that are no module.
//   - render evaluates a module.
//   - crd reads CustomResourceDefinitions: schemas, validation, generated CUE.
//   - builtin knows what an API server refuses in Kubernetes' own kinds.
//
// The district never knows registries, clusters, terminals or flags.
package module
