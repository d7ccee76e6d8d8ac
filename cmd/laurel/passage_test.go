package main

import (
	"bytes"
	"context"
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
	passageFuture = 5 * time.Minute
	passageSlot   = 15 * time.Minute // what is received in one is sent at once; periods end with one, whatever the zone
)

// passage sends histories while the clock moves as it did.
type passage struct {
	*replay
	random *rand.Rand
	own    map[string][]oracle.Record // what was accepted
	active map[string]time.Time       // when somebody was last heard of
	prompt map[string]bool            // whose activities all came in their slot and with one offset
	told   *told
	models chan *oracle.Model // those that are not in use: they remember what they found out about zones

	refused, asked, past int
}

// TestReplay_AsTimePassed replays recorded histories by the clock that they were received at. Each month the streaks of all who were heard of in the last
// three, and of some others, must equal the model's, then and at an instant before that; each year, and at the end, what events tell must be what stands.
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
	p := &passage{random: rand.New(rand.NewPCG(seed, 0)), own: map[string][]oracle.Record{}, active: map[string]time.Time{}, prompt: map[string]bool{},
		models: make(chan *oracle.Model, replayWorkers)}
	first, last := records[0].Received.UTC(), records[len(records)-1].Received.UTC()
	p.replay = startReplay(t, definitions, first)
	p.streaks = streaks
	p.told = newTold(p.replay)
	for range replayWorkers {
		p.models <- &oracle.Model{Org: oracle.Org{Zone: time.UTC, WeekStart: time.Monday}}
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
	t.Logf("%d users, %d streaks of each, %d months: %d answers and %d of an instant before equal the model; %d activities came too late or early",
		len(p.own), len(streaks), months, p.asked, p.past, p.refused)
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
	for _, r := range records {
		if err := lines.Encode(item{ID: r.ID, User: r.User, Name: r.Name, At: r.At.Format(time.RFC3339), Meta: r.Meta}); err != nil {
			p.t.Fatal(err)
		}
		if r.At.Before(p.now.Add(-passagePast)) || r.At.After(p.now.Add(passageFuture)) {
			p.refused++
			continue
		}
		accepted++
		p.active[r.User] = p.now
		had := p.own[r.User]
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
}

// heardOf is how long after an activity a user is looked at each month; 1 in sampled of the others are. A history of more activities than long, which takes the
// model long, is looked at that much more rarely.
const (
	heardOf = 95 * 24 * time.Hour
	sampled = 40
	long    = 300
)

// compareMonth compares users with the model as of now, and some of them as of an instant at which the log is still whole.
func (p *passage) compareMonth() {
	p.t.Helper()
	var g errgroup.Group
	g.SetLimit(replayWorkers)
	for user, own := range p.own {
		if p.now.Sub(p.active[user]) > heardOf && p.random.IntN(sampled) > 0 || p.random.IntN(len(own)) >= long {
			continue
		}
		p.asked++
		compare := func(at time.Time) {
			g.Go(func() error {
				_, err := p.compareAsOf(user, own, at)
				return err
			})
		}
		compare(p.now)
		if p.random.IntN(6) == 0 {
			p.past++
			compare(p.now.Add(-p.within(85 * 24 * time.Hour)))
		}
	}
	if err := g.Wait(); err != nil {
		p.t.Fatal(err)
	}
}

// compareAsOf compares a user's streaks by the activities up to an instant.
func (p *passage) compareAsOf(user string, own []oracle.Record, at time.Time) ([]oracle.View, error) {
	m := <-p.models
	defer func() { p.models <- m }()
	m.Records = m.Records[:0]
	for i := range own {
		if at.Equal(p.now) || !own[i].At.After(at) {
			m.Records = append(m.Records, own[i])
		}
	}
	return p.compareStreaks(user, m, at)
}

// compareEnd compares everybody's streaks, the boards of their lengths, and what events told of them, one by one.
func (p *passage) compareEnd() {
	p.t.Helper()
	lengths := newLengthBoards()
	var g errgroup.Group
	g.SetLimit(replayWorkers)
	for user, own := range p.own {
		g.Go(func() error {
			views, err := p.compareAsOf(user, own, p.now)
			for i := range views {
				s := &p.streaks[i]
				lengths.add(s.ID+".current", user, views[i].Current)
				lengths.add(s.ID+".longest", user, views[i].Longest)
				if p.prompt[user] {
					err = p.told.compare(user, s, &views[i], err)
				}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		p.t.Fatal(err)
	}
	for board, want := range lengths.rows {
		oracle.Rank(want, false)
		if err := p.compareBoard(board, "all", want); err != nil {
			p.t.Fatal(err)
		}
	}
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
