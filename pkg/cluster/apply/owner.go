// SPDX-License-Identifier: Apache-2.0

package apply

import (
	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/cluster/internal/ownership"
)

// checkOwner returns why an instance may not write a live object, nil when it
// may: it is its own, or may be adopted (docs/design.md, decision 5).
func checkOwner(live api.Object, m api.Metadata, adopt Adopt) error {
	if ownership.Is(live, m) || adopt == AdoptAll || ownership.IsNamespaceOf(live, m) {
		return nil
	}
	owner := ownership.Of(live)
	if owner == "" && adopt == AdoptUnmanaged {
		return nil
	}
	return &OwnedError{Object: live.Ref(), Owner: owner}
}
