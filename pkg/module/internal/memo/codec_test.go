// SPDX-License-Identifier: Apache-2.0

package memo_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/api"
	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/internal/memo"
)

// entry holds every type of value that an object may have.
func entry() memo.Entry {
	return memo.Entry{
		ModulePath: "example.com/app", Values: "{}\n", Images: []string{"a:1"}, Warnings: []string{"careful"},
		Sets: []memo.Set{{
			Name: "app",
			Objects: []api.Object{{
				"text": "a\x00\xffé", "int": int64(math.MinInt64), "most": int64(math.MaxInt64), "float": 2.5, "large": 1e30,
				"flags": []any{true, false, nil}, "empty": map[string]any{"list": []any{}, "map": map[string]any{}, "": ""},
			}},
			Places: []memo.Place{{Path: "timoni.apply.app[0]", File: "timoni.cue", Line: 3, Column: 7}},
		}, {Name: "empty"}},
		Checks: []api.HealthCheck{{Name: "a", Group: "example.com", Kind: "Widget", CUE: "current: true\n"}},
	}
}

func TestEntry(t *testing.T) {
	t.Parallel()
	data, err := entry().Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := memo.DecodeEntry(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(entry(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for n := range data {
		if _, err := memo.DecodeEntry(data[:n]); err == nil {
			t.Errorf("the first %d bytes of %d are an entry, too", n, len(data))
		}
	}
	other := entry()
	other.Sets[0].Objects[0]["number"] = 1 // no object that was rendered holds an int
	if _, err := other.Encode(); err == nil {
		t.Error("an int was encoded")
	}
}

// FuzzDecodeEntry decodes anything: it must not panic, and what it takes is what
// Encode writes of it.
func FuzzDecodeEntry(f *testing.F) {
	data, err := entry().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := memo.DecodeEntry(data)
		if err != nil {
			return
		}
		again, err := first.Encode()
		if err != nil {
			t.Fatal(err)
		}
		second, err := memo.DecodeEntry(again)
		if err != nil {
			t.Fatal(err)
		}
		third, err := second.Encode()
		if err != nil || !bytes.Equal(third, again) { // NaN is not equal to itself
			t.Errorf("%v, or another entry", err)
		}
	})
}
