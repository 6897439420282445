// SPDX-License-Identifier: Apache-2.0

package mask

// Error returns an error whose text is what hide makes of it, and the error
// itself when that changes nothing.
func Error(err error, hide func(string) string) error {
	if err == nil {
		return nil
	}
	if text := hide(err.Error()); text != err.Error() {
		return &hiddenError{text: text, error: err}
	}
	return err
}

// hiddenError is an error with a text of its own. What is below it must not be
// printed, but tells its type, hints and the exit code.
type hiddenError struct {
	text string
	error
}

func (h *hiddenError) Error() string { return h.text }
func (h *hiddenError) Unwrap() error { return h.error }
