// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Right is what a user may do: a verb on a resource, in a namespace or, when
// that is empty, in all or on what is in none; with a name, on one object.
type Right struct {
	Verb string
	schema.GroupVersionResource
	Namespace, Name string
}

// IsForbidden says whether the server refused a request because a right is missing.
func IsForbidden(err error) bool { return apierrors.IsForbidden(err) }

// Allowed says whether the server lets the client do something, and why.
func (c *Client) Allowed(ctx context.Context, r Right) (allowed bool, reason string, err error) {
	var review struct {
		Status struct {
			Allowed bool   `json:"allowed"`
			Reason  string `json:"reason"`
		} `json:"status"`
	}
	err = c.review(ctx, "authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", map[string]any{
		"resourceAttributes": map[string]any{
			"verb": r.Verb, "group": r.Group, "version": r.Version, "resource": r.Resource, "namespace": r.Namespace, "name": r.Name,
		},
	}, &review)
	return review.Status.Allowed, review.Status.Reason, err
}

// WhoAmI returns the name of the user that the server takes the client for. A
// server older than Kubernetes 1.28 does not say it: that is NotFound.
func (c *Client) WhoAmI(ctx context.Context) (string, error) {
	var review struct {
		Status struct {
			UserInfo struct {
				Username string `json:"username"`
			} `json:"userInfo"`
		} `json:"status"`
	}
	err := c.review(ctx, "authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", nil, &review)
	return review.Status.UserInfo.Username, err
}

// review asks the server something about the client and decodes the answer.
func (c *Client) review(ctx context.Context, group, kind, resource string, spec, answer any) error {
	question := map[string]any{"apiVersion": group + "/v1", "kind": kind}
	if spec != nil {
		question["spec"] = spec
	}
	text, err := json.Marshal(question)
	if err != nil {
		return err
	}
	body, err := c.rest.Post().AbsPath("/apis/"+group+"/v1/"+resource).
		SetHeader("Content-Type", "application/json").Body(text).Do(ctx).Raw()
	if err != nil {
		return c.explain(err)
	}
	return json.Unmarshal(body, answer)
}
