package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"laurel/internal/oracle"
)

// passageOrg keeps logs so short that most of each history is folded into the base while it goes on.
const passageOrg = `
orgs:
  - id: git
    timezone: UTC
    limits: {max_past: 60d, log_days: 90}
    behaviours:
      - {name: commit, meta: {added: integer, deleted: integer, files: integer}}
    streaks:
`

// passageStreaks are the zones with and without freezes, and what else streaks can have.
func passageStreaks(t *testing.T) (definitions string, all []oracle.Streak) {
	var text strings.Builder
	text.WriteString(passageOrg)
	add := func(s oracle.Streak, zone, more string) {
		s.Mode = "event"
		if zone != s.Mode {
			loc, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			s.Mode, s.Zone = "named", loc
		}
		if f := s.Freezes; f.Max > 0 {
			more += fmt.Sprintf(", freezes: {initial: %d, earn_every: %d, max: %d}", f.Initial, f.EarnEvery, f.Max)
		}
		s.Conditions = []oracle.Condition{{Selector: oracle.Selector{Fold: "count"}, AtLeast: 1}}
		fmt.Fprintf(&text, "      - {id: %s, when: {name: commit}, unit: %s, target: 1, timezone: %s%s}\n", s.ID, s.Unit.Unit, zone, more)
		all = append(all, s)
	}
	day, week := oracle.Cycle{Unit: "day"}, oracle.Cycle{Unit: "week"}
	frozen := oracle.Freezes{Initial: 1, EarnEvery: 3, Max: 2}
	for i, zone := range []string{"event", "UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"} { // Apia skipped 2011-12-30
		add(oracle.Streak{ID: fmt.Sprintf("plain-%d", i), Unit: day}, zone, "")
		add(oracle.Streak{ID: fmt.Sprintf("frozen-%d", i), Unit: day, Freezes: frozen, AtRisk: 5 * time.Hour}, zone, ", at_risk: 5h")
	}
	add(oracle.Streak{ID: "grace", Unit: day, Grace: 20 * time.Hour, Freezes: oracle.Freezes{EarnEvery: 4, Max: 3}}, "event", ", grace: 20h")
	add(oracle.Streak{ID: "decay", Unit: day, Grace: 5 * time.Hour, OnMiss: "decay", Decay: 2}, "Pacific/Chatham", ", grace: 5h, on_miss: {decay: 2}")
	add(oracle.Streak{ID: "weekly", Unit: week, Grace: 12 * time.Hour, Freezes: frozen}, "UTC", ", grace: 12h")
	return text.String(), all
}

// Limits of passageOrg and the org defaults: what is sent when it is older or younger is refused.
const (
	passagePast   = 60 * 24 * time.Hour
	passageLog    = 85 * 24 * time.Hour // somewhat less than log_days
	passageFuture = 5 * time.Minute
	passageSlot   = 15 * time.Minute // what is received in one is sent at once; periods end with one, whatever the zone
)

// passage sends histories while the clock moves as it did.
type passage struct {
	*replay
	random    *rand.Rand
	own       map[string][]oracle.Record // what was accepted
	prompt    map[string]bool            // whose activities all came in their slot and with one offset
	told      *told
	witnesses []*witness // each of some users
	asked     asked

	refused, imported int
}

// asked is how often something was compared.
type asked struct {
	users int // streaks of one user as of now
	plain int // of these, with a model that knew nothing from before
	past  int // streaks of one user as of an instant before
}

func (a *asked) add(b asked) { *a = asked{a.users + b.users, a.plain + b.plain, a.past + b.past} }

// TestReplay_AsTimePassed replays recorded histories by the clock that they were received at. Each month, from their first activity on, everybody's streaks
// must equal the model's, and some of them at an instant before that; each year, and at the end, what events tell must be what stands.
func TestReplay_AsTimePassed(t *testing.T) {
	var records []oracle.Record
	for _, h := range readHistories(t) {
		records = append(records, h[:min(len(h), replayPart)]...)
	}
	if records == nil {
		return
	}
	slices.SortStableFunc(records, func(a, b oracle.Record) int { return a.Received.Compare(b.Received) })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	definitions, streaks := passageStreaks(t)
	p := &passage{random: rand.New(rand.NewPCG(seed, 0)), own: map[string][]oracle.Record{}, prompt: map[string]bool{}}
	first, last := records[0].Received.UTC(), records[len(records)-1].Received.UTC()
	p.replay = startReplay(t, definitions, first)
	p.streaks = streaks
	p.told = newTold(p.replay)
	for n := range replayWorkers {
		p.witnesses = append(p.witnesses, newWitness(p, rand.New(rand.NewPCG(seed, 1+uint64(n)))))
	}
	months := 0
	for month := monthAfter(first); !month.After(last.AddDate(0, 3, 0)); month = monthAfter(month) {
		now := month.Add(p.within(24 * time.Hour))
		n := slices.IndexFunc(records, func(r oracle.Record) bool { return r.Received.After(now) })
		if n < 0 {
			n = len(records)
		}
		p.send(records[:n])
		records = records[n:]
		p.setClock(now)
		p.compareMonth()
		p.told.read("")
		if months++; month.Month() == time.January {
			p.told.settle()
		}
	}
	p.told.settle()
	p.compareEnd()
	t.Logf("%d users, %d streaks of each, %d months: %d answers (%d streaks) and %d of an instant before equal the model; %d activities came too late or early, %d of which were imported",
		len(p.own), len(streaks), months, p.asked.users, p.asked.users*len(streaks), p.asked.past, p.refused, p.imported)
	t.Logf("the model made %d of the answers from the whole history alone, and the others as well from what it had decided the month before", p.asked.plain)
	t.Log(p.told)
}

func monthAfter(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// within is a random duration, in whole milliseconds.
func (p *passage) within(d time.Duration) time.Duration {
	return time.Duration(p.random.Int64N(d.Milliseconds())) * time.Millisecond
}

// send sends records slot by slot, at the instant of the last of each.
func (p *passage) send(records []oracle.Record) {
	p.t.Helper()
	for len(records) > 0 {
		slot := records[0].Received.Truncate(passageSlot)
		n := 1
		for n < len(records) && records[n].Received.Truncate(passageSlot).Equal(slot) {
			n++
		}
		p.setClock(records[n-1].Received)
		p.sendSlot(records[:n], slot)
		records = records[n:]
	}
}

func (p *passage) sendSlot(records []oracle.Record, slot time.Time) {
	p.t.Helper()
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	accepted := 0
	var history []oracle.Record // what comes too late of users who are not there yet is imported instead: it is all that some ever did
	for _, r := range records {
		if err := lines.Encode(item{ID: r.ID, User: r.User, Name: r.Name, At: r.At.Format(time.RFC3339), Meta: r.Meta}); err != nil {
			p.t.Fatal(err)
		}
		if r.At.Before(p.now.Add(-passagePast)) || r.At.After(p.now.Add(passageFuture)) {
			if p.refused++; p.own[r.User] == nil && r.At.Before(p.now) {
				history = append(history, r)
			}
			continue
		}
		accepted++
		had := p.own[r.User]
		if had == nil {
			p.witnesses[len(p.own)%len(p.witnesses)].meet(r.User)
		}
		inSlot := r.At.Truncate(passageSlot).Equal(slot)
		p.prompt[r.User] = inSlot && (had == nil || p.prompt[r.User] && r.At.Format("Z07:00") == had[0].At.Format("Z07:00"))
		p.own[r.User] = append(had, r)
	}
	var got report
	if err := p.client.call(p.t.Context(), http.MethodPost, "/v1/activities", "application/x-ndjson", body.Bytes(), &got); err != nil {
		p.t.Fatal(err)
	}
	if got.Accepted != accepted || got.Rejected != len(records)-accepted {
		p.t.Fatalf("of %d items at %s %d were accepted and %d rejected, should be %d: %+v", len(records), p.now, got.Accepted, got.Rejected, accepted, got.Results)
	}
	history = slices.DeleteFunc(history, func(r oracle.Record) bool { return p.own[r.User] != nil }) // and did something else in the slot
	p.importHistory(history)
}

// importHistory imports what users did who are not there yet. Of their streaks no event tells how they began.
func (p *passage) importHistory(records []oracle.Record) {
	p.t.Helper()
	if len(records) == 0 {
		return
	}
	if accepted, _ := p.replay.send(records); accepted != len(records) {
		p.t.Fatalf("of %d activities of new users %d were imported", len(records), accepted)
	}
	for _, r := range records {
		if p.own[r.User] == nil {
			p.witnesses[len(p.own)%len(p.witnesses)].meet(r.User)
		}
		p.own[r.User] = append(p.own[r.User], r)
		p.told.untold[r.User] = true
		p.imported++
	}
}

// compareMonth compares everybody with the model as of now.
func (p *passage) compareMonth() {
	p.t.Helper()
	if err := p.all((*witness).month); err != nil {
		p.t.Fatal(err)
	}
}

// all has all witnesses do something at once.
func (p *passage) all(do func(*witness) error) error {
	var g errgroup.Group
	for _, w := range p.witnesses {
		g.Go(func() error { return do(w) })
	}
	err := g.Wait()
	for _, w := range p.witnesses {
		p.asked.add(w.asked)
		w.asked = asked{}
	}
	return err
}

// compareEnd compares everybody's streaks, the boards of their lengths, and what events told of them, one by one.
func (p *passage) compareEnd() {
	p.t.Helper()
	lengths := newLengthBoards()
	err := p.all(func(w *witness) error { return w.end(lengths) })
	if err != nil {
		p.t.Fatal(err)
	}
	for board, want := range lengths.rows {
		oracle.Rank(want, false)
		if err := p.compareBoard(board, "all", want); err != nil {
			p.t.Fatal(err)
		}
	}
}
