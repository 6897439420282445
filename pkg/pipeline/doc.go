// SPDX-License-Identifier: Apache-2.0

// Package pipeline is the district for pipelines of KRM functions: kustomize,
// kubectl kustomize and kpt. It has no code of its own.
//
// In: a ResourceList with a function config of kind Instance, Bundle or Vet.
// Out: a ResourceList with the rendered objects and the results.
//
//   - guard describes what is left of a kustomization without its functions.
//   - vet checks objects with definitions in CUE.
//   - krm is the function without its process, and builds kustomizations.
//
// A kustomization and what flows through it may come from a remote base: what
// it may read and reach is bounded. The district never knows clusters or
// terminals.
package pipeline
