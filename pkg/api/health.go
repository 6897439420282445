// SPDX-License-Identifier: Apache-2.0

package api

// Health is what is known about the readiness of an object. The words are
// those of kstatus.
type Health string

// The values of Health.
const (
	HealthCurrent    Health = "Current"
	HealthInProgress Health = "InProgress"
	HealthFailed     Health = "Failed"
)
