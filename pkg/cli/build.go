// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// headSize is how much of an executable holds Go's build ID, and more: it is
// before the code or at its beginning.
const headSize = 64 << 10

// BuildID tells the running program from its other builds, and with it says what
// the evaluator of CUE reads from the environment. It is empty where the
// executable cannot be read.
func (e Env) BuildID() string {
	if e.Executable == nil || e.Environ == nil {
		return ""
	}
	name, err := e.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	h := sha256.New()
	if _, err = io.Copy(h, io.LimitReader(f, headSize)); err != nil {
		return ""
	}
	fmt.Fprintf(h, "%d %d\n", info.Size(), info.ModTime().UnixNano())
	environ := slices.Sorted(slices.Values(e.Environ()))
	for _, variable := range environ {
		if strings.HasPrefix(variable, "CUE_") {
			fmt.Fprintf(h, "%q\n", variable)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
