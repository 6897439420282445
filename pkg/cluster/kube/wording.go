// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/mask"
)

// wrongType matches what the server says of a value of another type than the
// schema wants: it prints the Go struct that holds the value.
var wrongType = regexp.MustCompile(`expected (\w+), got &(?:value\.valueUnstructured\{Value:|\{)(map\[.*|\[\].*|interface \{\}\(nil\)|[^{}]*)\}`)

// withoutInternals returns an error of the server that names a value of a wrong
// type as the user knows it.
func withoutInternals(err error) error {
	return mask.Error(err, func(text string) string {
		return wrongType.ReplaceAllStringFunc(text, func(found string) string {
			part := wrongType.FindStringSubmatch(found)
			return "expected " + typeName(part[1]) + ", got " + valueName(part[2])
		})
	})
}

func typeName(name string) string {
	if name == "numeric" {
		return "a number"
	}
	return "a " + name
}

func valueName(value string) string {
	switch {
	case value == "true" || value == "false":
		return "the boolean " + value
	case strings.HasPrefix(value, "map["):
		return "a map"
	case strings.HasPrefix(value, "[]"):
		return "a list"
	case strings.HasSuffix(value, "(nil)"):
		return "null"
	case strings.HasPrefix(value, `"`):
		return "the string " + value
	case value == mask.Hidden:
		return value
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return "the number " + value
	}
	return "the string " + strconv.Quote(value)
}
