package scenario

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// describeHost notes what was measured and where. What cannot be found out is "unknown", which is no reason not to measure.
func (r *Result) describeHost(ctx context.Context, root string) {
	r.Date = time.Now().UTC().Format(time.RFC3339)
	r.Cores = runtime.NumCPU()
	r.Go = runtime.Version()
	r.CPU = "unknown"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if model := cpuModel(string(text)); model != "" {
			r.CPU = model
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Sscan(string(text), &r.Load1) // a load of 0 is as good as unknown
	}
	r.Commit, r.Dirty = "unknown", true
	if commit, err := git(ctx, root, "rev-parse", "HEAD"); err == nil {
		r.Commit = commit
		// Results of earlier runs are no change of what is measured.
		changes, err := git(ctx, root, "status", "--porcelain", "--", ".", ":!bench/results")
		r.Dirty = err != nil || changes != ""
	}
}

func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", append([]string{"--no-optional-locks"}, args...)...) // a measurement changes nothing, the index neither
	c.Dir = dir
	out, err := c.Output()
	return strings.TrimSpace(string(out)), err
}
