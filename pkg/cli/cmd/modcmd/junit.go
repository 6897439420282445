// SPDX-License-Identifier: Apache-2.0

package modcmd

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cli/ui"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/internal/action/mod"
)

// The elements of a JUnit report, as far as CI systems agree on them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes the report for CI systems.
func writeJUnit(w io.Writer, r report) error {
	const suite = "mod test"
	seconds := func(s float64) string { return fmt.Sprintf("%.3f", s) }
	cases := make([]junitCase, len(r.Tests))
	for i, t := range r.Tests {
		cases[i] = junitCase{Name: t.Name, Class: suite, File: t.File, Time: seconds(t.Seconds)}
		if t.Status == mod.Failed {
			text := strings.Join(t.Failures, "\n")
			first, _, _ := strings.Cut(text, "\n")
			cases[i].Failure = &junitFailure{Message: first, Text: text}
		}
	}
	out, err := xml.MarshalIndent(junitSuites{
		Tests: len(cases), Failures: r.Failed, Time: seconds(r.Seconds),
		Suites: []junitSuite{{Name: suite, Tests: len(cases), Failures: r.Failed, Time: seconds(r.Seconds), Cases: cases}},
	}, "", "  ")
	if err != nil {
		return err
	}
	_, err = ui.Printf(w, "%s%s\n", xml.Header, out)
	return err
}
