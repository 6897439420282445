// SPDX-License-Identifier: Apache-2.0

package ready

import (
	"regexp"
	"strings"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// IsAbout says whether an event about one object is about another, or about what
// controllers have made for that, which they name after it.
func IsAbout(about, o event.Object) bool {
	if about.Namespace != o.Namespace {
		return false
	}
	if about.Kind == o.Kind && about.Group == o.Group && about.Name == o.Name {
		return true
	}
	return isNamedAfter(about.Kind, about.Name, o)
}

// Names are generated with at most generatedStem characters, which end in a dash
// if they fit, and randomLength more.
const (
	generatedStem = 58
	randomLength  = 5
	hashLength    = 10 // at most
)

// isNamedAfter says whether an object has a name that the controller of another
// gives: web-7d9f8b6c5d-x2x2x is a Pod of the Deployment web, and none is of
// web that another controller has made for web-2.
func isNamedAfter(kind, name string, o event.Object) bool {
	pattern := namePatterns()[o.Group+"/"+o.Kind+" "+kind]
	if pattern == nil {
		return false
	}
	if kind == "Pod" && len(name) == generatedStem+randomLength && len(o.Name) >= generatedStem-len("--")-hashLength {
		stem := name[:generatedStem] // which was too long for all of the name
		return strings.HasPrefix(stem, o.Name+"-") || strings.HasPrefix(o.Name, stem)
	}
	if kind == "PersistentVolumeClaim" { // TEMPLATE-NAME-ORDINAL
		_, ordinal, found := cutLast(name, "-"+o.Name+"-")
		return found && pattern.MatchString(ordinal)
	}
	rest, found := strings.CutPrefix(name, o.Name+"-")
	return found && pattern.MatchString(rest)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i > 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

var (
	// Kubernetes leaves vowels and what looks like them out of what it generates.
	hashRE       = regexp.MustCompile(`^[b-df-hj-np-tv-xz2-9]{5,10}$`)
	hashRandomRE = regexp.MustCompile(`^[b-df-hj-np-tv-xz2-9]{5,10}-[b-df-hj-np-tv-xz2-9]{5}$`)
	randomRE     = regexp.MustCompile(`^[b-df-hj-np-tv-xz2-9]{5}$`)
	ofJobRE      = regexp.MustCompile(`^(?:[0-9]+-)?[b-df-hj-np-tv-xz2-9]{5}$`)
	ordinalRE    = regexp.MustCompile(`^[0-9]+$`)
	minuteRE     = regexp.MustCompile(`^[0-9]{8,10}$`)
	ofMinuteRE   = regexp.MustCompile(`^[0-9]{8,10}(?:-[0-9]+)?-[b-df-hj-np-tv-xz2-9]{5}$`)
)

// namePatterns returns what follows the name of an owner, by GROUP/KIND of that
// and the kind of what is made.
func namePatterns() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"apps/Deployment ReplicaSet":             hashRE,
		"apps/Deployment Pod":                    hashRandomRE,
		"apps/ReplicaSet Pod":                    randomRE,
		"/ReplicationController Pod":             randomRE,
		"apps/DaemonSet Pod":                     randomRE,
		"apps/StatefulSet Pod":                   ordinalRE,
		"apps/StatefulSet PersistentVolumeClaim": ordinalRE,
		"batch/CronJob Job":                      minuteRE,
		"batch/CronJob Pod":                      ofMinuteRE,
		"batch/Job Pod":                          ofJobRE,
	}
}
