package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"laurel/internal/oracle"
)

// replayCatalog ranks and follows the authors of the recorded histories; replayRules and replayStreaks are the same for the model.
const replayCatalog = `
orgs:
  - id: git
    timezone: Europe/Rome
    limits: {log_days: forever}
    behaviours:
      - {name: commit, meta: {added: integer, deleted: integer, files: integer}}
    rules:
      - {id: commits, when: {name: commit}, value: count, cycles: [day, week, month, quarter, year, all]}
      - {id: lines, when: {name: commit, where: "meta.files < 500"}, value: {sum: meta.added}, cycles: [week, all, {every: 14d, from: 2026-01-05}], ties: standard}
      - {id: balance, when: {name: commit}, value: {sum: meta.added - meta.deleted}, cycles: [quarter, all], ties: dense}
      - {id: biggest, when: {name: commit}, value: {max: meta.added}, cycles: [year]}
      - {id: smallest, when: {name: commit}, value: {min: meta.added}, order: asc, cycles: [year, all], ties: standard}
      - {id: latest, when: {name: commit}, value: {last: meta.files}, cycles: [month]}
      - {id: sizes, when: {name: commit}, value: {unique: meta.files}, cycles: [year, all]}
    streaks:
      - {id: daily-commit, when: {name: commit}, unit: day, timezone: event, target: 1}
      - id: weekly-regular
        any:
          - {when: {name: commit}, value: count, at_least: 3}
          - {when: {name: commit}, value: {sum: meta.added}, at_least: 500}
        unit: week
        day_start: 4h
      - {id: workdays, when: {name: commit}, unit: day, timezone: America/New_York, active_days: [mon, tue, wed, thu, fri], target: 2}
      - {id: monthly, when: {name: commit}, unit: month, timezone: org, target: 4, at_risk: 30h}
`

func meta(key string) func(*oracle.Record) (float64, bool) {
	return func(r *oracle.Record) (float64, bool) { return r.Meta[key].(float64), true }
}

func replayRules() (rules []oracle.Rule, ties map[string]string) {
	cycles := func(units ...string) (cs []oracle.Cycle) {
		for _, u := range units {
			cs = append(cs, oracle.Cycle{Unit: u})
		}
		return cs
	}
	fortnight := oracle.Cycle{Unit: "days", N: 14, From: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)}
	balance := func(r *oracle.Record) (float64, bool) {
		return r.Meta["added"].(float64) - r.Meta["deleted"].(float64), true
	}
	few := func(r *oracle.Record) bool { return r.Meta["files"].(float64) < 500 }
	files := func(r *oracle.Record) (string, bool) { return fmt.Sprint(r.Meta["files"]), true }
	return []oracle.Rule{
		{ID: "commits", Selector: oracle.Selector{Fold: "count"}, Cycles: cycles("day", "week", "month", "quarter", "year", "all")},
		{ID: "lines", Selector: oracle.Selector{Match: few, Fold: "sum", Number: meta("added")}, Cycles: append(cycles("week", "all"), fortnight)},
		{ID: "balance", Selector: oracle.Selector{Fold: "sum", Number: balance}, Cycles: cycles("quarter", "all")},
		{ID: "biggest", Selector: oracle.Selector{Fold: "max", Number: meta("added")}, Cycles: cycles("year")},
		{ID: "smallest", Selector: oracle.Selector{Fold: "min", Number: meta("added")}, Cycles: cycles("year", "all"), Ascending: true},
		{ID: "latest", Selector: oracle.Selector{Fold: "last", Number: meta("files")}, Cycles: cycles("month")},
		{ID: "sizes", Selector: oracle.Selector{Fold: "unique", Text: files}, Cycles: cycles("year", "all")},
	}, map[string]string{"lines": "standard", "balance": "dense", "smallest": "standard"}
}

func replayStreaks(t *testing.T) []oracle.Streak {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	count := func(n int64) oracle.Condition {
		return oracle.Condition{Selector: oracle.Selector{Fold: "count"}, AtLeast: n}
	}
	added := oracle.Condition{Selector: oracle.Selector{Fold: "sum", Number: meta("added")}, AtLeast: 500}
	return []oracle.Streak{
		{ID: "daily-commit", Conditions: []oracle.Condition{count(1)}, Unit: oracle.Cycle{Unit: "day"}, Mode: "event"},
		{ID: "weekly-regular", Conditions: []oracle.Condition{count(3), added}, Unit: oracle.Cycle{Unit: "week"}, Mode: "user", DayStart: 4 * time.Hour},
		{ID: "workdays", Conditions: []oracle.Condition{count(2)}, Unit: oracle.Cycle{Unit: "day"}, Mode: "named", Zone: newYork,
			ActiveDays: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}},
		{ID: "monthly", Conditions: []oracle.Condition{count(4)}, Unit: oracle.Cycle{Unit: "month"}, Mode: "org", AtRisk: 30 * time.Hour},
	}
}

// readHistories reads recorded commits, each history in order of arrival. It returns none where the data is not there, which fails in CI.
func readHistories(t *testing.T) [][]oracle.Record {
	dir := os.Getenv("LAUREL_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	var all [][]oracle.Record
	for _, name := range []string{"redis", "prometheus"} {
		path := filepath.Join(dir, name+"-commits.ndjson.gz")
		records, err := readHistory(path)
		if errors.Is(err, fs.ErrNotExist) {
			const absent = "%s is not there: put the recorded histories beside the repository, or set LAUREL_DATA to their directory"
			if os.Getenv("CI") == "true" {
				t.Fatalf(absent, path)
			}
			t.Logf(absent, path)
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records)
	}
	return all
}

func readHistory(path string) ([]oracle.Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var records []oracle.Record
	lines := bufio.NewScanner(z)
	for lines.Scan() {
		var c struct {
			ID, User              string
			At, Received          time.Time
			Added, Deleted, Files float64
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		records = append(records, oracle.Record{ID: c.ID, User: c.User, Name: "commit", At: c.At, Received: c.Received, Imported: true,
			Meta: map[string]any{"added": c.Added, "deleted": c.Deleted, "files": c.Files}})
	}
	return records, lines.Err()
}

// replay is a node that histories are sent to, and the model that it is compared with.
type replay struct {
	t       *testing.T
	node    *testNode
	client  *client
	rules   []oracle.Rule
	ties    map[string]string
	streaks []oracle.Streak
	now     time.Time
}

func startReplay(t *testing.T, definitions string, now time.Time) *replay {
	cfg := testConfig(t)
	cfg.LogLevel, cfg.TestClock = "warn", true
	cfg.Catalog = filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(cfg.Catalog, []byte(definitions), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &replay{t: t, node: startNode(t, cfg)}
	r.client = r.node.client(testKey)
	// One connection for each of the test's own goroutines, not a new one a request.
	r.client.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: replayWorkers}, Timeout: time.Minute}
	t.Cleanup(r.client.http.CloseIdleConnections)
	r.setClock(now)
	return r
}

// startReplayCatalog is a node with replayCatalog, and its model.
func startReplayCatalog(t *testing.T, now time.Time) *replay {
	r := startReplay(t, replayCatalog, now)
	r.rules, r.ties = replayRules()
	r.streaks = replayStreaks(t)
	return r
}

func (r *replay) setClock(now time.Time) {
	r.t.Helper()
	r.now = now
	status, text, _ := do(r.t, "PUT", r.node.admin+"/clock", fmt.Sprintf(`{"now":%q}`, now.Format(time.RFC3339Nano)))
	if status != http.StatusNoContent {
		r.t.Fatalf("clock: %d %s", status, text)
	}
}

// replayWorkers is how many requests are under way at once.
const replayWorkers = 4

func (r *replay) get(path string, into any) error {
	return r.client.call(context.Background(), http.MethodGet, path, "", nil, into)
}

// send imports records in their order and returns how many were accepted and how many were there already.
func (r *replay) send(records []oracle.Record) (accepted, duplicates int) {
	r.t.Helper()
	var created struct{ ID string }
	if err := json.Unmarshal([]byte(r.node.post("/v1/imports", "")), &created); err != nil {
		r.t.Fatal(err)
	}
	for len(records) > 0 {
		n := min(len(records), 4000)
		var body bytes.Buffer
		lines := json.NewEncoder(&body)
		for _, rec := range records[:n] {
			it := item{ID: rec.ID, User: rec.User, Name: rec.Name, At: rec.At.Format(time.RFC3339), Meta: rec.Meta}
			if err := lines.Encode(it); err != nil {
				r.t.Fatal(err)
			}
		}
		var got report
		if err := r.client.call(r.t.Context(), http.MethodPost, "/v1/imports/"+created.ID+"/items", "application/x-ndjson", body.Bytes(), &got); err != nil {
			r.t.Fatal(err)
		}
		if got.Accepted+got.Duplicates != n {
			r.t.Fatalf("of %d items %d were accepted and %d duplicates: %+v", n, got.Accepted, got.Duplicates, got.Results[0])
		}
		accepted, duplicates = accepted+got.Accepted, duplicates+got.Duplicates
		records = records[n:]
	}
	r.node.post("/v1/imports/"+created.ID+"/close", "")
	return accepted, duplicates
}

// compare reads every board and every user's streaks and compares them with the model's.
func (r *replay) compare(records []oracle.Record) {
	r.t.Helper()
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		r.t.Fatal(err)
	}
	org := oracle.Org{Zone: rome, WeekStart: time.Monday}
	m := &oracle.Model{Org: org, Records: records}
	var boards, rows atomic.Int64
	var g errgroup.Group
	g.SetLimit(replayWorkers)
	for i := range r.rules {
		rule := &r.rules[i]
		for _, c := range rule.Cycles {
			for label, want := range m.Boards(rule, c) {
				g.Go(func() error {
					boards.Add(1)
					rows.Add(int64(len(want)))
					return r.compareBoard(rule.ID, label, want)
				})
			}
		}
	}
	lengths := newLengthBoards()
	for user, own := range byUser(records) {
		g.Go(func() error { return r.compareUser(user, &oracle.Model{Org: org, Records: own}, lengths) })
	}
	if err := g.Wait(); err != nil {
		r.t.Fatal(err)
	}
	for board, want := range lengths.rows {
		oracle.Rank(want, false)
		if err := r.compareBoard(board, "all", want); err != nil {
			r.t.Fatal(err)
		}
	}
	r.t.Logf("%d boards with %d rows and %d boards of streaks equal the model", boards.Load(), rows.Load(), len(lengths.rows))
}

func byUser(records []oracle.Record) map[string][]oracle.Record {
	own := map[string][]oracle.Record{}
	for _, rec := range records {
		own[rec.User] = append(own[rec.User], rec)
	}
	return own
}

func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func (r *replay) compareBoard(rule, label string, want []oracle.Row) error {
	var expected, got []boardRow
	for _, w := range want {
		rank := w.Ordinal
		switch r.ties[rule] {
		case "standard":
			rank = w.Standard
		case "dense":
			rank = w.Dense
		}
		expected = append(expected, boardRow{Rank: rank, User: w.User, Score: float64(w.Value), ReachedAt: wireTime(w.Reached)})
	}
	for more := true; more; {
		var page boardAnswer
		path := fmt.Sprintf("/v1/leaderboards/%s/%s?limit=1000&offset=%d", rule, url.PathEscape(label), len(got))
		if err := r.get(path, &page); err != nil {
			return err
		}
		if page.Total != len(want) {
			return fmt.Errorf("board %s/%s: total %d, the model has %d", rule, label, page.Total, len(want))
		}
		got = append(got, page.Rows...)
		more = len(page.Rows) == 1000
	}
	if !slices.Equal(expected, got) { // a diff of equal boards would take longer than reading them
		diff := cmp.Diff(expected, got)
		return fmt.Errorf("board %s/%s (-model +answer)\n%s", rule, label, diff)
	}
	return nil
}

// lengthBoards gathers what the boards of streaks must show.
type lengthBoards struct {
	mu   sync.Mutex
	rows map[string][]oracle.Row
}

func newLengthBoards() *lengthBoards { return &lengthBoards{rows: map[string][]oracle.Row{}} }

func (b *lengthBoards) add(board, user string, s oracle.Span) {
	if s.Length == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows[board] = append(b.rows[board], oracle.Row{User: user, Value: int64(s.Length), Reached: s.Reached})
}

// streakAnswer is what is compared of a streak.
type streakAnswer struct {
	Rule         string `json:"rule"`
	Current      int    `json:"current"`
	Longest      int    `json:"longest"`
	LongestSpan  span   `json:"longest_span"`
	Total        int    `json:"total_periods"`
	State        string `json:"state"`
	Started      string `json:"started"`
	LastExtended string `json:"last_extended_at"`
	Deadline     string `json:"deadline"`
	DiesAt       string `json:"dies_at"`
	Timezone     string `json:"timezone"`
	Freezes      struct {
		Held int `json:"held"`
		Used int `json:"used"`
	} `json:"freezes"`
	Period struct {
		Label string `json:"label"`
		Value int64  `json:"value"`
		Met   bool   `json:"met"`
	} `json:"period"`
	History []historyAnswer `json:"history"`
}

type span struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type historyAnswer struct {
	Period string `json:"period"`
	Status string `json:"status"`
	Value  int64  `json:"value"`
}

func (r *replay) compareUser(user string, m *oracle.Model, lengths *lengthBoards) error {
	views, err := r.compareStreaks(user, m, r.now)
	for i := range views {
		lengths.add(r.streaks[i].ID+".current", user, views[i].Current)
		lengths.add(r.streaks[i].ID+".longest", user, views[i].Longest)
	}
	return err
}

// compareStreaks compares a user's streaks with those of a model that knows what was known at an instant.
func (r *replay) compareStreaks(user string, m *oracle.Model, at time.Time) (views []oracle.View, err error) {
	path := "/v1/users/" + url.PathEscape(user) + "/streaks"
	if !at.Equal(r.now) {
		path += "?at=" + at.UTC().Format(time.RFC3339Nano)
	}
	var got struct{ Streaks []streakAnswer }
	if err := r.get(path, &got); err != nil {
		return nil, err
	}
	var want []streakAnswer
	for i := range r.streaks {
		v := m.Streak(&r.streaks[i], user, at)
		views, want = append(views, v), append(want, answerOf(&r.streaks[i], &v))
	}
	if !reflect.DeepEqual(want, got.Streaks) { // a diff of equal ones would take longer than the model
		return nil, fmt.Errorf("streaks of %s at %s (-model +answer)\n%s", user, at.UTC().Format(time.RFC3339Nano), cmp.Diff(want, got.Streaks))
	}
	return views, nil
}

func answerOf(s *oracle.Streak, v *oracle.View) streakAnswer {
	a := streakAnswer{Rule: s.ID, Current: v.Current.Length, Longest: v.Longest.Length, LongestSpan: span{v.Longest.First, v.Longest.Last},
		Total: v.Total, State: v.State, Started: v.Current.First, LastExtended: wireTime(v.LastExtendedAt), Deadline: wireTime(v.Deadline)}
	for _, p := range v.History {
		a.History = append(a.History, historyAnswer{p.Label, p.Status, p.Values[0]})
	}
	a.DiesAt, a.Timezone, a.Freezes.Held, a.Freezes.Used = wireTime(v.DiesAt), v.Zone, v.Held, v.Used
	open := v.History[len(v.History)-1]
	a.Period.Label, a.Period.Value, a.Period.Met = open.Label, open.Values[0], open.Met
	return a
}

// change rejects or restores records at once.
func (r *replay) change(what string, records []*oracle.Record) {
	r.t.Helper()
	var g errgroup.Group
	g.SetLimit(replayWorkers)
	for _, rec := range records {
		rec.Rejected = what == "reject"
		path := fmt.Sprintf("/v1/activities/%s/%s/%s", url.PathEscape(rec.User), url.PathEscape(rec.ID), what)
		g.Go(func() error {
			return r.client.call(context.Background(), http.MethodPost, path, "application/json", []byte(`{}`), nil)
		})
	}
	if err := g.Wait(); err != nil {
		r.t.Fatal(err)
	}
}

// TestReplay sends recorded histories with their real time zones, clock errors and late arrivals through the whole server, in order of arrival and
// shuffled with repetitions, takes some back and restores half of those; all boards and streaks must equal the model's.
func TestReplay(t *testing.T) {
	histories := readHistories(t)
	if histories == nil {
		return
	}
	records := slices.Concat(histories...)
	now := records[0].At
	for _, rec := range records {
		if rec.At.After(now) {
			now = rec.At
		}
	}
	now = now.Add(2 * time.Hour)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	t.Run("in order of arrival", func(t *testing.T) {
		r := startReplayCatalog(t, now)
		if accepted, _ := r.send(records); accepted != len(records) {
			t.Fatalf("%d of %d accepted", accepted, len(records))
		}
		r.compare(records)
	})
	t.Run("shuffled, repeated and partly taken back", func(t *testing.T) {
		r := startReplayCatalog(t, now)
		var records []oracle.Record
		for _, h := range histories {
			records = append(records, h[:min(len(h), replayPart)]...)
		}
		mixed := append([]oracle.Record(nil), records...)
		for _, i := range random.Perm(len(records))[:len(records)/5] {
			mixed = append(mixed, records[i])
		}
		random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if accepted, duplicates := r.send(mixed); accepted != len(records) || duplicates != len(records)/5 {
			t.Fatalf("%d accepted and %d duplicates of %d records and %d repetitions", accepted, duplicates, len(records), len(records)/5)
		}
		own := append([]oracle.Record(nil), records...)
		var chosen []*oracle.Record
		for _, i := range random.Perm(len(own))[:len(own)/20] {
			chosen = append(chosen, &own[i])
		}
		r.change("reject", chosen)
		r.change("restore", chosen[:len(chosen)/2])
		r.compare(own)
	})
}
