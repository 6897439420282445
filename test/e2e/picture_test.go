// SPDX-License-Identifier: Apache-2.0

package e2e_test

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkPicture holds the file of a picture to the lines that a page shows below
// it, which a run has printed. UPDATE=1 writes it.
func checkPicture(t *testing.T, file string, lines []string) {
	t.Helper()
	want := picture(lines)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, file) != want {
		t.Errorf("%s shows another run: run UPDATE=1 go test ./test/e2e -run TestPages", filepath.Base(file))
	}
}

// picture returns lines of a terminal as SVG.
func picture(lines []string) string {
	const column, row, margin = 8.4, 20, 16
	width := 0
	for _, line := range lines {
		width = max(width, utf8.RuneCountInString(line))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" role="img" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14">`+"\n",
		column*float64(width)+2*margin, row*len(lines)+2*margin)
	b.WriteString("<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Written by UPDATE=1 go test ./test/e2e -run TestPages from what a run printed. -->\n")
	b.WriteString(`<rect width="100%" height="100%" rx="8" fill="#0d1117"/>` + "\n")
	for i, line := range lines {
		if line != "" {
			fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s" xml:space="preserve">%s</text>`+"\n",
				margin, margin+row*i+row*3/4, colour(line), html.EscapeString(line))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// colour is that of a line: commands stand out, and so do errors.
func colour(line string) string {
	switch {
	case strings.HasPrefix(line, "$ "):
		return "#7ee787"
	case strings.HasPrefix(line, "error:"):
		return "#ff7b72"
	}
	return "#c9d1d9"
}
