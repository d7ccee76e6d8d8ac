package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// An id is an id, whatever a file system would make of it, and a segment that is missing leads nowhere.
func TestPathsAreTakenLiterally(t *testing.T) {
	g := newRig(t)
	users := []string{".", "..", "...", ".x", "a/../b", "a//b", "%2E"}
	for _, u := range users {
		g.send(commit("1", u, now))
	}
	targets := map[string]string{"/v1/users/.": ".", "/v1/users/..": "..", "/v1/users/%2E%2E": "..", "/v1/users/...": "...", "/v1/users/.x": ".x",
		"/v1/users/a%2F..%2Fb": "a/../b", "/v1/users/a%2F%2Fb": "a//b", "/v1/users/%252E": "%2E"}
	for target, user := range targets {
		if r := g.call("GET", target, "").wants(t, 200, ""); r.at("id") != user {
			t.Errorf("%s is the user %v, want %s", target, r.at("id"), user)
		}
	}
	g.call("POST", "/v1/activities/../1/reject", "").wants(t, 200, "")
	g.call("GET", "/v1/leaderboards/commits/week/users/..", "").wants(t, 404, "not_ranked")
	g.call("GET", "/v1/leaderboards/commits/week/users/.?around=1", "").wants(t, 200, "")

	for _, target := range []string{"//v1/leaderboards", "/v1//leaderboards", "/v1/users//streaks", "/v1/users//", "/v1/activities//1", "/v1/../v1/leaderboards"} {
		g.call("GET", target, "").wants(t, 404, "not_found")
		if g.last().route != "unmatched" {
			t.Errorf("%s counts as %s", target, g.last().route)
		}
	}
}

func TestMalformedQueries(t *testing.T) {
	g := newRig(t)
	for _, query := range []string{"limit=%zz", "limit=1;offset=2", "%=1"} {
		g.call("GET", "/v1/leaderboards/commits/week?"+query, "").wants(t, 400, "bad_request")
		g.call("GET", "/v1/leaderboards/commits/week?"+query, "", header("Authorization", "")).wants(t, 401, "unauthorized")
	}
	g.call("GET", "/v1/leaderboards/commits/week?limit=%31", "").wants(t, 200, "")
	g.call("POST", "/v1/activities?results=some", commit("1", "ada", now)).wants(t, 400, "bad_request")
	g.call("POST", "/v1/activities?results=all", commit("1", "ada", now)).wants(t, 201, "")
}

// spaces is a body of so many spaces. It counts what was taken of them.
type spaces struct{ left, taken int }

func (s *spaces) Read(b []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := min(len(b), s.left)
	for i := range b[:n] {
		b[i] = ' '
	}
	s.left -= n
	s.taken += n
	return n, nil
}

func (*spaces) Close() error { return nil }

// Who sends a little too much is still sending when the server knows: it is heard out, so that it hears the answer.
func TestTooLargeIsHeardOut(t *testing.T) {
	g := newRig(t)
	for _, c := range []struct {
		name             string
		size, most       int
		announced, asked bool
	}{
		{"announced", MaxBody + 5000, MaxBody + 5000, true, false},
		{"unknown length", MaxBody + 5000, MaxBody + 5000, false, false},
		{"without end", 1 << 40, MaxBody + maxHeardOut + 1, false, false},
		{"asked first", MaxBody + 5000, 0, true, true},
	} {
		body := &spaces{left: c.size}
		g.call("POST", "/v1/activities", "[]", func(r *http.Request) {
			r.Body, r.ContentLength = body, -1
			if c.announced {
				r.ContentLength = int64(c.size)
			}
			if c.asked {
				r.Header.Set("Expect", "100-continue")
			}
		}).wants(t, 413, "too_large")
		if body.taken > c.most || c.most == c.size && body.left > 0 {
			t.Errorf("%s: %d taken of %d", c.name, body.taken, c.size)
		}
	}
	body := &spaces{left: 1000}
	g.call("POST", "/v1/activities", "[]", header("Authorization", ""), func(r *http.Request) { r.Body = body }).wants(t, 401, "unauthorized")
	if body.taken > 0 {
		t.Error("a stranger is heard out")
	}
}

func TestValuesAreWrittenPlainly(t *testing.T) {
	g := newRig(t)
	for sent, want := range map[string]string{"1e-7": "0.0000001", "5E-3": "0.005", "1e5": "100000", "-0": "0", "9007199254740991": "9007199254740991"} {
		r := g.call("POST", "/v1/activities", `{"id":"`+sent+`","user":"ada","name":"commit","value":`+sent+`}`)
		if !strings.Contains(r.Body.String(), `"value":`+want+`,"at"`) {
			t.Errorf("%s became %d %s", sent, r.Code, r.Body)
		}
	}
}
