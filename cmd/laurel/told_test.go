package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/oracle"
)

// toldEvent is what is read of an event of a streak.
type toldEvent struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	At       string `json:"at"`
	User     string `json:"user"`
	Rule     string `json:"rule"`
	Undone   string `json:"undone"`
	Current  int    `json:"current"`
	Previous int    `json:"previous"`
	Length   int    `json:"length"`
	Returned int    `json:"freezes_returned"`
}

// told follows the events of all users, as a customer would who keeps the streaks by them.
type told struct {
	*replay
	after string
	types map[string]int
	log   map[string]map[string][]toldEvent // by rule and user
	// untold are users with streaks of which not all was told.
	untold map[string]bool

	mu       sync.Mutex
	compared int // streaks whose events were compared one by one
}

func newTold(r *replay) *told {
	d := &told{replay: r, types: map[string]int{}, log: map[string]map[string][]toldEvent{}, untold: map[string]bool{}}
	for _, s := range r.streaks {
		d.log[s.ID] = map[string][]toldEvent{}
	}
	return d
}

// read follows the events to their end; wait is a query for how long to wait for the first.
func (d *told) read(wait string) {
	d.t.Helper()
	for {
		var page struct {
			Events []toldEvent `json:"events"`
			Next   string      `json:"next"`
		}
		if err := d.get("/v1/events?type=streak.&limit=1000&after="+d.after+wait, &page); err != nil {
			d.t.Fatal(err)
		}
		if d.after = page.Next; len(page.Events) == 0 {
			return
		}
		for _, e := range page.Events {
			d.types[e.Type]++
			d.note(&e)
		}
	}
}

// note checks that an event goes on from what stood before: from the length that the last one left, or, of several that one commit tells, from that before
// the first of them.
func (d *told) note(e *toldEvent) {
	d.t.Helper()
	events := d.log[e.Rule][e.User]
	stood := []int{0}
	if n := len(events); n > 0 {
		stood[0] = events[n-1].Current
		for i := n - 1; i >= 0 && events[i].At == e.At; i-- {
			stood = append(stood, events[i].Previous)
		}
	}
	if !slices.Contains(stood, e.Previous) && !d.untold[e.User] {
		d.t.Errorf("event %+v after %+v", *e, events[max(0, len(events)-20):])
	}
	d.log[e.Rule][e.User] = append(events, *e)
}

// settle waits until deadlines that passed were swept: then the last event of each user's streak tells the length that stands on the board.
func (d *told) settle() {
	d.t.Helper()
	for i := range d.streaks {
		rule := d.streaks[i].ID
		diff := "not compared"
		for n := 0; diff != ""; n++ {
			lengths, err := d.currentLengths(rule)
			if err != nil {
				d.t.Fatal(err)
			}
			d.read("")
			maps.DeleteFunc(lengths, func(user string, _ int) bool { return d.untold[user] })
			want := map[string]int{}
			for user, events := range d.log[rule] {
				if e := events[len(events)-1]; e.Current > 0 && !d.untold[user] {
					want[user] = e.Current
				}
			}
			if diff = cmp.Diff(want, lengths); n > 100 {
				d.t.Fatalf("board of %s at %s (-events +board)\n%s", rule, d.now, diff)
			} else if diff != "" {
				d.read("&wait=1")
			}
		}
	}
}

// compare says whether what was told of a streak that nothing came late for is what the model shows in the end: every run, from its start to its end, and the
// freezes. Event by event: started 1, extended 2, …, lost.
func (d *told) compare(user string, s *oracle.Streak, v *oracle.View) error {
	if s.OnMiss != "" {
		return nil
	}
	var want, got []string
	for _, run := range v.Past {
		want = append(append(want, growth(run.Length)...), fmt.Sprintf("lost %d %s", run.Length, wireTime(run.At)))
	}
	want = append(want, growth(v.Current.Length)...)
	used := 0
	for _, e := range d.log[s.ID][user] {
		switch e.Type {
		case "streak.started", "streak.extended":
			got = append(got, fmt.Sprint(e.Type, " ", e.Current))
		case "streak.lost":
			got = append(got, fmt.Sprintf("lost %d %s", e.Length, e.At))
			used -= e.Returned
		case "streak.frozen":
			used++
		case "streak.undone":
			got = append(got, fmt.Sprintf("%+v", e))
		}
	}
	if !slices.Equal(want, got) || used != v.Used {
		return fmt.Errorf("events of %s %s: %d freezes used, the model has %d (-model +events)\n%s", user, s.ID, used, v.Used, cmp.Diff(want, got))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.compared++
	return nil
}

// currentLengths are the lengths on the board of a streak rule.
func (r *replay) currentLengths(rule string) (map[string]int, error) {
	lengths := map[string]int{}
	for {
		var page boardAnswer
		path := fmt.Sprintf("/v1/leaderboards/%s.current/all?limit=1000&offset=%d", rule, len(lengths))
		if err := r.client.call(context.Background(), http.MethodGet, path, "", nil, &page); err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			lengths[row.User] = int(row.Score)
		}
		if len(page.Rows) < 1000 {
			return lengths, nil
		}
	}
}

func growth(length int) (events []string) {
	for n := 1; n <= length; n++ {
		if n == 1 {
			events = append(events, "streak.started 1")
		} else {
			events = append(events, fmt.Sprint("streak.extended ", n))
		}
	}
	return events
}

// String says what was told.
func (d *told) String() string {
	var counts []string
	for _, name := range slices.Sorted(maps.Keys(d.types)) {
		counts = append(counts, fmt.Sprint(strings.TrimPrefix(name, "streak."), " ", d.types[name]))
	}
	return fmt.Sprintf("events: %s; those of %d streaks are the model's one by one", strings.Join(counts, ", "), d.compared)
}
