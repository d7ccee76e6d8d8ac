package query

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/rewards"
)

// Bounds of what is remembered of users: how much it takes, and as of how long ago a node must have followed all changes at least for it to be used.
const (
	userMemory  = 64 << 20
	followedFor = 2 * time.Second
)

// shownUser is what is remembered of a user: what the store has, and what is shown of that from one instant on up to another. It is immutable.
type shownUser struct {
	facts       *ingest.Facts
	entry       *registry.Entry // by which it is shown
	from, until calendar.Instant
	head        []byte              // the object up to its ranks, which are added as they are when it is read
	segments    map[string][]string // that the user is in, by rule
}

// right says whether head is right at now, by definitions.
func (u *shownUser) right(entry *registry.Entry, now calendar.Instant) bool {
	return u.entry == entry && u.from <= now && now < u.until
}

// bytes is what it takes, roughly.
func (u *shownUser) bytes() int {
	return len(u.facts.Content) + 2*len(u.head) + 512*len(u.facts.Grants) + 512 // the profile is in the head too
}

// following says whether what other nodes commit is known here: only then is what is remembered of users used, and added to.
func (r *Reader) following() bool { return r.boards.Ready() && r.boards.Age() <= followedFor }

// recalled is what is remembered of a user, nil for nothing that can be used.
func (r *Reader) recalled(key feed.UserKey) *shownUser {
	if !r.following() {
		return nil
	}
	u, _ := r.users.Get(key)
	return u
}

// shownNow is what is shown of a user, and the instant as of which it is. Errors as AppendUser.
func (r *Reader) shownNow(ctx context.Context, org activity.Org, user activity.User) (*shownUser, calendar.Instant, error) {
	key := feed.UserKey{Org: org, User: user}
	if known := r.recalled(key); known != nil {
		_, entry, err := r.ingest.Plan(org)
		if err != nil {
			return nil, 0, err
		}
		now := r.clock.Now()
		if known.right(entry, now) {
			return known, now, nil
		}
		if u, now, err := r.shownAgain(key, known); u != nil || err != nil {
			return u, now, err
		}
	}
	following, visit := r.following(), r.users.Begin(key)
	defer r.users.End(visit)
	facts, state, err := r.facts(ctx, org, user)
	if err != nil {
		return nil, 0, err
	}
	m, err := r.present(ctx, org, user, state)
	if err != nil {
		return nil, 0, err
	}
	o, view := r.userObject(m, user, facts)
	u, err := r.shown(o, m, view, facts)
	if err == nil && following && !m.folded {
		r.users.Keep(visit, string(facts.Version), u, u.bytes())
	}
	return u, m.now, err
}

// shownAgain makes anew what is shown of what is remembered: time has passed, or there are other definitions. nil where the store has to be asked.
func (r *Reader) shownAgain(key feed.UserKey, known *shownUser) (*shownUser, calendar.Instant, error) {
	m, err := r.remembered(key, known)
	if m == nil || err != nil {
		return nil, 0, err
	}
	o, view := r.userObject(m, key.User, known.facts)
	u, err := r.shown(o, m, view, known.facts)
	if err != nil {
		return nil, 0, err
	}
	r.users.Replace(key, known, u, u.bytes())
	return u, m.now, nil
}

// remembered is a user of whom something is remembered as of now; nil for one whose log is needed.
func (r *Reader) remembered(key feed.UserKey, known *shownUser) (*moment, error) {
	plan, entry, err := r.ingest.Plan(key.Org)
	if err != nil {
		return nil, err
	}
	s, err := progress.Parse(known.facts.Content)
	if err != nil || !s.Follows(plan) {
		return nil, err
	}
	return &moment{org: key.Org, plan: plan, entry: entry, state: s, now: r.clock.Now()}, nil
}

// current is a user as of now, read from the store only where nothing is remembered. It is for what follows from the state alone: a log read after it may be newer. Errors as moment.
func (r *Reader) current(ctx context.Context, org activity.Org, user activity.User) (*moment, error) {
	key := feed.UserKey{Org: org, User: user}
	if known := r.recalled(key); known != nil {
		if m, err := r.remembered(key, known); m != nil || err != nil {
			return m, err
		}
	}
	return r.moment(ctx, org, user, nil)
}

// currentOr is current, or as of an instant.
func (r *Reader) currentOr(ctx context.Context, org activity.Org, user activity.User, at *calendar.Instant) (*moment, error) {
	if at == nil {
		return r.current(ctx, org, user)
	}
	return r.moment(ctx, org, user, at)
}

// shown encodes what is shown of a user, of which view is what was earned, and says up to when it is so.
func (r *Reader) shown(o *userObject, m *moment, view *rewards.View, facts *ingest.Facts) (*shownUser, error) {
	head, err := json.Marshal(o, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	const next = `,"ranks":`
	u := &shownUser{facts: facts, entry: m.entry, from: m.now, until: m.until(o, view), segments: segmentsIn(m.plan, m.state)}
	u.head = append(append(make([]byte, 0, len(head)-1+len(next)), head[:len(head)-1]...), next...)
	return u, nil
}

// until is up to when an object that was made of the moment says what it would say then.
func (m *moment) until(o *userObject, view *rewards.View) calendar.Instant {
	until := m.state.Until(m.plan, view, m.now)
	for i := range o.Streaks {
		if lost := o.Streaks[i].Lost; lost != nil && lost.RestorableUntil != 0 {
			until = min(until, lost.RestorableUntil+1)
		}
	}
	for _, def := range m.plan.Catalog.KPIs {
		for _, t := range def.Targets {
			until = min(until, nextPeriod(m.plan.Calendar(), t.Cycle, m.now))
		}
	}
	return until
}
