// SPDX-License-Identifier: Apache-2.0

package kit

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// OpenTerminal returns the two ends of a terminal of that size: what a program
// writes to the one for programs is read from the other.
func OpenTerminal(columns, rows uint16) (reader, program *os.File, err error) {
	reader, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	var number, unlocked uint32
	size := [4]uint16{rows, columns}
	for _, c := range []struct {
		request uintptr
		arg     unsafe.Pointer
	}{
		{syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked)}, {syscall.TIOCGPTN, unsafe.Pointer(&number)}, {syscall.TIOCSWINSZ, unsafe.Pointer(&size)},
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, reader.Fd(), c.request, uintptr(c.arg)); errno != 0 {
			_ = reader.Close()
			return nil, nil, fmt.Errorf("make a terminal: %w", errno)
		}
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		_ = reader.Close()
	}
	return reader, program, err
}
