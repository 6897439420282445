// SPDX-License-Identifier: Apache-2.0

package release

import (
	"fmt"
	"strings"
)

// FormulaFile is where Homebrew looks for the formula in a tap, as which this
// repository serves.
const FormulaFile = "Formula/kubectl-timoni.rb"

// Formula returns the formula of the whole set for Homebrew.
func Formula(r Record) []byte {
	p := Packages()[0]
	var out strings.Builder
	out.WriteString(generated(r))
	fmt.Fprintf(&out, `class KubectlTimoni < Formula
  desc %q
  homepage %q
  version %q
  license "Apache-2.0"

`, p.Short+", as plugins of kubectl", homepage, strings.TrimPrefix(r.Version, "v"))
	for _, system := range []struct{ block, os string }{{"on_macos", "darwin"}, {"on_linux", "linux"}} {
		fmt.Fprintf(&out, "  %s do\n", system.block)
		for _, cpu := range []struct{ block, arch string }{{"on_arm", "arm64"}, {"on_intel", "amd64"}} {
			name := p.Archive(r.Version, Target{system.os, cpu.arch})
			if hash, ok := r.Archives[name]; ok {
				fmt.Fprintf(&out, "    %s do\n      url %q\n      sha256 %q\n    end\n", cpu.block, r.Base+"/"+name, hash)
			}
		}
		out.WriteString("  end\n\n")
	}
	out.WriteString(`  def install
    bin.install Dir["kubectl-timoni*"], "timoni-krm"
    man1.install Dir["man/*.1"]
    system bin/"kubectl-timoni", "completion", "install", "--dir", bin
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/kubectl-timoni version")
  end
end
`)
	return []byte(out.String())
}
