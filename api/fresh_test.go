package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// TestFreshness: a client that holds an answer is told so, until the board, its period or the one before changes, and whatever else goes on.
func TestFreshness(t *testing.T) {
	g := newRig(t)
	g.sendRow(4)
	g.send(commit("p", "u1", "2026-11-12T10:00:00Z"))
	const board = "/v1/leaderboards/commits/week"
	targets := []string{board, board + "?limit=2", board + "?limit=2&offset=1", board + "?around_score=2", board + "?around_score=3", board + "?percentile=50",
		board + "?top_percent=50", board + "?min_score=2", board + "?max_score=2", board + "/users/u1", board + "/users/u1?around=0", board + "/users/u2",
		"/v1/leaderboards/commits/day", "/v1/leaderboards/lines/week", "/v1/leaderboards/commits/week~1"}
	tags := map[string]string{}
	read := func(target, none string) reply { return g.call("GET", target, "", header("If-None-Match", none)) }
	for _, target := range targets {
		tag := g.call("GET", target, "").wants(t, 200, "").Header().Get("ETag")
		for other, same := range tags {
			if same == tag {
				t.Errorf("%s and %s have one tag", target, other)
			}
		}
		tags[target] = tag
	}
	check := func(when string, changed ...string) {
		t.Helper()
		for _, target := range targets {
			want := 304
			for _, c := range changed {
				if c == target {
					want = 200
				}
			}
			r := read(target, tags[target])
			if r.Code != want {
				t.Errorf("%s: %s answers %d, want %d", when, target, r.Code, want)
			}
			tags[target] = r.Header().Get("ETag")
		}
	}
	check("at once")
	g.send(commit("x", "u1", "2026-11-01T10:00:00Z")) // of no board above but the streaks' and cycle all
	check("after a change of another board")
	g.send(commit("late", "u2", "2026-11-10T10:00:00Z")) // the week before, and so previous ranks
	day := []string{"/v1/leaderboards/commits/day"}
	check("after a change in the period before", except(targets, day...)...)
	g.send(commit("new", "u0", now))
	check("after a change", except(targets, "/v1/leaderboards/commits/week~1")...)
	g.setClock("2026-11-22T00:00:01.000Z")
	check("the next day", day...)
	const whole = "/v1/leaderboards/commits/2026-W47"
	open := g.call("GET", whole, "").wants(t, 200, "").Header().Get("ETag")
	g.setClock("2027-01-20T00:00:00.000Z") // past the grace: the period is closed, without any change
	if closed := read(whole, open).wants(t, 200, ""); closed.at("period.closed") != true {
		t.Errorf("after it closed: %s", closed.Body)
	}
}

func except(all []string, those ...string) (rest []string) {
	for _, s := range all {
		keep := true
		for _, t := range those {
			keep = keep && s != t
		}
		if keep {
			rest = append(rest, s)
		}
	}
	return rest
}

// TestFreshness_Conditions: how If-None-Match is read.
func TestFreshness_Conditions(t *testing.T) {
	g := newRig(t)
	g.sendRow(3)
	const target = "/v1/leaderboards/commits/week?limit=2"
	first := g.call("GET", target, "")
	tag := first.Header().Get("ETag")
	strong := tag[len("W/"):]
	for condition, want := range map[string]int{tag: 304, strong: 304, `"x", ` + tag: 304, tag + `,"y"`: 304, "*": 304, " * ": 304, `"x"`: 200, `"*"`: 200,
		strong[1 : len(strong)-1]: 200, "W/": 200, `"x",*`: 200} {
		r := g.call("GET", target, "", header("If-None-Match", condition))
		if r.Code != want || r.Header().Get("ETag") != tag || r.Header().Get("Cache-Control") != first.Header().Get("Cache-Control") ||
			r.Header().Get("Vary") != first.Header().Get("Vary") {
			t.Errorf("%s: %d %v, want %d", condition, r.Code, r.Header(), want)
		}
		if r.Code == 304 && (r.Body.Len() > 0 || r.Header().Get("Content-Length") != "" || r.Header().Get("Content-Type") != "") {
			t.Errorf("%s: 304 with %v %s", condition, r.Header(), r.Body)
		}
	}
	several := g.call("GET", target, "", func(r *http.Request) { r.Header["If-None-Match"] = []string{`"x"`, tag} })
	if several.Code != 304 {
		t.Errorf("two lines: %d", several.Code)
	}
	if head := g.call("HEAD", target, "", header("If-None-Match", tag)); head.Code != 304 {
		t.Errorf("HEAD: %d", head.Code)
	}
	if r := g.call("GET", target, "", header("If-None-Match", tag), header("Accept-Encoding", "gzip")); r.Code != 304 || r.Header().Get("Content-Encoding") != "" {
		t.Errorf("with gzip: %d %v", r.Code, r.Header())
	}
	g.call("GET", "/v1/leaderboards/commits/week/users/nobody", "", header("If-None-Match", "*")).wants(t, 404, "user_not_found")
	g.call("GET", target+"&min_revision=x", "", header("If-None-Match", tag)).wants(t, 400, "bad_revision")
	written := g.call("POST", "/v1/activities", commit("n", "u0", now)).at("revision").(string)
	g.call("GET", target+"&min_revision="+written, "", header("If-None-Match", tag)).wants(t, 200, "")
}

// TestFreshness_NothingIsRendered: an answer that the client holds costs no row.
func TestFreshness_NothingIsRendered(t *testing.T) {
	spy := &unrendered{}
	g := newRig(t, func(o *Options) { spy.Reads = o.Reads; o.Reads = spy })
	g.sendRow(3)
	for _, target := range []string{"/v1/leaderboards/commits/week", "/v1/leaderboards/commits/week?top_percent=5", "/v1/leaderboards/commits/week/users/u1?around=2"} {
		tag := g.call("GET", target, "").wants(t, 200, "").Header().Get("ETag")
		spy.empty = 0
		g.call("GET", target, "", header("If-None-Match", tag)).wants(t, 304, "")
		if spy.empty != 1 {
			t.Errorf("%s was rendered", target)
		}
	}
}

// unrendered counts answers that have no more than their tag.
type unrendered struct {
	Reads
	empty int
}

func (u *unrendered) Leaderboard(ctx context.Context, org activity.Org, rule, period string, p query.Page, h query.Held) (*query.Leaderboard, error) {
	l, err := u.Reads.Leaderboard(ctx, org, rule, period, p, h)
	if err == nil && l.Unchanged && l.Rows == nil && l.Revision == "" {
		u.empty++
	}
	return l, err
}

func (u *unrendered) UserRank(ctx context.Context, org activity.Org, rule, period string, user activity.User, around int, h query.Held) (*query.UserRank, error) {
	r, err := u.Reads.UserRank(ctx, org, rule, period, user, around, h)
	if err == nil && r.Unchanged && fmt.Sprint(r.Row) == fmt.Sprint(query.Row{}) {
		u.empty++
	}
	return r, err
}
