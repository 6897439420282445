// SPDX-License-Identifier: Apache-2.0

package option

import (
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kubectl-timoni/kubectl-timoni/pkg/module/render"
)

// renderCacheVariable turns the cache of rendered results off: "off", "false" or "0".
const renderCacheVariable = "TIMONI_RENDER_CACHE"

// RenderCache is the flag about the cache of rendered results.
type RenderCache struct{ off bool }

// AddTo registers the flag.
func (c *RenderCache) AddTo(fs *pflag.FlagSet) {
	fs.BoolVar(&c.off, "no-render-cache", false, "evaluate the module, also when its result is in the cache; default: $"+renderCacheVariable+"=off")
}

// Cache returns the cache that the process has, nil for none.
func (c *RenderCache) Cache(process interface {
	Getenv(key string) string
	CacheDir() string
	BuildID() string
},
) *render.Cache {
	setting := process.Getenv(renderCacheVariable)
	on, err := strconv.ParseBool(setting)
	if c.off || strings.EqualFold(setting, "off") || err == nil && !on || process.CacheDir() == "" {
		return nil
	}
	return &render.Cache{Dir: process.CacheDir(), Program: process.BuildID()}
}
