// SPDX-License-Identifier: Apache-2.0

package values

import "path/filepath"

// Within says whether path lies in or below dir once links are resolved. The
// error says which of them does not exist.
func Within(dir, path string) (bool, error) {
	dir, err := resolved(dir)
	if err != nil {
		return false, err
	}
	if path, err = resolved(path); err != nil {
		return false, err
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel), nil
}

func resolved(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}
