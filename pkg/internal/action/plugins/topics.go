// SPDX-License-Identifier: Apache-2.0

package plugins

import "slices"

// Topic is something that the help explains and that is no verb.
type Topic struct {
	Name string
	Page string // in docs; empty for what Timoni spells otherwise
}

// Topics returns the topics of the help. None has the name of a verb.
func Topics() []Topic {
	return []Topic{
		{"getting-started", "getting-started.md"},
		{"instances", "apply.md"},
		{"setting-values", "values.md"},
		{"modules", "write-a-module.md"},
		{"bundles", "bundles.md"},
		{"kustomizations", "kustomize.md"},
		{"policies", "policies.md"},
		{"gitops", "gitops.md"},
		{"publishing", "publish.md"},
		{"output", "output.md"},
		{"editors", "editors.md"},
		{"helm", "helm.md"},
		{"security", "security.md"},
		{"errors", "troubleshooting.md"},
		{"glossary", "glossary.md"},
		{"timoni", ""},
	}
}

// FindTopic returns the topic of a name.
func FindTopic(name string) (Topic, bool) {
	i := slices.IndexFunc(Topics(), func(t Topic) bool { return t.Name == name })
	if i < 0 {
		return Topic{}, false
	}
	return Topics()[i], true
}
