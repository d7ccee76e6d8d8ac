package store

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// memory is the embedded Redis server. Commands are given to it directly, without a connection; reads by others come in through pipes, never a
// port of the machine. No key has a time to live, and its clock does not expire any: it would walk all keys on every command.
//
// Its ways that shape this package: a blocked or plain XREAD compares every entry of a stream, again after each command of anyone, so the change
// streams are read from history instead; XRANGE and XREVRANGE walk the whole stream; ZSCAN starts over with what is there now, and any
// rank read sorts the whole set.
type memory struct {
	mini *miniredis.Miniredis
	mu   sync.Mutex // one command or commit at a time through peer
	peer *server.Peer
	w    *bufio.Writer
	out  bytes.Buffer
	in   *bufio.Reader // of out
}

func newMemory() (*memory, error) {
	m := &memory{mini: miniredis.NewMiniRedis()}
	// Dial starts it without a listener.
	conn, err := m.mini.Dial()
	if err != nil {
		return nil, fmt.Errorf("start embedded server: %w", err)
	}
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("start embedded server: %w", err)
	}
	m.w, m.in = bufio.NewWriter(&m.out), bufio.NewReader(&m.out)
	m.peer = server.NewPeer(m.w)
	return m, nil
}

// do runs one command.
func (m *memory) do(words ...string) (any, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.doLocked(words)
}

func (m *memory) doLocked(words []string) (any, error) {
	m.out.Reset()
	m.mini.Server().Dispatch(m.peer, words)
	if err := m.w.Flush(); err != nil {
		return nil, err
	}
	m.in.Reset(&m.out)
	return readReply(m.in)
}

// exec runs commands as one transaction: readers see all of it or nothing.
func (m *memory) exec(commands [][]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.doLocked([]string{"MULTI"}); err != nil {
		return err
	}
	for _, words := range commands {
		if _, err := m.doLocked(words); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(words[:min(len(words), 2)], " "), err)
		}
	}
	_, err := m.doLocked([]string{"EXEC"})
	return err
}

func (m *memory) close() { m.mini.Close() }
