// SPDX-License-Identifier: Apache-2.0

// Package action is the district of verbs: one function for each, a request in,
// a result out, events on the way. It has no code of its own.
//
// There is one package for each class of what a binary links, so that a binary
// without CUE or without client-go stays without: build (CUE), artifact (OCI),
// mod (CUE and OCI), deploy (CUE, OCI and client-go), instance (client-go),
// function (kustomize), vendor, verify (sigstore), expression (CEL, as a child
// process) and plugins (the front door: nothing heavy).
//
// The district never knows terminals or flags.
package action
