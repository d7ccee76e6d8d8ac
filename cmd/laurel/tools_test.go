package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"laurel/internal/testenv"
)

// laurel runs a command line.
func laurel(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// repository makes a git repository with two authors: Ada with two commits, Bob with one that has a binary file.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git := func(author string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME="+author,
			"GIT_AUTHOR_EMAIL="+strings.ToLower(author)+"@example.com", "GIT_AUTHOR_DATE=2024-02-29T23:30:00-05:00",
			"GIT_COMMITTER_NAME=c", "GIT_COMMITTER_EMAIL=c@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	commit := func(author, file, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		git(author, "add", ".")
		git(author, "commit", "-q", "-m", file)
	}
	git("Ada", "init", "-q")
	commit("Ada", "a", "1\n2\n3\n")
	commit("Bob", "b", "\x00")
	commit("Ada", "a", "1\n")
	return dir
}

func TestImportGit_IsSafeToRepeat(t *testing.T) {
	n := startNode(t, testConfig(t))
	dir := repository(t)
	for _, want := range []string{": 3 accepted, 0 duplicates, 0 rejected", ": 0 accepted, 3 duplicates, 0 rejected"} {
		code, out, errs := laurel(t, "import", "git", dir, "--url", n.base, "--key", testKey)
		if code != 0 || !strings.HasPrefix(out, "3 commits by 2 users in ") || !strings.Contains(out, want) {
			t.Errorf("exit %d: got %q, want %q; %s", code, out, want, errs)
		}
	}
	commits, lines := n.board("commits/all"), n.board("lines/2024-02")
	if commits.Total != 2 || commits.Rows[0].User != "Ada" || commits.Rows[0].Score != 2 {
		t.Errorf("commits %+v", commits)
	}
	if n.board("lines/2024-03").Total != 2 || lines.Total != 0 {
		// 23:30 at -05:00 on 29 February is 1 March in the organisation's zone.
		t.Errorf("lines in February %+v", lines)
	}
}

func TestImportGit_Failures(t *testing.T) {
	n := startNode(t, testConfig(t))
	dir := repository(t)
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no key":        {[]string{dir, "--url", n.base}, 2, "--key"},
		"wrong key":     {[]string{dir, "--url", n.base, "--key", "sk_wrong"}, 1, "401 unauthorized"},
		"no address":    {[]string{dir, "--url", "localhost", "--key", testKey}, 1, "--url"},
		"no repository": {[]string{t.TempDir(), "--url", n.base, "--key", testKey}, 1, "git log"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errs := laurel(t, append([]string{"import", "git"}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.want) {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
}

func TestTotals_ShowAnExampleOfEachRefusal(t *testing.T) {
	var got report
	if err := json.Unmarshal([]byte(`{"accepted":1,"rejected":2,"results":[{"id":"x","error":{"code":"too_old","detail":"before 1970"}},{"id":"y","error":{"code":"too_old"}}]}`), &got); err != nil {
		t.Fatal(err)
	}
	total := totals{refusals: map[string]*refused{}}
	total.add(3, got)
	var out bytes.Buffer
	total.print(&out, time.Second)
	if want := "  2 × too_old, such as x: before 1970\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("%q", out.String())
	}
}

func TestDoctor_Directory(t *testing.T) {
	cfg := testConfig(t)
	startNode(t, cfg) // the doctor can be asked while a server runs
	code, out, errs := laurel(t, "doctor", "--data-dir", cfg.DataDir)
	if code != 0 || !strings.Contains(out, "append-only file") || !strings.Contains(out, "write and fsync") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	missing := filepath.Join(t.TempDir(), "none")
	if code, out, _ := laurel(t, "doctor", "--data-dir", missing); code != 1 || !strings.Contains(out, "FAIL") {
		t.Errorf("missing directory: exit %d: %s", code, out)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("the doctor made the directory that it should check")
	}
}

func TestDoctor_Server(t *testing.T) {
	tests := map[string]struct {
		settings []string
		code     int
		bad      []string // checks that fail
	}{
		"good":          {[]string{"--appendonly", "yes", "--appendfsync", "always"}, 0, nil},
		"keeps nothing": {[]string{"--maxmemory-policy", "allkeys-lru"}, 1, []string{"append-only file", "eviction policy"}},
		"with password": {[]string{"--appendonly", "yes", "--requirepass", "hunter2"}, 1, []string{"connection"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := testenv.StartRedis(t, "--maxmemory", "100mb")
			for i := 0; i < len(tt.settings); i += 2 {
				set := exec.Command("redis-cli", "-u", server.URL(), "config", "set", strings.TrimPrefix(tt.settings[i], "--"), tt.settings[i+1])
				if out, err := set.CombinedOutput(); err != nil || !strings.Contains(string(out), "OK") {
					t.Fatalf("redis-cli: %v %s", err, out)
				}
			}
			code, out, errs := laurel(t, "doctor", "--redis", server.URL(), "--json")
			var got struct {
				Store  string
				Checks []check
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v in %q", err, out)
			}
			var bad []string
			for _, k := range got.Checks {
				if k.Verdict == failed {
					bad = append(bad, k.Name)
				}
			}
			if code != tt.code || strings.Join(bad, "|") != strings.Join(tt.bad, "|") {
				t.Errorf("exit %d, failed checks %q, %s%s", code, bad, out, errs)
			}
		})
	}
}

func TestDoctor_Cluster(t *testing.T) {
	c := testenv.StartCluster(t, testenv.ClusterOptions{Args: []string{"--appendonly", "yes"}})
	code, out, _ := laurel(t, "doctor", "--redis", c.URL())
	if code != 0 || strings.Count(out, "append-only file of 127.0.0.1:") != 3 || !strings.Contains(out, "the other partitions stop too") {
		t.Errorf("exit %d: %s", code, out)
	}
	c.Nodes[2].Kill()
	if code, out, _ := laurel(t, "doctor", "--redis", c.URL()); code != 1 || strings.Count(out, "FAIL") == 0 {
		t.Errorf("without a master: exit %d: %s", code, out)
	}
}

func TestDoctor_Verdicts(t *testing.T) {
	for _, tt := range []struct {
		info map[string]string
		want verdict
	}{
		{map[string]string{"redis_version": "7.0.15"}, passed},
		{map[string]string{"redis_version": "6.2.0"}, warned},
		{map[string]string{"redis_version": "6.0.16"}, failed},
		{map[string]string{"redis_version": "5.9.9"}, failed},
		{map[string]string{"redis_version": "7.2.4", "valkey_version": "8.1.0"}, passed},
		{map[string]string{"redis_version": "unstable"}, warned},
		{map[string]string{}, warned},
	} {
		if _, got, _ := versionVerdict(tt.info); got != tt.want {
			t.Errorf("version %v: %s", tt.info, got)
		}
	}
	if _, got, _ := roleVerdict(map[string]string{"role": "slave"}); got != failed {
		t.Error("a replica passes")
	}
	if got, _ := appendFsyncVerdict("no"); got != warned {
		t.Error("appendfsync no passes")
	}
	if got := fsyncPolicyCheck("no").Verdict; got != warned {
		t.Error("--fsync no passes")
	}
}

// TestDemo_TellsTheTruth starts the demonstration and asks every address that it prints.
func TestDemo_TellsTheTruth(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, ended := &safeBuffer{}, make(chan int, 1)
	dir := filepath.Join(t.TempDir(), "data")
	var errs bytes.Buffer
	go func() {
		ended <- execute(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--data-dir", dir, "--repo", repository(t), "--pace", "5ms"}, out, &errs)
	}()
	defer func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	}()
	waitFor(t, func() bool { return strings.Contains(out.String(), "Ctrl-C") })

	text := out.String()
	key, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, strings.TrimSpace(string(key))) {
		t.Error("the secret key is printed")
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v", info.Mode(), err)
	}
	urls := regexp.MustCompile(`curl.* '(http://[^']+)'`).FindAllStringSubmatch(text, -1)
	if len(urls) != 5 {
		t.Fatalf("%d commands in %s", len(urls), text)
	}
	for _, m := range urls {
		method, body := "GET", ""
		if strings.HasSuffix(m[1], "/activities") {
			method, body = "POST", `{"user":"you","name":"commit","meta":{"added":42}}`
		}
		r, err := http.NewRequestWithContext(t.Context(), method, m[1], strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode >= 300 {
			t.Errorf("%s %s: %d", method, m[1], answer.StatusCode)
		}
	}
	board := regexp.MustCompile(`(http://[^/\s]+)/\S*#key=(pk_\w+)`).FindStringSubmatch(text)
	if board == nil {
		t.Fatalf("no address of the board in %s", text)
	}
	var before, after boardAnswer
	reader, err := newClient(board[1], board[2])
	if err != nil {
		t.Fatal(err)
	}
	read := func(into *boardAnswer) {
		t.Helper()
		if err := reader.once(t.Context(), "GET", "/v1/leaderboards/commits/day", "", nil, into); err != nil {
			t.Fatal(err)
		}
	}
	read(&before)
	waitFor(t, func() bool { read(&after); return fmt.Sprint(after) != fmt.Sprint(before) })
	if before.Total < fewest {
		t.Errorf("%d players", before.Total)
	}
}

// waitFor asks until the answer is yes.
func waitFor(t *testing.T, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !yes() {
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			t.Fatal("waited in vain")
		}
	}
}

func TestKeptKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	made := 0
	create := func() (string, error) { made++; return fmt.Sprintf("key%d", made), nil }
	for range 2 {
		if key, err := keptKey(path, create); err != nil || key != "key1" {
			t.Errorf("%q, %v", key, err)
		}
	}
	if _, err := keptKey(filepath.Join(path, "below"), create); err == nil {
		t.Error("a path that cannot be read is no error")
	}
	if _, err := keptKey(path+"2", func() (string, error) { return "", errors.New("no") }); err == nil {
		t.Error("a key that cannot be made is no error")
	}
}

func TestNewCast(t *testing.T) {
	many := map[string]int{}
	for i := range 100 {
		many[fmt.Sprintf("author %03d", i)] = i
	}
	for name, tt := range map[string]struct {
		authors map[string]int
		size    int
		first   string
	}{
		"nobody": {nil, fewest, "Olive"},
		"one":    {map[string]int{"Ivy": 3}, fewest, "Ivy"},
		"many":   {many, most, "author 099"},
	} {
		c := newCast(tt.authors)
		seen := map[string]bool{}
		for _, n := range c.names {
			seen[n] = true
		}
		if len(seen) != tt.size || len(c.names) != tt.size || c.names[0] != tt.first {
			t.Errorf("%s: %v", name, c.names)
		}
	}
}

func TestExecute(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"version":      {[]string{"version"}, 0, "laurel "},
		"help":         {[]string{"--help"}, 0, "Commands:"},
		"serve help":   {[]string{"serve", "--help"}, 0, "$LAUREL_DATA_DIR"},
		"unknown":      {[]string{"serve", "--nonsense"}, 2, "unknown flag --nonsense"},
		"bad setting":  {[]string{"serve", "--partitions", "-1"}, 2, "--partitions"},
		"bad pace":     {[]string{"demo", "--pace", "0s"}, 1, "--pace"},
		"failed serve": {[]string{"serve", "--redis", "redis://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}, 1, "laurel:"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := laurel(t, tt.args...)
			if code != tt.code || !strings.Contains(out+errs, tt.want) {
				t.Errorf("exit %d: %s%s", code, out, errs)
			}
		})
	}
}
