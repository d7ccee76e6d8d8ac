//go:build linux

package live

import (
	"cmp"
	"slices"
	"time"
)

// arrivals are the updates that a seq of a view is the first to show, by their requests.
type arrivals map[uint32][]int32

// arrived finds out which updates came with which seq of each view, from the scores that were shown.
func arrived(updates []update, seen []shown, views int) []arrivals {
	ofUser := make(map[int32][]update)
	for _, u := range updates {
		ofUser[u.user] = append(ofUser[u.user], u) // scores only grow
	}
	slices.SortFunc(seen, func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.view, b.view), cmp.Compare(a.user, b.user), cmp.Compare(a.seq, b.seq))
	})
	found := make([]arrivals, views)
	for i := range found {
		found[i] = make(arrivals)
	}
	for i := 0; i < len(seen); {
		view, user := seen[i].view, seen[i].user
		left := ofUser[user]
		for ; i < len(seen) && seen[i].view == view && seen[i].user == user; i++ {
			for len(left) > 0 && left[0].score <= seen[i].score {
				found[view][seen[i].seq] = append(found[view][seen[i].seq], left[0].batch)
				left = left[1:]
			}
		}
	}
	return found
}

// latencies fills in how late each client learned of each update that its view shows.
func (p *Push) latencies(r *run) {
	found := arrived(r.source.updates, r.poller.log.shown, len(r.views))
	sent, acked, landed, lag := newHistogram(), newHistogram(), newHistogram(), newHistogram()
	for _, t := range r.poller.log.receipts {
		_ = lag.RecordValue(max(t.lag.Microseconds(), 1))
		of := found[r.clients[t.client].view.index]
		for seq := t.from + 1; seq <= t.to; seq++ {
			batches := of[seq]
			for i := 0; i < len(batches); {
				j := i
				for j < len(batches) && batches[j] == batches[i] {
					j++
				}
				b, n := r.source.batches[batches[i]], int64(j-i)
				_ = sent.RecordValues(max((t.at-b.sent).Microseconds(), 1), n)
				_ = landed.RecordValues(max((t.at-t.lag-b.sent).Microseconds(), 1), n)
				_ = acked.RecordValues(max((t.at-b.acked).Microseconds(), 1), n)
				i = j
			}
		}
	}
	p.FromSent, p.FromAcked, p.ToSocket, p.GeneratorLag = quantiles(sent), quantiles(acked), quantiles(landed), quantiles(lag)
	p.Learned = sent.TotalCount()
	p.Missed = r.expected() - p.Learned
}

// expected is how often updates are to be learned of: each by each client whose view is sure to show it, slow ones left out.
func (r *run) expected() int64 {
	if r.o.View == "user" {
		return 0 // shows no scores that could be told apart
	}
	clients := make(map[int]int64) // by view
	for _, c := range r.clients {
		if !c.slow {
			clients[c.view.index]++
		}
	}
	var n int64
	for _, u := range r.source.updates {
		if r.o.View == "top" {
			n += clients[0]
		} else if int(u.user) < len(r.views) {
			n += clients[int(u.user)]
		}
	}
	return n
}

// frames fills in how many messages clients got.
func (p *Push) frames(r *run, seconds float64, before []traffic) {
	frames, bytes := make([]float64, 0, len(r.clients)), make([]float64, 0, len(r.clients))
	for i, c := range r.clients {
		n := c.frames - before[i].frames
		p.Frames += n
		frames = append(frames, float64(n)/seconds)
		bytes = append(bytes, float64(c.bytes-before[i].bytes)/seconds)
	}
	slices.Sort(frames)
	slices.Sort(bytes)
	most := len(frames) - 1
	p.FramesPerSecond = float64(p.Frames) / seconds
	p.FramesP99, p.FramesMax = frames[most*99/100], frames[most]
	p.BytesP99, p.BytesMax = bytes[most*99/100], bytes[most]
	p.MostInASecond, p.MostReadApart = mostWithin(r.poller.log.receipts, time.Second)
}

// mostWithin is the most messages that came to the socket of one client in any span of time of this length. Those that were read together have one stamp, the last one's: apart
// counts them as one.
func mostWithin(all []receipt, d time.Duration) (most, apart int) {
	of := make(map[int32][]time.Duration)
	for _, t := range all {
		of[t.client] = append(of[t.client], t.at-t.lag)
	}
	for _, times := range of {
		most = max(most, longest(times, d))
		apart = max(apart, longest(slices.Compact(times), d))
	}
	return most, apart
}

// longest is the most of these times, which are in order, within any span of this length.
func longest(times []time.Duration, d time.Duration) (most int) {
	first := 0
	for i, at := range times {
		for at-times[first] >= d {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// behind is how long ago what slow clients hold was the newest.
func (r *run) behind(now time.Duration) (late []time.Duration) {
	next := make(map[int]map[uint32]time.Duration) // when the seq behind one was first seen, by view
	for _, t := range r.poller.log.receipts {
		v := r.clients[t.client].view.index
		if next[v] == nil {
			next[v] = make(map[uint32]time.Duration)
		}
		if at, ok := next[v][t.from]; !ok || t.at < at {
			next[v][t.from] = t.at
		}
	}
	for _, c := range r.poller.slow {
		d := time.Duration(0)
		if c.held == nil {
			d = now
		} else if at, ok := next[c.view.index][uint32(c.held.seq)]; ok {
			d = now - at
		}
		late = append(late, d)
	}
	return late
}
