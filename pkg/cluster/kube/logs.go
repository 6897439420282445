// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"io"

	"k8s.io/klog/v2"
)

// SilenceLogs keeps the libraries of Kubernetes from logging to stderr, which
// is for the progress and the one error of a command; what they would log
// comes back as an error too. The setting is the process's, so this is to be
// called once, before anything else of this package.
func SilenceLogs() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
}
