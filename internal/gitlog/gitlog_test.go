package gitlog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// repository makes a git repository and returns a function that commits with an author and a date.
func repository(t *testing.T) (dir string, git func(args ...string)) {
	t.Helper()
	dir = t.TempDir()
	git = func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=Ünï\x1e Ω", "GIT_AUTHOR_EMAIL=u@example.com", "GIT_AUTHOR_DATE=2026-03-29T01:30:00+05:45",
			"GIT_COMMITTER_NAME=c", "GIT_COMMITTER_EMAIL=c@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	return dir, git
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func collect(t *testing.T, ctx context.Context, dir string, o Options) []Commit {
	t.Helper()
	var list []Commit
	for c, err := range Read(ctx, dir, o) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func TestRead_RealRepository(t *testing.T) {
	dir, git := repository(t)
	write(t, dir, "odd name\n1\t2\tx\x1e", "a\nb\nc\n")
	write(t, dir, "binary", "\x00\x01\x02")
	git("add", ".")
	git("commit", "-q", "-m", "first\n\n\x1ebody")
	git("commit", "-q", "--allow-empty", "-m", "empty")
	git("checkout", "-q", "-b", "side")
	git("mv", "binary", "moved")
	write(t, dir, "odd name\n1\t2\tx\x1e", "a\nB\n")
	git("commit", "-q", "-am", "rename and edit")
	git("checkout", "-q", "main")
	write(t, dir, "new", "1\n")
	git("add", ".")
	git("commit", "-q", "-m", "diverge")
	git("merge", "-q", "--no-ff", "-m", "merge", "side")

	got := collect(t, t.Context(), dir, Options{OldestFirst: true})
	type shape struct{ Added, Deleted, Files int }
	var shapes []shape
	for _, c := range got {
		shapes = append(shapes, shape{c.Added, c.Deleted, c.Files})
		if c.Email != "u@example.com" || !strings.Contains(c.Name, "Ω") || len(c.Hash) != 40 {
			t.Errorf("commit %+v", c)
		}
		if c.Author.Format(time.RFC3339) != "2026-03-29T01:30:00+05:45" {
			t.Errorf("author date %v lost its offset", c.Author)
		}
	}
	if len(shapes) != 5 || shapes[0] != (shape{3, 0, 2}) || shapes[1] != (shape{}) || shapes[4] != (shape{}) {
		t.Fatalf("shapes = %v", shapes)
	}
	// The two branches have one date, so git may print either first.
	middle := map[shape]bool{shapes[2]: true, shapes[3]: true}
	if diff := cmp.Diff(map[shape]bool{{1, 2, 3}: true, {1, 0, 1}: true}, middle); diff != "" {
		t.Error(diff)
	}
	if newest := collect(t, t.Context(), dir, Options{Limit: 1}); len(newest) != 1 || newest[0].Hash != got[4].Hash {
		t.Errorf("limit 1 gives %v", newest)
	}
}

func TestRead_StopsEarly(t *testing.T) {
	dir, git := repository(t)
	git("commit", "-q", "--allow-empty", "-m", "1")
	git("commit", "-q", "--allow-empty", "-m", "2")
	n := 0
	for range Read(t.Context(), dir, Options{}) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("got %d commits", n)
	}
}

func TestRead_Errors(t *testing.T) {
	empty, _ := repository(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		ctx context.Context
		dir string
	}{
		"no repository": {t.Context(), filepath.Join(t.TempDir(), "none")},
		"no commits":    {t.Context(), empty},
		"cancelled":     {ended, empty},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var last error
			for _, err := range Read(tt.ctx, tt.dir, Options{}) {
				last = err
			}
			if last == nil {
				t.Error("no error")
			}
		})
	}
}

// render writes commits as git does, from the description of -z in git-log(1).
func render(commits []Commit, entries [][]string) string {
	var b strings.Builder
	for i, c := range commits {
		fmt.Fprintf(&b, "\x1e%s\x00%s\x00%s\x00%s\x00", c.Hash, c.Email, c.Name, c.Author.Format(time.RFC3339))
		for j, e := range entries[i] {
			if j == 0 {
				b.WriteString("\n")
			}
			b.WriteString(e + "\x00")
		}
	}
	return b.String()
}

func TestParse_IsTheInverseOfGitsFormat(t *testing.T) {
	text := rapid.StringMatching(`[^\x00]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6).Draw(t, "commits")
		commits, entries := make([]Commit, n), make([][]string, n)
		for i := range commits {
			zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "offset"))
			c := Commit{
				Hash: rapid.StringMatching(`[0-9a-f]{40}`).Draw(t, "hash"), Email: text.Draw(t, "email"), Name: text.Draw(t, "name"),
				Author: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0).In(zone),
			}
			for range rapid.IntRange(0, 4).Draw(t, "files") {
				path := rapid.StringMatching(`[^\x00]{1,12}`).Draw(t, "path")
				c.Files++
				if rapid.Bool().Draw(t, "binary") {
					entries[i] = append(entries[i], "-\t-\t"+path)
					continue
				}
				a, d := rapid.IntRange(0, 1e6).Draw(t, "added"), rapid.IntRange(0, 1e6).Draw(t, "deleted")
				c.Added, c.Deleted = c.Added+a, c.Deleted+d
				entries[i] = append(entries[i], fmt.Sprintf("%d\t%d\t%s", a, d, path))
			}
			commits[i] = c
		}
		var got []Commit
		for c, err := range Parse(strings.NewReader(render(commits, entries))) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c)
		}
		sameInstant := cmp.Comparer(func(a, b time.Time) bool { return a.Format(time.RFC3339) == b.Format(time.RFC3339) })
		if len(got) != len(commits) || n > 0 && !cmp.Equal(commits, got, sameInstant) {
			t.Fatal(cmp.Diff(commits, got, sameInstant))
		}
	})
}

func TestParse_Malformed(t *testing.T) {
	const head = "\x1eabc\x00e\x00n\x002026-01-01T00:00:00Z\x00"
	for name, text := range map[string]string{
		"entry before any commit": "1\t2\tx\x00",
		"cut header":              "\x1eabc\x00e\x00",
		"bad date":                "\x1eabc\x00e\x00n\x00yesterday\x00",
		"no counts":               head + "\nx\ty\tz\x00",
		"negative":                head + "\n-1\t2\tz\x00",
		"no path":                 head + "\n1\t2\x00",
		"cut entry":               head + "\n1\t2\tz",
		"endless token":           head + strings.Repeat("x", maxToken+1),
	} {
		t.Run(name, func(t *testing.T) {
			var last error
			for _, err := range Parse(strings.NewReader(text)) {
				last = err
			}
			if !errors.Is(last, ErrFormat) {
				t.Errorf("error = %v", last)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x1eabc\x00e\x00n\x002026-01-01T00:00:00Z\x00\n1\t2\tx\x00-\t-\ty\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for c, err := range Parse(strings.NewReader(string(data))) {
			if err == nil && (c.Added < 0 || c.Deleted < 0 || c.Files < 0) {
				t.Fatalf("negative counts: %+v", c)
			}
		}
	})
}

func TestUserID_IsAlwaysAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := string(rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "raw"))
		id := UserID(raw)
		if len(id) < 1 || len(id) > 128 || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
			t.Fatalf("UserID(%q) = %q", raw, id)
		}
		if UserID(id) != id {
			t.Fatalf("UserID(%q) is not stable: %q", raw, id)
		}
	})
	for raw, want := range map[string]string{" Ada \n": "Ada", "": "unknown", "\x00": "unknown", "Zoë": "Zoë"} {
		if got := UserID(raw); got != want {
			t.Errorf("UserID(%q) = %q", raw, got)
		}
	}
}
