// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"flag"
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
	// Errors go to stderr all the same unless the threshold is above them.
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(flags)
	_ = flags.Set("stderrthreshold", "FATAL") // a name that klog knows
}
