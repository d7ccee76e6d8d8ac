package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/bench/process"
	"laurel/bench/wire"
	"laurel/internal/catalog"
)

// sent is an item as the API takes it.
type sent struct {
	ID, User, Name string
	Meta           struct{ Points int }
}

func parse(t *testing.T, bodies [][]byte) (items []sent, lines []int) {
	t.Helper()
	for _, body := range bodies {
		in := json.NewDecoder(bytes.NewReader(body))
		in.DisallowUnknownFields()
		n := 0
		for in.More() {
			var s sent
			if err := in.Decode(&s); err != nil {
				t.Fatal(err)
			}
			items = append(items, s)
			n++
		}
		if got := bytes.Count(body, []byte{'\n'}); got != n {
			t.Errorf("%d items on %d lines", n, got)
		}
		lines = append(lines, n)
	}
	return items, lines
}

func TestActivities_Everyone(t *testing.T) {
	items, lines := parse(t, newActivities(25).everyone(10))
	if diff := cmp.Diff([]int{10, 10, 5}, lines); diff != "" {
		t.Error(diff)
	}
	users := map[string]int{}
	for _, s := range items {
		users[s.User]++
	}
	for n := range 25 {
		if users[userID(n)] != 1 {
			t.Errorf("user %d has %d activities, want 1", n, users[userID(n)])
		}
	}
}

func TestActivities_IDsAreUnique(t *testing.T) {
	a := newActivities(7)
	items, lines := parse(t, append(a.everyone(3), a.anyone(20, 50)...))
	if diff := cmp.Diff(append([]int{3, 3, 1}, slicesOf(20, 50)...), lines); diff != "" {
		t.Error(diff)
	}
	ids := map[string]bool{}
	for _, s := range items {
		if ids[s.ID] {
			t.Fatalf("id %s was used twice", s.ID)
		}
		ids[s.ID] = true
		if s.Name != "play" || s.Meta.Points < 1 || s.Meta.Points > maxPoints {
			t.Fatalf("unexpected item %+v", s)
		}
	}
}

func slicesOf(n, x int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = x
	}
	return xs
}

func TestActivities_AreTheSameEachRun(t *testing.T) {
	if diff := cmp.Diff(newActivities(9).anyone(3, 10), newActivities(9).anyone(3, 10)); diff != "" {
		t.Error(diff)
	}
}

func TestCatalog_GivesThreeBoardsAndOneStreak(t *testing.T) {
	orgs, err := catalog.Parse([]byte(Catalog))
	if err != nil {
		t.Fatal(err)
	}
	boards := 0
	for _, r := range orgs[0].Rules {
		boards += len(r.Cycles)
	}
	if len(orgs) != 1 || boards != len(cycles()) || len(orgs[0].Streaks) != 1 {
		t.Errorf("%d orgs, %d boards, %d streaks", len(orgs), boards, len(orgs[0].Streaks))
	}
}

func TestFloorPipelines(t *testing.T) {
	b := &bench{items: newActivities(10)}
	pipelines := b.floorPipelines(3, func(i int) int { return i % 10 })
	seen := map[string]int{}
	for _, p := range pipelines {
		if n := strings.Count(string(p), "ZINCRBY"); n != pipeline {
			t.Errorf("a pipeline has %d commands, want %d", n, pipeline)
		}
		for board := range cycles() {
			for user := range 10 {
				seen[floorKey(board)+userID(user)] += strings.Count(string(p), floorKey(board)+"\r\n") * strings.Count(string(p), userID(user)) / 10
			}
		}
	}
	if len(seen) != 30 {
		t.Errorf("%d rows of boards are written, want 30", len(seen))
	}
	want := wire.Command(nil, "ZINCRBY", floorKey(0), "1", userID(0))
	if !bytes.HasPrefix(pipelines[0], want[:len("*4\r\n$7\r\nZINCRBY\r\n$7\r\nfloor:0\r\n")]) {
		t.Errorf("the first command is %.60q", pipelines[0])
	}
}

func TestAllAccepted(t *testing.T) {
	const answer = `{"accepted":5,"duplicates":%d,"rejected":%d,"ignored":%d,"durability":"memory","revision":"x","results":[]}`
	if err := allAccepted(fmt.Appendf(nil, answer, 0, 0, 0)); err != nil {
		t.Error(err)
	}
	for _, n := range [][]any{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}} {
		if allAccepted(fmt.Appendf(nil, answer, n...)) == nil {
			t.Errorf("duplicates, rejected, ignored %v were taken for success", n)
		}
	}
}

func TestIngest_Conclude(t *testing.T) {
	i := Ingest{Bar: IngestBar, Pairs: []IngestPair{
		{A: IngestSide{PerSecond: 10, Commits: 3}, B: IngestSide{PerSecond: 100}, Ratio: 0.1, RedisCPURatio: 3},
		{A: IngestSide{PerSecond: 30, Commits: 5, Commands: map[string]process.CommandCost{"zadd": {Calls: 1, Micros: 1}}}, B: IngestSide{PerSecond: 50}, Ratio: 0.6, RedisCPURatio: 1},
		{A: IngestSide{PerSecond: 20, Commits: 4}, B: IngestSide{PerSecond: 40}, Ratio: 0.5, RedisCPURatio: 2},
	}}
	i.conclude()
	// The median of the ratios: 0.5 is not the ratio of the medians, 20/50.
	want := IngestPair{A: IngestSide{PerSecond: 20, Commits: 4}, B: IngestSide{PerSecond: 50}, Ratio: 0.5, RedisCPURatio: 2}
	if diff := cmp.Diff(want, i.Median); diff != "" || !i.Met {
		t.Errorf("met %v\n%s", i.Met, diff)
	}
	i.Pairs[2].Ratio = 0.44
	if i.conclude(); i.Met {
		t.Errorf("ratio %v meets the bar %v", i.Median.Ratio, i.Bar)
	}
}

func TestRankReads_Conclude(t *testing.T) {
	r := RankReads{Pairs: []ReadPair{
		{A: ReadSide{PerSecond: 50, ServerMicros: 20}, B1: ReadSide{PerSecond: 200}, B2: ReadSide{PerSecond: 100, ServerMicros: 10}},
	}}
	r.Pairs[0].conclude()
	r.conclude()
	if m := r.Median; m.RatioCeiling != 0.5 || m.RatioRedis != 0.25 || m.CPURatioCeiling != 2 || !r.Met {
		t.Errorf("%+v, met %v", m, r.Met)
	}
}

func TestSettings_Validate(t *testing.T) {
	good := Settings{Users: 1, Pairs: 1, Seconds: 0.1, Batch: 1, Clients: 1, Readers: 1}
	if err := good.validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Settings){
		"users": func(s *Settings) { s.Users = 0 }, "pairs": func(s *Settings) { s.Pairs = 0 }, "seconds": func(s *Settings) { s.Seconds = 0 },
		"batch": func(s *Settings) { s.Batch = 5001 }, "clients": func(s *Settings) { s.Clients = -1 }, "readers": func(s *Settings) { s.Readers = 0 },
	} {
		bad := good
		spoil(&bad)
		if bad.validate() == nil {
			t.Errorf("%s: %+v was taken", name, bad)
		}
	}
}

func TestCPUModel(t *testing.T) {
	if got := cpuModel("processor\t: 0\nmodel name\t: Some CPU: fast\n"); got != "Some CPU: fast" {
		t.Errorf("read %q", got)
	}
	if got := cpuModel("nothing"); got != "" {
		t.Errorf("read %q", got)
	}
}

func TestResult_Print(t *testing.T) {
	var out bytes.Buffer
	r := &Result{Commit: "0123456789abcdef", Dirty: true, Ingest: Ingest{Bar: IngestBar, Met: true}, Reads: RankReads{Bar: ReadsBar}}
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0123456789ab (with changes)", "bar 0.45   met", "bar 0.50   MISSED"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
}
