//go:build linux

package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// dialer opens connections from many addresses of the loopback network, as each has ports for some 28,000 connections only, of which those closed lately
// cannot be used again for a minute.
type dialer struct {
	to  syscall.SockaddrInet4
	key string
}

const (
	sources    = 64      // addresses: 127.0.1.1 and on
	dialing    = 32      // at once
	slowWindow = 4 << 10 // receive buffer of slow clients, so that they are what a slow network is: what they have not read yet waits at the server
	slowMSS    = 1400    // their segments, as on a network: those of the loopback, of 64 KB, never fit into such a buffer
)

func newDialer(address, key string) (*dialer, error) {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	return &dialer{to: syscall.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}, key: key}, nil
}

// dial connects a client and subscribes it. The socket that it leaves does not block.
func (d *dialer) dial(c *client) (err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = syscall.Close(fd)
		}
	}()
	if c.slow {
		if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, slowWindow); err != nil {
			return err
		}
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, slowMSS); err != nil {
			return err
		}
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1); err != nil { // when what is read came
		return err
	}
	if d.to.Addr[0] == 127 {
		// IP_BIND_ADDRESS_NO_PORT: the port is chosen when the peer is known, so that one port serves for many peers.
		const bindAddressNoPort = 24
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressNoPort, 1); err != nil {
			return err
		}
		if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(1 + c.index%sources)}}); err != nil {
			return err
		}
	}
	patience := syscall.NsecToTimeval(int64(20 * time.Second))
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience); err != nil {
		return err
	}
	to := d.to // Connect writes into it
	if err := syscall.Connect(fd, &to); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := d.upgrade(fd); err != nil {
		return err
	}
	if _, err := syscall.Write(fd, c.view.subscribe); err != nil {
		return err
	}
	c.fd = fd
	return syscall.SetNonblock(fd, true)
}

// upgrade makes the connection a WebSocket. It reads byte by byte towards the end of the answer, because what follows belongs to the client.
func (d *dialer) upgrade(fd int) error {
	request := "GET /v1/ws HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: bGF1cmVsLWJlbmNoLXdzIQ==\r\nAuthorization: Bearer " + d.key + "\r\n\r\n"
	if _, err := syscall.Write(fd, []byte(request)); err != nil {
		return err
	}
	var answer [4096]byte
	n, _, err := syscall.Recvfrom(fd, answer[:], syscall.MSG_PEEK)
	for err == nil && n > 0 {
		if end := bytes.Index(answer[:n], []byte("\r\n\r\n")); end >= 0 {
			n, err = syscall.Read(fd, answer[:end+4])
			break
		}
		n, _, err = syscall.Recvfrom(fd, answer[:], syscall.MSG_PEEK) // the head comes in one piece, nearly always
	}
	if err == nil && n == 0 {
		err = errors.New("the server closed the socket")
	}
	if err == nil && !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 101 ")) {
		err = fmt.Errorf("the server answered %.500q", answer[:n])
	}
	return err
}

// connect dials the clients, evenly over a time, and hands them to the poller.
func (d *dialer) connect(ctx context.Context, p *poller, clients []*client, over time.Duration) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(dialing)
	start := time.Now()
	for i, c := range clients {
		due := start.Add(over * time.Duration(i) / time.Duration(len(clients)))
		if err := pause(ctx, time.Until(due)); err != nil {
			break
		}
		g.Go(func() error {
			c.dialled = time.Now()
			if err := d.dial(c); err != nil {
				return fmt.Errorf("client %s: %w", strconv.Itoa(c.index), err)
			}
			var err error
			p.do(func() { err = p.add(c) })
			return err
		})
	}
	return g.Wait()
}
