// SPDX-License-Identifier: Apache-2.0

// Package registry is the district between a reference and a directory of
// verified content. It has no code of its own.
//
// In: a reference to a directory, an archive or a registry, credentials, a
// policy. Out: a directory whose content has the digest and the signatures that
// were asked for; in the other direction, an artifact that is pushed and signed.
//
//   - archive packs and unpacks artifacts, and knows no network.
//   - cache keeps what was pulled, by digest.
//   - mirror says where to read instead.
//   - session talks to a registry: credentials, retries, limits.
//   - oci pushes, lists and pulls artifacts.
//   - sign has signatures: by key, without a key, and the policy of trust.
//   - attest writes statements about a module's content and origin.
//   - source opens a reference, whatever it refers to.
//
// All that comes from a registry, an archive or a cache is hostile until it is
// verified. The district never knows clusters, terminals or flags.
package registry
