package ws

import (
	"fmt"
	"testing"
	"time"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// drop is the sink of a WebSocket whose socket takes everything at no cost.
type drop struct{ frames }

func (*drop) offer([]byte) ([]byte, error) { return nil, nil }

// BenchmarkFrame is what a frame costs beside the kernel: a change of a top 10 on its way to 5,000 connections (docs/adr/0009).
func BenchmarkFrame(b *testing.B) {
	const many = 5000
	f := newFixture(b, func(o *Options) { o.Tick, o.Metrics = time.Nanosecond, Metrics{} })
	v := newView(viewKey{}, query.View{}, f.hub.boards)
	period := &query.Period{Label: "all"}
	show := func(n int) {
		rows := make([]query.Row, 10)
		for i := range rows {
			rows[i] = query.Row{Rank: i + 1, User: activity.User(fmt.Sprintf("user-%d", i)), Score: query.Score{Scaled: int64(1_000_000 + n)}, ReachedAt: 1_700_000_000_000}
		}
		v.changed = v.publish(&query.Frame{Period: period, Rows: rows, Total: 100}, time.Time{})
	}
	show(0)
	for range many {
		c := newConn(f.hub, &admission{identity: &Identity{}}, time.Hour)
		c.out = &drop{}
		s := &subscription{id: "v", conn: c, view: v, gap: f.hub.o.Tick}
		s.quoted = []byte(`"v"`)
		v.addLocked(s)
	}
	wakeAll(v.offerAll(nil))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		show(n)
		wakeAll(v.offerAll(nil))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/many, "ns/frame")
}
