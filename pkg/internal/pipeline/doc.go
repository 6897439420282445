// SPDX-License-Identifier: Apache-2.0

// Package pipeline is the district for pipelines of KRM functions: kustomize,
// kubectl kustomize and kpt. It has no code of its own.
//
// In: a ResourceList with a function config of kind Instance, Bundle or Vet.
// Out: a ResourceList with the rendered objects and the results.
//
//   - vet checks objects with definitions in CUE.
//   - krm is the function without its process.
//   - intake reads objects and policies that are no part of a kustomization.
//   - kustomize builds and examines kustomizations.
//   - guard is the report of that examination. The front door reads it, and
//     must not link the libraries of kustomize and CUE, so it is a package of
//     its own.
//
// A kustomization and what flows through it may come from a remote base: what
// it may read and reach is bounded. The district never knows clusters or
// terminals.
package pipeline
