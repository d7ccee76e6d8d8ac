package deployment

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// live is a live view of one board on one node, kept as docs/PROTOCOL.md says, through every loss of the connection.
type live struct {
	p           *process
	rule, label string

	mu    sync.Mutex
	seq   int
	rows  []row
	valid bool // a snapshot came on this connection
	fault string
	lag   []time.Duration // from the change that the server names to its arrival here
}

// frame is any message of the protocol.
type frame struct {
	Type, ID, Code, Detail string
	Seq, Prev              int
	AsOf                   time.Time `json:"as_of"`
	Rows, Upsert           []row
	Remove                 []string
}

// watch follows a board on a node until the test ends.
func watch(t *testing.T, p *process, rule, label string) *live {
	v := &live{p: p, rule: rule, label: label}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			v.connect(ctx)
			pause(ctx, 50*time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return v
}

// connect follows as long as the connection lasts.
func (v *live) connect(ctx context.Context) {
	dialer := websocket.Dialer{Subprotocols: []string{"laurel.v1"}, HandshakeTimeout: patience / 4}
	conn, _, err := dialer.DialContext(ctx, "ws"+v.p.base[len("http"):]+"/v1/ws", nil)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	v.mu.Lock()
	v.valid = false
	v.mu.Unlock()
	subscribe := map[string]any{"type": "subscribe", "id": "a", "view": map[string]any{"kind": "top", "rule": v.rule, "period": v.label, "limit": 1000}}
	if conn.WriteJSON(map[string]any{"type": "hello", "token": key}) != nil || conn.WriteJSON(subscribe) != nil {
		return
	}
	for {
		if conn.SetReadDeadline(time.Now().Add(40*time.Second)) != nil {
			return
		}
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		frames := []frame{{}}
		if text[0] == '[' {
			err = json.Unmarshal(text, &frames)
		} else {
			err = json.Unmarshal(text, &frames[0])
		}
		if err != nil {
			return
		}
		for i := range frames {
			if !v.take(&frames[i], conn) {
				return
			}
		}
	}
}

// take applies a message, and says whether the connection is still of use.
func (v *live) take(f *frame, conn *websocket.Conn) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch f.Type {
	case "ping":
		return conn.WriteJSON(map[string]any{"type": "pong"}) == nil
	case "snapshot":
		v.rows, v.seq, v.valid = f.Rows, f.Seq, true
	case "delta":
		if !v.valid || f.Prev != v.seq {
			v.fault = "a delta did not fit"
			return false
		}
		v.rows = slices.DeleteFunc(v.rows, func(r row) bool {
			return slices.Contains(f.Remove, r.User) || slices.ContainsFunc(f.Upsert, func(u row) bool { return u.User == r.User })
		})
		v.rows = append(v.rows, f.Upsert...)
		slices.SortFunc(v.rows, func(a, b row) int {
			return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ReachedAt, b.ReachedAt), cmp.Compare(a.User, b.User))
		})
		v.seq = f.Seq
		v.lag = append(v.lag, time.Since(f.AsOf))
	case "error":
		return false
	}
	return true
}

// now is what the view shows, and what was wrong with it.
func (v *live) now() ([]row, bool, string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.rows), v.valid, v.fault
}
