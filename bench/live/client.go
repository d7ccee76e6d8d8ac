//go:build linux

package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"
)

// watched is a view, and what is known of it.
type watched struct {
	index     int
	subscribe []byte // the frame that subscribes to it
	user      string // whose neighbours, or who; "" for top
	clients   int

	states map[uint64]*state // of its last few seqs
	steps  map[step]*state
	newest uint64
}

// step is a message to a client that holds a state, and so is the state that the client holds then.
type step struct {
	from    *state
	message uint64 // its hash
}

// keptSeqs bounds the states, and so roughly the steps, that are kept for clients that come later.
const keptSeqs = 256

// client is a connection.
type client struct {
	index   int
	fd      int
	view    *watched
	slow    bool
	dialled time.Time

	held    *state
	partial []byte // of a message that has not come whole
	frames  int
	bytes   int64
	err     error
}

// receipt is that a client took a step.
type receipt struct {
	at       time.Duration // since the log's start
	lag      time.Duration // since it was in the client's socket: this program's own
	client   int32
	from, to uint32 // seqs
}

// shown is that a user was shown with a score in a view first at a seq, as far as anyone was told.
type shown struct {
	view  int32
	user  int32
	seq   uint32
	score int64
}

// log is what the clients saw. Written by the poller's goroutine, read when that has ended or by its do.
type log struct {
	start    time.Time
	on       bool
	receipts []receipt
	shown    []shown
	settled  []time.Duration // from dialling to the first state, of each connection since start
}

// moment is when something came.
type moment struct {
	at  time.Time     // that it was read
	lag time.Duration // since it was in the socket
}

// take handles what came on a connection.
func (p *poller) take(c *client, b []byte, at moment) error {
	whole := b
	if len(c.partial) > 0 {
		c.partial = append(c.partial, b...)
		whole = c.partial
	}
	for {
		op, payload, rest, ok, err := frame(whole)
		if err != nil {
			return err
		}
		if !ok {
			c.partial = append(c.partial[:0], rest...)
			if len(rest) == 0 {
				c.partial = nil
			}
			return nil
		}
		c.frames++
		c.bytes += int64(len(whole) - len(rest))
		switch op {
		case opText:
			err = p.message(c, payload, at)
		case opClose:
			err = closeError(payload)
		}
		if err != nil {
			return err
		}
		whole = rest
	}
}

// message takes the client to the state that a message brings it to.
func (p *poller) message(c *client, payload []byte, at moment) error {
	v, from := c.view, c.held
	s := step{from, xxhash.Sum64(payload)}
	if next := v.steps[s]; next != nil {
		p.moved(c, from, next, at)
		return nil
	}
	list, err := decode(payload)
	if err != nil {
		return fmt.Errorf("%w in %.200q", err, payload)
	}
	for i := range list {
		if err := p.one(c, &list[i], at); err != nil {
			return err
		}
	}
	if v.clients > 1 && len(list) == 1 && c.held != from {
		v.steps[s] = c.held
	}
	return nil
}

var pong = appendFrame(nil, []byte(`{"type":"pong"}`))

func (p *poller) one(c *client, m *message, at moment) error {
	switch m.Type {
	case "ping":
		_, err := syscall.Write(c.fd, pong)
		return err
	case "error":
		return fmt.Errorf("%s: %s", m.Code, m.Detail)
	case "snapshot", "resumed", "delta":
	default: // welcome, period, event
		return nil
	}
	from := c.held
	next, rows, err := from.apply(m)
	if err != nil {
		return err
	}
	if next, err = p.share(c.view, next, rows); err != nil {
		return err
	}
	p.moved(c, from, next, at)
	return nil
}

// share makes all clients of a view that are at one seq hold the same state, as they must.
func (p *poller) share(v *watched, next *state, rows []row) (*state, error) {
	if known := v.states[next.seq]; known != nil && known.epoch == next.epoch {
		if known.total != next.total || !slices.Equal(known.rows, next.rows) {
			return nil, fmt.Errorf("seq %d of a view is not the same to all its clients", next.seq)
		}
		return known, nil
	}
	for i := range rows {
		if user, ok := p.names.index(rows[i].User); ok && (v.user == "" || v.user == rows[i].User) {
			p.log.shown = append(p.log.shown, shown{int32(v.index), int32(user), uint32(next.seq), rows[i].Score})
		}
	}
	if v.clients == 1 {
		return next, nil
	}
	v.states[next.seq] = next
	if v.newest = max(v.newest, next.seq); len(v.states) > 2*keptSeqs {
		for seq := range v.states {
			if seq+keptSeqs < v.newest {
				delete(v.states, seq)
			}
		}
		clear(v.steps)
	}
	return next, nil
}

func (p *poller) moved(c *client, from, to *state, m moment) {
	c.held = to
	at := m.at
	p.heard.Store(at.UnixNano())
	if from == nil || c.dialled != (time.Time{}) {
		p.log.settled = append(p.log.settled, at.Sub(c.dialled))
		c.dialled = time.Time{}
		p.ready.Add(1)
	}
	if p.log.on && from != nil && !c.slow {
		p.log.receipts = append(p.log.receipts, receipt{at.Sub(p.log.start), m.lag, int32(c.index), uint32(from.seq), uint32(to.seq)})
	}
}

// poller reads all sockets.
type poller struct {
	fd      int
	clients []*client
	slow    []*client
	names   names
	calls   chan func()
	ready   atomic.Int64 // connections that hold a state
	heard   atomic.Int64 // when a client took a step last, in ns
	lost    atomic.Int64 // connections that ended otherwise than by cut
	log     log
	buffer  []byte
	oob     [64]byte
}

// slowBytes is what a slow client reads, every slowEvery: 1 KB a second.
const (
	slowBytes = 100
	slowEvery = 100 * time.Millisecond
)

// pollMillis bounds how long do waits where nothing comes.
const pollMillis = 2

func newPoller(clients []*client, n names) (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return &poller{fd: fd, clients: clients, names: n, calls: make(chan func(), dialing), buffer: make([]byte, 256<<10)}, nil
}

// do has f done between two reads, and waits for it.
func (p *poller) do(f func()) {
	done := make(chan struct{})
	p.calls <- func() { f(); close(done) }
	<-done
}

// run reads until stop is closed.
func (p *poller) run(stop <-chan struct{}) error {
	events := make([]syscall.EpollEvent, 512)
	next := time.Now()
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		for len(p.calls) > 0 {
			(<-p.calls)()
		}
		n, err := syscall.EpollWait(p.fd, events, pollMillis)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			p.read(p.clients[e.Fd], p.buffer)
		}
		if now := time.Now(); now.After(next) {
			next = now.Add(slowEvery)
			for _, c := range p.slow {
				p.read(c, p.buffer[:slowBytes])
			}
		}
	}
}

// read reads once.
func (p *poller) read(c *client, b []byte) {
	if c.fd < 0 {
		return // cut in the same round
	}
	n, oobn, _, _, err := syscall.Recvmsg(c.fd, b, p.oob[:], 0)
	switch {
	case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
		return
	case err == nil && n == 0:
		err = errors.New("the server closed the socket")
	case err == nil:
		now := time.Now()
		err = p.take(c, b[:n], moment{now, lagOf(p.oob[:oobn], now)})
	}
	if err != nil {
		c.err = err
		p.lost.Add(1)
		p.cut(c)
	}
}

// lagOf is how long what was read had been in the socket, as the kernel says (SO_TIMESTAMPNS); 0 where it does not.
func lagOf(oob []byte, now time.Time) time.Duration {
	head := syscall.CmsgSpace(0)
	if len(oob) < head+16 { // two words of 64 bits behind the header
		return 0
	}
	seconds, nanos := binary.NativeEndian.Uint64(oob[head:]), binary.NativeEndian.Uint64(oob[head+8:])
	return max(now.Sub(time.Unix(int64(seconds), int64(nanos))), 0)
}

// cut closes a client's socket. What it holds it keeps.
func (p *poller) cut(c *client) {
	_ = syscall.Close(c.fd) // takes it out of the epoll set too
	c.fd, c.partial = -1, nil
}

// add has the poller read a connection. Sockets of slow clients are read by the clock.
func (p *poller) add(c *client) error {
	if c.slow {
		p.slow = append(p.slow, c)
		return nil
	}
	return p.watch(c)
}

func (p *poller) watch(c *client) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, c.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.index)})
}

// hurry lets slow clients read as the others do.
func (p *poller) hurry() error {
	for _, c := range p.slow {
		if c.fd >= 0 {
			if err := p.watch(c); err != nil {
				return err
			}
		}
	}
	p.slow = nil
	return nil
}

func (p *poller) close() {
	for _, c := range p.clients {
		if c.fd >= 0 {
			p.cut(c)
		}
	}
	_ = syscall.Close(p.fd)
}
