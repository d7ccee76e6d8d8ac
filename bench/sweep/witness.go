package sweep

import (
	"bytes"
	"sync"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// witness notes when the follower of the change stream has read that a streak is lost.
type witness struct {
	mu    sync.Mutex
	times []lost // by user
}

// lost is what was seen of a user.
type lost struct {
	at   calendar.Instant // of the event: the deadline
	seen time.Time
	n    int
}

func newWitness(users int) *witness { return &witness{times: make([]lost, users)} }

func (w *witness) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.times)
}

const lostEvent = `{"type":"streak.lost","at":"`

func (w *witness) see(c feed.Change) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range c.Events {
		e := &c.Events[i]
		rest, isLost := bytes.CutPrefix(e.Body, []byte(lostEvent))
		end := bytes.IndexByte(rest, '"')
		user, known := userNumber(e.User)
		if !isLost || end < 0 || !known || e.Org == beside {
			continue
		}
		at, _, err := calendar.ParseInstant(string(rest[:end]))
		if l := &w.times[user]; err == nil {
			*l = lost{at, now, l.n + 1}
		}
	}
}

// lags says how long after its deadline each loss was seen, in no order, how many users were seen to lose, and how many of them more than once.
func (w *witness) lags(due func(calendar.Instant) time.Time) (lags []time.Duration, users, twice int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.times {
		l := &w.times[i]
		if l.n == 0 {
			continue
		}
		users++
		if l.n > 1 {
			twice++
		}
		lags = append(lags, l.seen.Sub(due(l.at)))
	}
	return lags, users, twice
}
