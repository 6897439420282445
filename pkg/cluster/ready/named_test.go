// SPDX-License-Identifier: Apache-2.0

package ready_test

import (
	"strings"
	"testing"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/ready"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/event"
)

// TestIsAbout tells what controllers make for an object from what they make for
// another whose name begins with the same word.
func TestIsAbout(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 55)
	of := func(group, kind, name string) event.Object {
		return event.Object{Group: group, Version: "v1", Kind: kind, Namespace: "apps", Name: name}
	}
	for name, tc := range map[string]struct {
		about, o event.Object
		want     bool
	}{
		"itself":                       {of("apps", "Deployment", "web"), of("apps", "Deployment", "web"), true},
		"of another group":             {of("x", "Deployment", "web"), of("apps", "Deployment", "web"), false},
		"another":                      {of("apps", "Deployment", "web-2"), of("apps", "Deployment", "web"), false},
		"ReplicaSet":                   {of("apps", "ReplicaSet", "web-5d79f54576"), of("apps", "Deployment", "web"), true},
		"ReplicaSet of another":        {of("apps", "ReplicaSet", "web-2-5d79f54576"), of("apps", "Deployment", "web"), false},
		"Pod":                          {of("", "Pod", "web-5d79f54576-qklm8"), of("apps", "Deployment", "web"), true},
		"Pod of another":               {of("", "Pod", "web-2-5d79f54576-qklm8"), of("apps", "Deployment", "web"), false},
		"Pod of a StatefulSet":         {of("", "Pod", "web-2"), of("apps", "StatefulSet", "web"), true},
		"Pod of another StatefulSet":   {of("", "Pod", "web-2-0"), of("apps", "StatefulSet", "web"), false},
		"ordinal, but of a Deployment": {of("", "Pod", "web-2-0"), of("apps", "Deployment", "web"), false},
		"Pod of a DaemonSet":           {of("", "Pod", "web-qklm8"), of("apps", "DaemonSet", "web"), true},
		"claim":                        {of("", "PersistentVolumeClaim", "data-web-0"), of("apps", "StatefulSet", "web"), true},
		"claim of another":             {of("", "PersistentVolumeClaim", "data-web-2-0"), of("apps", "StatefulSet", "web"), false},
		"Job of a CronJob":             {of("batch", "Job", "web-29012345"), of("batch", "CronJob", "web"), true},
		"Pod of a CronJob":             {of("", "Pod", "web-29012345-qklm8"), of("batch", "CronJob", "web"), true},
		"Pod of a Job":                 {of("", "Pod", "web-qklm8"), of("batch", "Job", "web"), true},
		"Pod of an indexed Job":        {of("", "Pod", "web-0-qklm8"), of("batch", "Job", "web"), true},
		"Pod with a long name":         {of("", "Pod", long+"-5dqklm8"), of("apps", "Deployment", long), true},
		"Pod whose owner was cut":      {of("", "Pod", long+"yyyqklm8"), of("apps", "Deployment", long+"yyyyy"), true},
		"long Pod of another":          {of("", "Pod", "web-"+long[:54]+"qklm8"), of("apps", "Deployment", "web"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ready.IsAbout(tc.about, tc.o); got != tc.want {
				t.Errorf("IsAbout(%s, %s) = %v", tc.about, tc.o, got)
			}
		})
	}
}
