//go:build linux || darwin

package ws

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// limitUnsent has the kernel keep no more than a few KB that are not on their way yet. It would buffer megabytes for a client that reads slowly, and what such
// a client reads would then be minutes old, however late the hub decides what to send.
func limitUnsent(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent) // refused by what is no TCP, which has other buffers
	})
}
