// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"strconv"
)

// cacheDirVariable is the environment variable with the directory of the
// cache; set but empty it means that nothing is cached. So does "false" in
// cachingVariable.
const (
	cacheDirVariable = "TIMONI_CACHE_DIR"
	cachingVariable  = "TIMONI_CACHING"
)

// CacheDir returns the directory for what can be fetched again: the one of
// cacheDirVariable, or one in the user's cache directory. It is empty where
// there is none.
func (e Env) CacheDir() string {
	if on, err := strconv.ParseBool(e.Getenv(cachingVariable)); err == nil && !on {
		return ""
	}
	if dir, ok := e.LookupEnv(cacheDirVariable); ok {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil || !filepath.IsAbs(dir) { // of a relative HOME
		return ""
	}
	return filepath.Join(dir, "kubectl-timoni")
}

// ConfigFile returns the path of a file in the directory that this project's
// settings have among the user's: timoni/NAME below $XDG_CONFIG_HOME, or where
// the operating system wants it. It is empty where there is none.
func (e Env) ConfigFile(name string) string {
	if dir := e.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "timoni", name)
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "timoni", name)
}
