//go:build !linux && !darwin

package ws

import "syscall"

// limitUnsent does nothing where the kernel does not offer it: slow clients hold older news there.
func limitUnsent(syscall.RawConn) {}
