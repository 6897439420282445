// SPDX-License-Identifier: Apache-2.0

// Package cluster is the district that brings a cluster to the state that
// objects describe. It has no code of its own.
//
// In: stages of objects, the name of an instance, what the user allows. Out: a
// plan that the server has checked, events on the way, a record of what was
// applied.
//
//   - kube is the client: discovery, reads, writes, the errors of a server.
//   - store keeps the record, the ledger and the lock of an instance.
//   - delta compares objects for people.
//   - fieldset knows who owns which fields of an object.
//   - ready watches objects until they are ready, and says why they are not.
//   - survey finds what the cluster has of an instance, removal deletes it in
//     order, state shows it.
//   - apply plans, writes, prunes and puts things back; teardown deletes an
//     instance.
//
// What cannot be read is unknown, never absent. The district never knows CUE,
// registries, terminals or flags.
package cluster
