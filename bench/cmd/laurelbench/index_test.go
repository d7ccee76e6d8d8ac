package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"laurel/bench/index"
)

// TestIndexSmoke measures a tiny board once. What it measures is worth nothing; that every number is there is.
func TestIndexSmoke(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	run := exec.CommandContext(t.Context(), self, "index", "--members", "2000,3000", "--pairs", "1", "--seconds", "0.02", "--out", file)
	printed, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	for _, want := range []string{"updates", "ranks", "load", "memory", "reader", "writer"} {
		if !strings.Contains(string(printed), want) {
			t.Errorf("%q is not in the table:\n%s", want, printed)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r index.Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Sizes) != 2 || r.Sizes[0].Members != 2000 || r.Commit == "" || r.Redis == "" || r.Command == "" {
		t.Fatalf("%+v", r)
	}
	for i := range r.Sizes {
		checkSize(t, &r.Sizes[i])
	}
}

func checkSize(t *testing.T, s *index.Size) {
	t.Helper()
	u, k, l := s.Updates.Median, s.Ranks.Median, s.Load.Median
	for name, n := range map[string]float64{
		"updates board": u.Board.CPUNanos, "updates batch": u.Batch.CPUNanos, "updates single": u.Single.CPUNanos, "updates redis": u.Redis.CPUNanos,
		"updates ratio": u.Ratio, "updates cpu ratio": u.CPURatio, "updates single ratio": u.SingleCPURatio,
		"ranks board": k.Board.CPUNanos, "ranks batch": k.Batch.CPUNanos, "ranks single": k.Single.CPUNanos, "ranks redis": k.Redis.CPUNanos, "ranks ratio": k.CPURatio,
		"load": l.Board.Seconds, "zrange client": l.Client.Seconds, "zrange raw": l.Raw.Seconds, "load ratio": l.RatioRaw,
		"heap": s.Memory.Heap, "after": s.Memory.HeapAfter, "redis": s.Memory.Redis, "redis board": s.Memory.RedisBoard,
		"reader": s.Pauses.Reader[0].P50, "writer": s.Pauses.Writer[0].P50, "reader control": s.Pauses.ReaderControl[0].P50,
		"writer control": s.Pauses.WriterControl[0].P50,
	} {
		if n <= 0 {
			t.Errorf("%d members: %s is %v", s.Members, name, n)
		}
	}
}
