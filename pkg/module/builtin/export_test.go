// SPDX-License-Identifier: Apache-2.0

package builtin

// Kubernetes is the version whose kinds are known.
const Kubernetes = kubernetes

// NotObjects are the kinds that cannot be applied, a line for each.
const NotObjects = notObjects
