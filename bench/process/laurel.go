package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Laurel is a running `laurel serve`.
type Laurel struct {
	*Process
	Address string // of the REST API
	Admin   string // of metrics and profiles
	Key     string // of every scope
}

// BuildLaurel builds the server from the module in root into dir and returns the program's path.
func BuildLaurel(ctx context.Context, root, dir string) (string, error) {
	path := filepath.Join(dir, "laurel")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/laurel")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build laurel: %w\n%s", err, out)
	}
	return path, nil
}

// StartLaurel starts the program on a Redis server, or on what a URL names, with a catalog, with more flags if need be.
func StartLaurel(ctx context.Context, program, redisAddress, dir string, catalog []byte, flags ...string) (*Laurel, error) {
	file := filepath.Join(dir, "catalog.yaml")
	if err := os.WriteFile(file, catalog, 0o600); err != nil {
		return nil, err
	}
	if !strings.Contains(redisAddress, "://") {
		redisAddress = "redis://" + redisAddress
	}
	l := &Laurel{Key: "sk_bench"}
	args := []string{program, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--redis", redisAddress,
		"--data-dir", dir, "--catalog", file, "--bootstrap-key", l.Key, "--log-format", "json", "--drain", "2s", "--drain-delay", "0s"}
	args = append(args, flags...)
	var err error
	if l.Process, err = start(ctx, "laurel", args, nil, l.isUp); err != nil {
		return nil, err
	}
	if err := l.awaitReady(ctx); err != nil {
		l.Stop()
		return nil, err
	}
	return l, nil
}

// isUp finds the line of the log that says where the server listens.
func (l *Laurel) isUp(line string) bool {
	var said struct{ Message, Listen, Admin string }
	if json.Unmarshal([]byte(line), &said) != nil || said.Message != "laurel is up" {
		return false
	}
	l.Address, l.Admin = said.Listen, said.Admin
	return true
}

func (l *Laurel) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := l.admin(ctx, "/readyz"); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("laurel did not get ready; its last words:\n%s", l.out.tail())
		}
	}
}

// Profile takes a CPU profile of the server over the next so many seconds.
func (l *Laurel) Profile(ctx context.Context, seconds int) ([]byte, error) {
	return l.admin(ctx, fmt.Sprintf("/debug/pprof/profile?seconds=%d", seconds))
}

// SetClock sets the time of a server that was started with --test-clock.
func (l *Laurel) SetClock(ctx context.Context, at time.Time) error {
	body := fmt.Sprintf(`{"now":%q}`, at.UTC().Format(time.RFC3339))
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+l.Admin+"/clock", strings.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("PUT /clock: %s", answer.Status)
	}
	return nil
}

func (l *Laurel) admin(ctx context.Context, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Admin+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return body, err
}
