// SPDX-License-Identifier: Apache-2.0

package saved

// Encode and Decode are the two ways between a plan and the content of a file.
var (
	Encode = encode
	Decode = decode
)
