// SPDX-License-Identifier: Apache-2.0

// Package docs holds the pages that 'kubectl timoni help TOPIC' prints.
package docs

import "embed"

// Pages are the files of the pages.
//
//go:embed apply.md bundles.md editors.md getting-started.md gitops.md glossary.md helm.md kustomize.md output.md policies.md publish.md security.md troubleshooting.md values.md write-a-module.md
var Pages embed.FS
