package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"laurel/internal/clock"
	"laurel/internal/config"
	"laurel/internal/feed"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/internal/transfer"
)

// served is a data directory that a server has worked on and left.
func served(t *testing.T) (cfg config.Serve, board string) {
	t.Helper()
	cfg = testConfig(t)
	n := startNode(t, cfg)
	for _, tool := range [][]string{{"verify"}, {"export"}} {
		code, _, errs := laurel(t, append(tool, "--data-dir", cfg.DataDir)...)
		if code != 1 || !strings.Contains(errs, "in use by another process: stop the server first") {
			t.Errorf("%v beside a server: exit %d: %s", tool, code, errs)
		}
	}
	n.post("/v1/activities", `[{"user":"ada","name":"commit","id":"1","meta":{"added":5}},{"user":"bob","name":"commit","id":"1","meta":{"added":7}}]`)
	n.post("/v1/activities/ada/1/reject", `{"reason":"test"}`)
	n.post("/v1/activities/ada/1/restore", `{}`)
	board = rows(n)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	return cfg, board
}

// rows are the rows of a board as they are answered.
func rows(n *testNode) string {
	n.t.Helper()
	_, text, _ := do(n.t, "GET", n.base+"/v1/leaderboards/lines/all", "")
	_, rows, _ := strings.Cut(text, `"rows":`)
	_, user, _ := do(n.t, "GET", n.base+"/v1/users/ada/activities", "")
	return rows + user
}

func TestVerify_FindsAndRepairs(t *testing.T) {
	cfg, board := served(t)
	code, out, errs := laurel(t, "verify", "--data-dir", cfg.DataDir)
	if code != 0 || !strings.Contains(out, "all is well") || !strings.Contains(out, " 2 users, 2 activities, ") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	data, err := store.Open(t.Context(), store.Options{DataDir: cfg.DataDir})
	if err != nil {
		t.Fatal(err)
	}
	lost := store.Op{Kind: store.OpDel, Key: store.BoardKey(0, feed.Board{Org: "git", Rule: "lines", Label: "all"})}
	if _, err := data.Commit(t.Context(), 0, []store.Group{{Writes: []store.Op{lost}}}); err != nil {
		t.Fatal(err)
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
	code, out, errs = laurel(t, "verify", "--data-dir", cfg.DataDir, "--list", "1")
	if code != 1 || !strings.Contains(out, "2 × row_missing") || !strings.Contains(out, `row_missing: git lines/all user "ada": expected 5 reached`) ||
		!strings.Contains(out, "and 1 more") || !strings.Contains(errs, "differs") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	code, out, errs = laurel(t, "verify", "--data-dir", cfg.DataDir, "--repair", "--json")
	var got outcome
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || !got.Clean || got.Found.Total() != 2 || *got.Mended != 2 || got.After.Total() != 0 {
		t.Errorf("exit %d: %v %s%s", code, err, out, errs)
	}
	if now := rows(startNode(t, cfg)); now != board {
		t.Errorf("%s, not %s", now, board)
	}
}

func TestTools_CommandLine(t *testing.T) {
	cfg, _ := served(t)
	none := filepath.Join(t.TempDir(), "none")
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"verify nothing":     {[]string{"verify", "--data-dir", none}, 1, "nothing is stored there yet"},
		"verify empty redis": {[]string{"verify", "--redis", testenv.StartRedis(t).URL()}, 1, "nothing is stored there yet"},
		"export nothing":     {[]string{"export", "--data-dir", none}, 1, "nothing is stored there yet"},
		"unknown org":        {[]string{"verify", "--data-dir", cfg.DataDir, "--org", "x"}, 1, "--org x: no such org"},
		"import nothing":     {[]string{"import"}, 2, "<file>"},
		"import no file":     {[]string{"import", none, "--data-dir", none}, 1, "no such file"},
		"a flag of its own":  {[]string{"verify", "--fix"}, 2, "--fix"},
	} {
		t.Run(name, func(t *testing.T) {
			if code, _, errs := laurel(t, tt.args...); code != tt.code || !strings.Contains(errs, tt.want) {
				t.Errorf("exit %d: %s", code, errs)
			}
			if _, err := os.Stat(none); err == nil {
				t.Error("it made the directory")
			}
		})
	}
}

// TestExport_MovesADeployment takes a deployment to another kind of store and another number of partitions, and starts a server there.
func TestExport_MovesADeployment(t *testing.T) {
	cfg, board := served(t)
	code, dump, errs := laurel(t, "export", "--data-dir", cfg.DataDir)
	if code != 0 || strings.Count(dump, "\n") != 8 { // export, org, key, two users with an activity each, end
		t.Fatalf("exit %d: %s%s", code, dump, errs)
	}
	file := filepath.Join(t.TempDir(), "dump.ndjson")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := testConfig(t)
	to.Redis = config.Secret(testenv.StartRedis(t).URL())
	write(dump[:len(dump)-20])
	if code, _, errs := laurel(t, "import", file, "--redis", to.Redis.Reveal()); code != 1 || !strings.Contains(errs, "line 8: the export is damaged") {
		t.Errorf("a part of it: exit %d: %s", code, errs)
	}
	write(dump)
	code, out, errs := laurel(t, "import", file, "--redis", to.Redis.Reveal(), "--partitions", "4")
	if code != 0 || !strings.HasPrefix(out, "imported 1 orgs, 1 keys, 0 imports, 2 users, 2 activities into redis://") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := laurel(t, "import", file, "--redis", to.Redis.Reveal()); code != 1 || !strings.Contains(errs, "not empty") {
		t.Errorf("once more: exit %d: %s", code, errs)
	}
	to.BootstrapKey = "sk_another" // the org has had a key: this one is not made
	n := startNode(t, to)
	if now := rows(n); now != board {
		t.Errorf("%s, not %s", now, board)
	}
	if code, out, errs := laurel(t, "verify", "--redis", to.Redis.Reveal()); code != 0 { // beside the server
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

func TestServe_RefusesAnUnfinishedImport(t *testing.T) {
	cfg, _ := served(t)
	_, dump, _ := laurel(t, "export", "--data-dir", cfg.DataDir)
	to := testConfig(t)
	data, err := store.Open(t.Context(), store.Options{DataDir: to.DataDir})
	if err != nil {
		t.Fatal(err)
	}
	catalogs := registry.New(data, zerolog.Nop())
	o := transfer.ImportOptions{Store: data, Registry: catalogs, Clock: new(clock.Clock)}
	if _, err := transfer.Import(t.Context(), o, strings.NewReader(dump[:len(dump)/2])); err == nil {
		t.Fatal("a part of an export passes")
	}
	if err := data.Close(); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), to, &safeBuffer{}, func(addresses) { t.Error("it started") }); !errors.Is(err, errUnfinished) {
		t.Error(err)
	}
}
