package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"laurel/bench/sweep"
)

// TestStreaksSmoke measures a few streaks once: every number is there, and each streak is lost once.
func TestStreaksSmoke(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	run := exec.CommandContext(t.Context(), self, "streaks", "--users", "300", "--pairs", "1", "--seconds", "0.5", "--batch", "100", "--clients", "2",
		"--streaks", "1200", "--steps", "4", "--span", "0.5", "--alone", "3", "--out", file)
	run.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+buildFlags))
	var said strings.Builder
	run.Stderr = &said
	printed, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	for _, want := range []string{"any activity", "first of the day", "lag p50", "done after"} {
		if !strings.Contains(string(printed), want) {
			t.Errorf("%q is not in the table:\n%s", want, printed)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r sweep.Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Commit == "" || r.Command == "" || r.Ingest == nil || r.Sweep == nil {
		t.Fatalf("%+v", r)
	}
	for name, n := range map[string]float64{
		"any one": r.Ingest.Any.Median.RatioOne, "any three": r.Ingest.Any.Median.RatioThree, "first one": r.Ingest.First.Median.RatioOne,
		"spread lost": float64(r.Sweep.Spread.Lost) / 1200, "at once lost": float64(r.Sweep.AtOnce.Lost) / 1200, "with": r.Sweep.AtOnce.With,
		"ratio": r.Sweep.AtOnce.Ratio, "redis": r.Sweep.Spread.Redis, "laurel": r.Sweep.Spread.Laurel,
	} {
		if n <= 0 || strings.HasSuffix(name, "lost") && n != 1 {
			t.Errorf("%s is %v", name, n)
		}
	}
	if r.Sweep.AtOnce.Twice != 0 {
		t.Errorf("%d streaks were told lost twice", r.Sweep.AtOnce.Twice)
	}
}
