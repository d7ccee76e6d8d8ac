package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/bench/scenario"
)

// TestMain makes the test's program the command too, so that the smoke test has nothing to link but the server.
func TestMain(m *testing.M) {
	// Any word that is no flag is a command's: one that a list here forgot would run the tests again, and they it.
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestSmoke runs the whole benchmark with tiny numbers, on real servers. What it measures is worth nothing; that every number is there is.
func TestSmoke(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	run := exec.CommandContext(t.Context(), self, "run", "--users", "200", "--pairs", "1", "--seconds", "1", "--batch", "50", "--out", file, "--json")
	run.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+buildFlags))
	var said strings.Builder
	run.Stderr = &said
	printed, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(printed)); diff != "" {
		t.Errorf("--json prints another result than the file has:\n%s", diff)
	}
	var r scenario.Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	check(t, &r)
}

func check(t *testing.T, r *scenario.Result) {
	t.Helper()
	if len(r.Ingest.Pairs) != 1 || len(r.Reads.Pairs) != 1 {
		t.Fatalf("%d and %d pairs, want 1 of each", len(r.Ingest.Pairs), len(r.Reads.Pairs))
	}
	a, b, reads := r.Ingest.Median.A, r.Ingest.Median.B, r.Reads.Median
	for name, n := range map[string]float64{
		"load": r.Load.PerSecond, "a": a.PerSecond, "a redis": a.RedisMicros, "a laurel": a.LaurelMicros, "commits": float64(a.Commits),
		"state": r.Memory.State, "log": r.Memory.Log, "board": r.Memory.Board, "members": float64(r.Memory.Measured),
		"b": b.PerSecond, "b redis": b.RedisMicros, "ingest ratio": r.Ingest.Median.Ratio, "redis cpu ratio": r.Ingest.Median.RedisCPURatio,
		"reads a": reads.A.PerSecond, "reads a cpu": reads.A.ServerMicros, "reads b1": reads.B1.PerSecond, "reads b1 cpu": reads.B1.ServerMicros,
		"reads b2": reads.B2.PerSecond, "reads b2 cpu": reads.B2.ServerMicros, "ratio ceiling": reads.RatioCeiling, "ratio redis": reads.RatioRedis,
	} {
		if n <= 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
	// Three boards; a user who comes twice in one commit is written once.
	if a.UpdatesPerActivity <= 1 || a.UpdatesPerActivity > 3 {
		t.Errorf("%v board updates an activity", a.UpdatesPerActivity)
	}
	if diff := a.Updates - b.Updates; diff < -100 || diff > 100 { // the floor works in pipelines of 100
		t.Errorf("A made %d board updates and B %d", a.Updates, b.Updates)
	}
	if c := r.Ingest.Pairs[0].A.Commands["evalsha"]; c.Calls == 0 {
		t.Error("no commit was counted at Redis")
	}
	for name, said := range map[string]string{"commit": r.Commit, "date": r.Date, "cpu": r.CPU, "go": r.Go, "redis": r.Redis, "command": r.Command} {
		if said == "" {
			t.Errorf("%s is empty", name)
		}
	}
}

// TestSmoke_Reads is the same for the reads of a large board, which is a small one here.
func TestSmoke_Reads(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	run := exec.CommandContext(t.Context(), self, "reads", "--members", "500", "--pairs", "1", "--seconds", "0.3", "--out", file)
	run.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+buildFlags))
	var said strings.Builder
	run.Stderr = &said
	if _, err := run.Output(); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r scenario.ReadsResult
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Kinds) != 4 {
		t.Fatalf("%d kinds, want 4", len(r.Kinds))
	}
	for i := range r.Kinds {
		k := &r.Kinds[i]
		if k.AnswerBytes == 0 || k.Median.Ratio <= 0 || k.Median.Laurel.PerSecond <= 0 || len(k.OpenLoops) != 2 {
			t.Errorf("%s: numbers are missing: %+v", k.Name, k)
		}
		for _, l := range k.OpenLoops {
			if l.Laurel.P50 <= 0 || l.Ceiling.P50 <= 0 || l.Laurel.P99 < l.Laurel.P50 || l.Laurel.Max < l.Laurel.P999 {
				t.Errorf("%s at %.0f a second: %+v", k.Name, l.PerSecond, l)
			}
		}
	}
}

// TestSmoke_Users is the same for users who have all that can be earned.
func TestSmoke_Users(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	run := exec.CommandContext(t.Context(), self, "users", "--users", "200", "--pairs", "1", "--seconds", "0.3", "--batch", "50", "--out", file)
	run.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+buildFlags))
	var said strings.Builder
	run.Stderr = &said
	if _, err := run.Output(); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r scenario.UsersResult
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if a := r.Ingest.Median.A; a.UpdatesPerActivity <= 1 || r.Ingest.Median.Ratio <= 0 || r.Memory.State <= 0 {
		t.Errorf("ingest: %+v", r.Ingest.Median)
	}
	if k := r.User; k.AnswerBytes < 1000 || k.Median.Ratio <= 0 || len(k.OpenLoops) != 2 {
		t.Errorf("reads: %+v", k)
	}
}

func TestRecordPath_KeepsEarlierResults(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "bench", "results"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := &scenario.Result{Date: "2026-11-21T19:40:00Z", Commit: "0123456789abcdef"}
	for _, want := range []string{"2026-11-21-0123456.json", "2026-11-21-0123456-2.json", "2026-11-21-0123456-3.json"} {
		path := recordPath(root, r, "")
		if got := filepath.Base(path); got != want {
			t.Errorf("record in %s, want %s", got, want)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
