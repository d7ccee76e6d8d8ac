package ws

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"
)

// TestDrain_ManyLoseNothing: what was announced before the drain reaches everyone, although no tick came in between, and everyone is told a moment of its own.
func TestDrain_ManyLoseNothing(t *testing.T) {
	const many = 300
	f := newFixture(t, func(o *Options) { o.Tick, o.Limits.HandshakeBurst = time.Hour, many })
	server := f.serve()
	clients := make([]*client, many)
	for i := range clients {
		clients[i] = greet(t, server, "visitor")
		clients[i].send(`[` + watchTop + `,{"type":"subscribe","id":"u","view":{"kind":"user","user":"ann"}}]`)
		clients[i].expect("snapshot")
		clients[i].expect("snapshot")
	}
	f.hub.Wake(f.source.set("ordinal", "ann", 77))
	f.tell("ann", `{"type":"last"}`)
	got := make([][]string, many)
	var reading sync.WaitGroup
	for i, c := range clients {
		reading.Go(func() { got[i] = c.toTheEnd() })
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f.hub.Drain(ctx)
	reading.Wait()

	moments := map[int64]int{}
	for i, messages := range got {
		all := strings.Join(messages, "\n")
		var last struct {
			Type string `json:"type"`
			In   int64  `json:"reconnect_in_ms"`
		}
		if len(messages) == 0 || json.Unmarshal([]byte(messages[len(messages)-1]), &last) != nil || last.Type != "drain" || last.In < 0 || last.In >= 1000 {
			t.Fatalf("client %d ended with %s", i, all)
		}
		moments[last.In]++
		if !strings.Contains(all, `"score":77`) || !strings.Contains(all, `{"type":"last"}`) {
			t.Fatalf("client %d lost what came last: %s", i, all)
		}
	}
	if len(moments) < many/2 {
		t.Errorf("%d clients come back at %d moments", many, len(moments))
	}
	wantEqual(t, f.gauge("connections"), 0)
	for _, code := range f.closedWith() {
		wantEqual(t, code, CloseDrain)
	}
}

// toTheEnd reads until the drain's close frame and returns the messages before it.
func (c *client) toTheEnd() (messages []string) {
	for {
		_ = c.ws.SetReadDeadline(time.Now().Add(patience))
		_, b, err := c.ws.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, int(CloseDrain)) {
				c.t.Error(err)
			}
			return messages
		}
		for _, m := range split(c.t, b) {
			messages = append(messages, string(m))
		}
	}
}

func TestSpread(t *testing.T) {
	for clients, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 500: time.Second, 501: 1002 * time.Millisecond, 5_000: 10 * time.Second,
		30_000: time.Minute, 1_000_000: time.Minute} {
		wantEqual(t, spread(clients), want)
	}
}
