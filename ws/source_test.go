package ws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/query"
)

var _ Source = (*query.Reader)(nil)

// roundMS is the length of the fake source's only cycle, "round", whose labels are r0, r1, ….
const roundMS = 10_000

type entry struct {
	value   int64
	reached calendar.Instant
}

// content is boards as plain maps, sorted from nothing at every read.
type content struct {
	boards map[feed.Board]map[activity.User]entry
	users  map[activity.User]map[string]int
	names  map[activity.User]string // of profiles
	hidden map[activity.User]bool
	plain  bool // ties are numbered one after the other everywhere
}

func newContent() content {
	return content{make(map[feed.Board]map[activity.User]entry), make(map[activity.User]map[string]int), make(map[activity.User]string), make(map[activity.User]bool), false}
}

// fakeSource is content that changes.
type fakeSource struct {
	content
	clock *clock.Clock

	mu    sync.Mutex
	asOf  calendar.Instant
	fail  error // of Render, once set
	slow  chan struct{}
	calls int
}

func newFakeSource(c *clock.Clock) *fakeSource {
	return &fakeSource{clock: c, content: newContent()}
}

// set puts a user on the current board of a rule, or takes the user off with a negative value, and returns the change.
func (f *fakeSource) set(rule string, user activity.User, value int64) feed.Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	f.asOf++
	b := feed.Board{Org: "o", Rule: rule, Label: label(now)}
	if f.boards[b] == nil {
		f.boards[b] = make(map[activity.User]entry)
	}
	if value < 0 {
		delete(f.boards[b], user)
	} else {
		f.boards[b][user] = entry{value, f.asOf}
	}
	return feed.Change{Writes: []feed.Write{{Board: b, User: user, Removed: value < 0, Value: value, Reached: f.asOf}}}
}

// setMember changes a member of a user's object; a negative value takes it away.
func (f *fakeSource) setMember(user activity.User, name string, value int) feed.Change {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users[user] == nil {
		f.users[user] = map[string]int{}
	}
	f.asOf++
	f.users[user][name] = value
	if value < 0 {
		delete(f.users[user], name)
	}
	return feed.Change{Users: []feed.UserVersion{{Org: "o", User: user}}}
}

func (f *fakeSource) failWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// stall has user views wait until the channel is closed; nil ends it for those to come.
func (f *fakeSource) stall(until chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slow = until
}

func label(now calendar.Instant) string { return "r" + strconv.Itoa(int(now/roundMS)) }

func (f *fakeSource) Check(_ context.Context, _ activity.Org, v query.View) error {
	switch {
	case v.Kind == query.ViewUser && v.User == "nobody":
		return query.ErrUserNotFound
	case v.Kind == query.ViewUser:
		return nil
	case v.Rule != "ordinal" && v.Rule != "standard":
		return fmt.Errorf("check: %w", query.ErrRuleNotFound)
	case v.Period == "gone":
		return query.ErrPeriodGone
	case v.Period == "down":
		return errors.New("store: connection refused")
	case v.Period != "round" && v.Period != "round~1" && !strings.HasPrefix(v.Period, "r"):
		return query.ErrBadPeriod
	}
	return nil
}

func (f *fakeSource) Render(ctx context.Context, _ activity.Org, v query.View, previous *query.Frame) (*query.Frame, error) {
	f.mu.Lock()
	slow := f.slow
	f.mu.Unlock()
	if slow != nil && v.Kind == query.ViewUser {
		select {
		case <-slow:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.fail != nil {
		return nil, f.fail
	}
	now := f.clock.Now()
	frame := f.frame(v, now)
	frame.AsOf = f.asOf
	if previous != nil {
		same := *frame
		same.AsOf = previous.AsOf
		if reflect.DeepEqual(&same, previous) && f.asOf%2 == 0 { // odd: as a source that cannot tell cheaply
			return previous, nil
		}
	}
	return frame, nil
}

// frame is what a view shows.
func (f *content) frame(v query.View, now calendar.Instant) *query.Frame {
	frame := new(query.Frame)
	if v.Kind == query.ViewUser {
		frame.User = f.object(v.User, now)
	} else {
		f.board(frame, v, now)
	}
	return frame
}

// object is a user: the members that were set, and the user's rank, which others' writes move.
func (f *content) object(user activity.User, now calendar.Instant) []byte {
	object := map[string]int{"minute": int(now / 60_000)}
	for name, value := range f.users[user] {
		object[name] = value
	}
	for _, row := range f.rows(feed.Board{Org: "o", Rule: "ordinal", Label: label(now)}, "ordinal") {
		if row.User == user {
			object["rank"] = row.Rank
		}
	}
	b, err := json.Marshal(object, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return b
}

func (f *content) board(frame *query.Frame, v query.View, now calendar.Instant) {
	l := v.Period
	switch v.Period {
	case "round":
		l = label(now)
	case "round~1":
		l = label(now - roundMS)
	}
	n, err := strconv.Atoi(l[1:])
	if err != nil {
		panic(err)
	}
	start, end := calendar.Instant(n*roundMS), calendar.Instant((n+1)*roundMS)
	frame.Period = &query.Period{Label: l, Start: &start, End: &end, Closed: now >= end+3_000}
	rows := f.rows(feed.Board{Org: "o", Rule: v.Board(), Label: l}, v.Rule)
	frame.Total = len(rows)
	frame.Rows = choose(rows, v)
	for i := range frame.Rows {
		if v.Profiles() {
			frame.Rows[i].Profile.Name = f.names[frame.Rows[i].User]
		}
	}
}

// rows are those of a board, of users who are not hidden.
func (f *content) rows(b feed.Board, ties string) []query.Row {
	board := maps.Clone(f.boards[b])
	maps.DeleteFunc(board, func(u activity.User, _ entry) bool { return f.hidden[u] })
	if f.plain {
		ties = "ordinal"
	}
	return sorted(board, ties)
}

func choose(rows []query.Row, v query.View) []query.Row {
	switch v.Kind {
	case query.ViewTop:
		return rows[:min(v.Limit, len(rows))]
	case query.ViewRange:
		return rows[min(v.From-1, len(rows)):min(v.To, len(rows))]
	case query.ViewAround:
		at := slices.IndexFunc(rows, func(r query.Row) bool { return r.User == v.User })
		if at < 0 {
			return nil
		}
		return rows[max(0, at-v.Span):min(len(rows), at+v.Span+1)]
	}
	return slices.DeleteFunc(rows, func(r query.Row) bool { return !slices.Contains(v.Users, r.User) })
}

func sorted(board map[activity.User]entry, ties string) []query.Row {
	var rows []query.Row
	for user, e := range board {
		rows = append(rows, query.Row{User: user, Score: query.Score{Scaled: e.value}, ReachedAt: e.reached})
	}
	slices.SortFunc(rows, func(a, b query.Row) int {
		if a.Score.Scaled != b.Score.Scaled {
			return int(b.Score.Scaled - a.Score.Scaled)
		}
		if a.ReachedAt != b.ReachedAt {
			return int(a.ReachedAt - b.ReachedAt)
		}
		return strings.Compare(string(a.User), string(b.User))
	})
	for i := range rows {
		rows[i].Rank = i + 1
		if ties == "standard" && i > 0 && rows[i].Score == rows[i-1].Score {
			rows[i].Rank = rows[i-1].Rank
		}
	}
	return rows
}
