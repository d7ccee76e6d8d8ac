package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dop251/goja"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func get(t *testing.T, method string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.Header = header
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHandler_Headers(t *testing.T) {
	got := get(t, "GET", http.Header{})
	if got.StatusCode != 200 || got.Header.Get("Content-Type") != "text/html; charset=utf-8" || got.ContentLength == 0 {
		t.Errorf("answer %v", got)
	}
	if again := get(t, "GET", http.Header{"If-None-Match": {got.Header.Get("Etag")}}); again.StatusCode != 304 {
		t.Errorf("with its ETag: %d", again.StatusCode)
	}
}

// TestHandler_PolicyAllowsThePageItself hashes what stands between the tags by searching for them, as a browser would.
func TestHandler_PolicyAllowsThePageItself(t *testing.T) {
	csp := get(t, "GET", http.Header{}).Header.Get("Content-Security-Policy")
	for _, tag := range []string{"script", "style"} {
		rest, n := string(page), 0
		for {
			_, after, found := strings.Cut(rest, "<"+tag)
			if !found {
				break
			}
			_, body, _ := strings.Cut(after, ">")
			text, tail, _ := strings.Cut(body, "</"+tag+">")
			sum := sha256.Sum256([]byte(text))
			if !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
				t.Errorf("the policy refuses %s %d", tag, n)
			}
			rest, n = tail, n+1
		}
		if n == 0 {
			t.Errorf("no %s found", tag)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
}

func TestPage_LoadsNothing(t *testing.T) {
	for _, bad := range []string{"src=", "@import", "url(", "innerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", " onclick="} {
		if strings.Contains(string(page), bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for _, address := range regexp.MustCompile(`https?://[^"'\s]+`).FindAllString(string(page), -1) {
		if address != "http://www.w3.org/2000/svg" { // a name, not an address that is loaded
			t.Errorf("the page names %s", address)
		}
	}
}

func TestPage_IdsThatTheScriptUsesExist(t *testing.T) {
	for _, m := range regexp.MustCompile(`\$\("([^"]+)"\)`).FindAllStringSubmatch(string(page), -1) {
		if strings.Count(string(page), `id="`+m[1]+`"`) != 1 {
			t.Errorf("there is not exactly one element %q", m[1])
		}
	}
}

// script runs the page's first script, which knows no page, in a JavaScript engine.
func script(t *testing.T) *goja.Runtime {
	t.Helper()
	vm := goja.New()
	for i, m := range scripts.FindAllSubmatch(page, -1) {
		if _, err := goja.Compile("page", string(m[1]), false); err != nil {
			t.Fatalf("script %d: %v", i, err)
		}
	}
	if _, err := vm.RunString(string(scripts.FindSubmatch(page)[1]) + "\nvar view = new View();"); err != nil {
		t.Fatal(err)
	}
	return vm
}

type row struct {
	Rank  int     `json:"rank"`
	User  string  `json:"user"`
	Score float64 `json:"score"`
}

// top is the model: the first rows of a board, ranked 1 2 2 4.
func top(board map[string]float64, limit int) []row {
	var rows []row
	for user, score := range board {
		rows = append(rows, row{User: user, Score: score})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.User, b.User)) })
	for i := range rows {
		rows[i].Rank = i + 1
		if i > 0 && rows[i].Score == rows[i-1].Score {
			rows[i].Rank = rows[i-1].Rank
		}
	}
	return rows[:min(limit, len(rows))]
}

func message(t *rapid.T, fields map[string]any) string {
	b, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestView_DeltasGiveTheBoard follows a board that changes at random and compares what the page holds with the board itself.
func TestView_DeltasGiveTheBoard(t *testing.T) {
	vm := script(t)
	users := []string{"a", "b", "ab", "é", "\uE000", "\U0001F600", "عمر", "z"}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		board := map[string]float64{}
		before := top(board, limit)
		run := func(js string) goja.Value {
			v, err := vm.RunString(js)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		run("view = new View(); view.snapshot(" + message(t, map[string]any{"epoch": "e", "seq": 0, "total": 0, "rows": []row{}, "as_of": ""}) + ")")
		for seq := range rapid.IntRange(1, 12).Draw(t, "steps") {
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				user := rapid.SampledFrom(users).Draw(t, "user")
				if score := rapid.IntRange(0, 5).Draw(t, "score"); score > 0 {
					board[user] = float64(score)
				} else {
					delete(board, user)
				}
			}
			after := top(board, limit)
			var remove []string
			for _, r := range before {
				if !slices.ContainsFunc(after, func(x row) bool { return x.User == r.User }) {
					remove = append(remove, r.User)
				}
			}
			var upsert []row
			for _, r := range after {
				if !slices.Contains(before, r) {
					upsert = append(upsert, r)
				}
			}
			delta := message(t, map[string]any{"prev": seq, "seq": seq + 1, "total": len(board), "as_of": "", "upsert": upsert, "remove": remove})
			if !run("view.delta(" + delta + ")").ToBoolean() {
				t.Fatal("delta refused")
			}
			if run("view.delta(" + delta + ")").ToBoolean() {
				t.Fatal("the same delta is taken twice")
			}
			var got []row
			if err := json.Unmarshal([]byte(run("JSON.stringify(view.rows)").String()), &got); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(after, got); diff != "" && len(after)+len(got) > 0 {
				t.Fatal(diff)
			}
			before = after
		}
	})
}

func TestReconnectDelay_IsBounded(t *testing.T) {
	vm := script(t)
	for attempt := range 100 {
		for _, random := range []float64{0, .5, .999} {
			vm.Set("attempt", attempt)
			vm.Set("random", random)
			v, err := vm.RunString("reconnectDelay(attempt, random)")
			if err != nil {
				t.Fatal(err)
			}
			if ms := v.ToFloat(); ms < 250 || ms > 30_000 {
				t.Errorf("attempt %d waits %v ms", attempt, ms)
			}
		}
	}
}
