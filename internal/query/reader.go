package query

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/recent"
	"laurel/internal/registry"
	"laurel/ranking"
)

// Reader answers reads. It is safe for concurrent use.
type Reader struct {
	ingest *ingest.Service
	boards *ranking.Boards
	clock  *clock.Clock
	sealer sealer
	show   Show
	last   *atomic.Pointer[edition] // shared with those that With made, as rooms
	rooms  *rooms
	spans  *periods
	users  *recent.Users[*shownUser]
	nows   *sync.Map // activity.Org → *currentBoards
}

// New returns a Reader over the write path's plans and states and the boards in memory. It comes before the write path runs, which tells it of changes. secret gives what signs cursors: the same on all nodes, now and
// after a restart, or clients cannot go on where they were.
func New(s *ingest.Service, b *ranking.Boards, c *clock.Clock, secret func() []byte) *Reader {
	r := &Reader{ingest: s, boards: b, clock: c, sealer: sealer{secret}, last: new(atomic.Pointer[edition]), rooms: new(rooms), spans: new(periods),
		users: recent.New[*shownUser](userMemory), nows: new(sync.Map)}
	s.Watch(r.users.Drop, r.users.Reset)
	return r
}

// target is a board as a read names it: a rule and one period of one of its cycles.
type target struct {
	org       activity.Org
	rule      string
	cycle     calendar.Cycle
	ordinal   calendar.Ordinal
	span      calendar.Period // of ordinal
	label     string
	cal       *calendar.Calendar
	spans     *periods
	catalog   *catalog.Catalog
	decimals  int
	ascending bool
	ties      catalog.Ties
	kept      catalog.Kept
	// through is up to when periods are closed for certain, also where this node's clock is behind.
	through calendar.Instant
	pending bool // the rule is being filled
	// segment is whose board it is, "" for everyone's; segmentBy the attribute that it is a value of.
	segment, segmentBy string
	// profiles is Reader.profileRevision before anything was read: what rows show of profiles is of then, or newer.
	profiles uint64
}

// locate finds the board that a request names. ErrRuleNotFound, ErrBadPeriod, ErrPeriodGone.
func (r *Reader) locate(org activity.Org, rule, period string, now calendar.Instant) (*target, error) {
	t, cycles, err := r.describe(org, rule)
	if err != nil {
		return nil, err
	}
	if err := t.resolve(cycles, period, now); err != nil {
		return nil, err
	}
	t.span = t.spans.of(t.cal, t.cycle, t.ordinal)
	if t.gone(now) {
		return nil, detailed(ErrPeriodGone, "%s keeps %d periods of cycle %s after their close", rule, t.catalog.Rule(rule).Keep[t.cycle.Key()], t.cycle)
	}
	t.label = t.span.Label
	return t, nil
}

// describe returns a target that has no period yet, but knows how the rule's boards are numbered, and the rule's cycles. ErrRuleNotFound.
func (r *Reader) describe(org activity.Org, rule string) (*target, []calendar.Cycle, error) {
	plan, entry, err := r.ingest.Plan(org)
	if err != nil {
		return nil, nil, err
	}
	t, cycles, err := r.describeIn(plan, entry, org, rule)
	if err != nil {
		return nil, nil, err
	}
	return t, cycles, r.segmented(t)
}

// describeIn is describe by definitions that were looked up, and of everyone's boards.
func (r *Reader) describeIn(plan *progress.Plan, entry *registry.Entry, org activity.Org, rule string) (*target, []calendar.Cycle, error) {
	t := &target{org: org, rule: rule, cal: plan.Calendar(), spans: r.spans, catalog: entry.Catalog, kept: entry.Kept, through: entry.ClosedThrough,
		pending: r.ingest.Pending(org, rule), profiles: r.profileRevision()}
	if cr := t.catalog.Rule(rule); cr != nil {
		t.decimals, t.ascending, t.ties = cr.Decimals, cr.Ascending, cr.Ties
		return t, cr.Cycles, nil
	}
	if enrolments(t.catalog, rule) {
		return t, []calendar.Cycle{{Unit: calendar.All}}, nil
	}
	for _, suffix := range streakSuffixes {
		if id, ok := strings.CutSuffix(rule, suffix); ok && t.catalog.Streak(id) != nil {
			return t, []calendar.Cycle{{Unit: calendar.All}}, nil
		}
	}
	return nil, nil, detailed(ErrRuleNotFound, "the org has no rule %q", rule)
}

var streakSuffixes = [...]string{progress.CurrentSuffix, progress.LongestSuffix}

// boardRules are the ids under which an org has boards: its rules, and two of each streak rule.
func boardRules(c *catalog.Catalog) []string {
	var ids []string
	for _, rule := range c.Rules {
		ids = append(ids, rule.ID)
	}
	for _, s := range c.Streaks {
		for _, suffix := range streakSuffixes {
			ids = append(ids, s.ID+suffix)
		}
	}
	return ids
}

// resolve reads the period: a cycle (its current period), cycle~N (N before it), or a label.
func (t *target) resolve(cycles []calendar.Cycle, period string, now calendar.Instant) error {
	name, back, relative := strings.Cut(period, "~")
	for _, cy := range cycles {
		if cy.String() == name {
			t.cycle = cy
			return t.current(back, relative, now)
		}
	}
	for _, cy := range cycles {
		if o, err := t.cal.ParseLabel(cy, period); err == nil {
			t.cycle, t.ordinal = cy, o
			return nil
		}
	}
	return detailed(ErrBadPeriod, "%q is no period of rule %s; accepted: a cycle, cycle~N (N periods before), or a label: %s",
		period, t.rule, t.labelForms(cycles, now))
}

// labelForms says which labels the cycles have.
func (t *target) labelForms(cycles []calendar.Cycle, now calendar.Instant) string {
	forms := make([]string, len(cycles))
	for i, cy := range cycles {
		forms[i] = t.cal.LabelForms(cy, now)
		if cy.Unit != calendar.All { // whose label is its name
			forms[i] = cy.String() + " or " + forms[i]
		}
	}
	return strings.Join(forms, "; ")
}

const maxBack = 100_000

func (t *target) current(back string, relative bool, now calendar.Instant) error {
	n := 0
	if relative {
		var err error
		if n, err = strconv.Atoi(back); err != nil || n < 0 || n > maxBack || strconv.Itoa(n) != back {
			return detailed(ErrBadPeriod, "after ~ comes a number of periods, 0 to %d", maxBack)
		}
	}
	o, ok := t.cal.OrdinalAt(t.cycle, now)
	if !ok {
		return detailed(ErrBadPeriod, "no period of cycle %s runs now; accepted: %s", t.cycle, t.cal.LabelForms(t.cycle, now))
	}
	if t.ordinal, ok = t.cal.Before(t.cycle, o, n); !ok {
		return detailed(ErrBadPeriod, "cycle %s has no period %d before the current one", t.cycle, n)
	}
	return nil
}

func (t *target) closed(now calendar.Instant) bool {
	return t.span.Bounded && max(now, t.through) >= t.span.End+t.closeGrace()
}

func (t *target) closeGrace() calendar.Instant {
	return calendar.Instant(t.catalog.Limits.CloseGrace.Milliseconds())
}

// gone says whether the period is one that the rule no longer keeps. By the clock it is so at once; the fence, and with it the writers, follow within a moment.
func (t *target) gone(now calendar.Instant) bool {
	if !t.closed(now) {
		return false
	}
	r := t.catalog.Rule(t.rule)
	if r == nil {
		return false
	}
	first, some := t.catalog.FirstKept(r, t.cycle, max(now, t.through))
	return some && t.ordinal < first || t.kept.Gone(t.rule, t.cycle.Key(), t.ordinal)
}

func (t *target) period(now calendar.Instant) *Period {
	w := &Period{Label: t.label, Closed: t.closed(now)}
	if t.span.Bounded {
		w.Start, w.End = &t.span.Start, &t.span.End
	}
	return w
}

func (t *target) board() feed.Board {
	return feed.Board{Org: t.org, Rule: progress.SegmentBoard(t.rule, t.segment), Label: t.label}
}

// periodBefore is the target of the period before, nil if there is none.
func (t *target) periodBefore(now calendar.Instant) *target {
	p := t.earlier()
	if p == nil || p.gone(now) {
		return nil
	}
	return p
}

// earlier is the target of the period before, which may be gone; nil if there is none.
func (t *target) earlier() *target {
	if t.cycle.Unit == calendar.All {
		return nil
	}
	o, ok := t.cal.Before(t.cycle, t.ordinal, 1)
	if !ok {
		return nil
	}
	p := *t
	p.ordinal, p.span = o, t.spans.of(t.cal, t.cycle, o)
	p.label = p.span.Label
	return &p
}

func (t *target) order() ranking.Order {
	if t.ascending {
		return ranking.Ascending
	}
	return ranking.Descending
}

func (t *target) orderName() string {
	if t.ascending {
		return "asc"
	}
	return "desc"
}

func (t *target) score(v int64) Score { return Score{Scaled: v, Decimals: t.decimals} }

func (r *Reader) open(ctx context.Context, t *target) (*ranking.Board, error) {
	name, err := r.boardOf(ctx, t)
	if err != nil {
		return nil, err
	}
	return r.boards.Open(ctx, name, t.order())
}

// revisionWait bounds how long Wait waits.
const revisionWait = 2 * time.Second

// Wait returns when this node has applied everything up to a revision. ranking.ErrBadRevision, ranking.ErrEpochChanged; ErrBehind if that takes too long.
func (r *Reader) Wait(ctx context.Context, revision string) error {
	rev, err := ranking.ParseRevision(revision)
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, revisionWait)
	defer cancel()
	err = r.boards.WaitFor(wait, rev)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return ErrBehind
	}
	return err
}

// detailedError carries a text for the client beside its sentinel.
type detailedError struct {
	sentinel error
	text     string
}

func (e *detailedError) Error() string { return e.sentinel.Error() + ": " + e.text }
func (e *detailedError) Unwrap() error { return e.sentinel }

func detailed(sentinel error, format string, args ...any) error {
	return &detailedError{sentinel, fmt.Sprintf(format, args...)}
}

// Detail is the text for the client that an error of this package carries, "" if it has none.
func Detail(err error) string {
	var d *detailedError
	if errors.As(err, &d) {
		return d.text
	}
	var p *ParamError
	if errors.As(err, &p) {
		return p.Error()
	}
	return ""
}
