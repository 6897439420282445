// SPDX-License-Identifier: Apache-2.0

package fleet

// What the tests of the order see.
var (
	InOrder    = inOrder
	Backward   = backward
	IsSequence = isSequence
)

// SharedError is the error of an object that two instances render.
type SharedError = sharedError
