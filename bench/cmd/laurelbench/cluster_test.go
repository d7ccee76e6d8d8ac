package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"laurel/bench/scenario"
)

// TestClusterSmoke measures a few users once: every number is there, and every master has its part.
func TestClusterSmoke(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "result.json")
	run := exec.CommandContext(t.Context(), self, "cluster", "--users", "2000", "--pairs", "1", "--seconds", "0.5", "--batch", "100", "--out", file)
	run.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+buildFlags))
	var said strings.Builder
	run.Stderr = &said
	printed, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	if !strings.Contains(string(printed), "three masters") {
		t.Errorf("%s", printed)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r scenario.ClusterResult
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Median.Cluster.RedisMicros) != 3 || r.Median.Ratio <= 0 || r.Median.Busiest <= 0 || r.Idle.Cluster <= 0 {
		t.Errorf("%+v", r)
	}
	for _, m := range r.Median.Cluster.RedisMicros {
		if m <= 0 {
			t.Errorf("a master has nothing to do: %v", r.Median.Cluster.RedisMicros)
		}
	}
}
