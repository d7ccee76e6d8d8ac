package query

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
)

// streaksOf reads a user's streaks, at an instant or ("") now, by rule.
func (g *rig) streaksOf(user activity.User, at string) map[string]any {
	g.t.Helper()
	b, err := g.readStreaks(user, at)
	must(g.t, err)
	of := map[string]any{}
	for _, s := range decode(g.t, b).(map[string]any)["streaks"].([]any) {
		of[s.(map[string]any)["rule"].(string)] = s
	}
	return of
}

func (g *rig) readStreaks(user activity.User, at string) ([]byte, error) {
	if at == "" {
		return g.Streaks(g.t.Context(), org, user, nil)
	}
	i := instant(g.t, at)
	return g.Streaks(g.t.Context(), org, user, &i)
}

// lengths are the current, longest and total of a streak as read.
func lengths(streak any) []any {
	s := streak.(map[string]any)
	var out []any
	for _, name := range []string{"current", "longest", "total_periods"} {
		n, _ := s[name].(interface{ Int64() (int64, error) }).Int64()
		out = append(out, n)
	}
	return append(out, s["state"])
}

// checkLengths compares a user's daily streak at several instants.
func (g *rig) checkLengths(user activity.User, want map[string][]any) {
	g.t.Helper()
	for at, w := range want {
		if diff := cmp.Diff(w, lengths(g.streaksOf(user, at)["daily"])); diff != "" {
			g.t.Errorf("%s at %q (-want +got)\n%s", user, at, diff)
		}
	}
}

// TestStreaks_Object holds the whole object, member by member, against the contract: what is there, and what is left out.
func TestStreaks_Object(t *testing.T) {
	const freezes = `"freezes":{"held":0,"used":0,"max":0}`
	tests := []struct{ name, now, rule, want string }{
		{"running", noon, "daily", `{"rule":"daily","current":2,"longest":2,"longest_span":{"start":"2026-11-19","end":"2026-11-20"},"total_periods":2,
			"state":"active","unit":"day","timezone":"UTC","started":"2026-11-19","last_extended_at":"2026-11-20T10:00:00.000Z",
			"deadline":"2026-11-22T00:00:00.000Z","dies_at":"2026-11-22T00:00:00.000Z",
			"period":{"label":"2026-11-21","value":0,"target":1,"met":false},` + freezes + `,
			"history":[{"period":"2026-11-19","status":"met","value":1,"target":1},{"period":"2026-11-20","status":"met","value":1,"target":1},
				{"period":"2026-11-21","status":"open","value":0,"target":1}]}`},
		{"broken", "2026-11-22T00:00:00Z", "daily", `{"rule":"daily","current":0,"longest":2,"longest_span":{"start":"2026-11-19","end":"2026-11-20"},
			"total_periods":2,"state":"broken","unit":"day","timezone":"UTC","last_extended_at":"2026-11-20T10:00:00.000Z",
			"lost":{"length":2,"start":"2026-11-19","end":"2026-11-20","at":"2026-11-22T00:00:00.000Z"},
			"period":{"label":"2026-11-22","value":0,"target":1,"met":false},` + freezes + `,
			"history":[{"period":"2026-11-19","status":"met","value":1,"target":1},{"period":"2026-11-20","status":"met","value":1,"target":1},
				{"period":"2026-11-21","status":"missed","value":0,"target":1},{"period":"2026-11-22","status":"open","value":0,"target":1}]}`},
		{"several conditions", noon, "both", `{"rule":"both","current":1,"longest":1,"longest_span":{"start":"2026-W47","end":"2026-W47"},"total_periods":1,
			"state":"active","unit":"week","timezone":"UTC","started":"2026-W47","last_extended_at":"2026-11-20T10:00:00.000Z",
			"deadline":"2026-11-30T00:00:00.000Z","dies_at":"2026-11-30T00:00:00.000Z",
			"period":{"label":"2026-W47","value":2,"target":2,"met":true,"conditions":[{"value":2,"target":2},{"value":2.5,"target":2.5}]},` + freezes + `,
			"history":[{"period":"2026-W47","status":"met","value":2,"target":2,"conditions":[{"value":2,"target":2},{"value":2.5,"target":2.5}]}]}`},
	}
	g := newRig(t)
	g.send("ann 1.5 2026-11-19T10:00:00Z", "ann 1 2026-11-20T10:00:00Z", "lap bob 1 2026-11-20T10:00:00Z")
	for _, tt := range tests {
		g.set(tt.now)
		if diff := cmp.Diff(decode(t, []byte(tt.want)), g.streaksOf("ann", "")[tt.rule]); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
	g.set(noon)
	want := `{"rule":"daily","current":0,"longest":0,"total_periods":0,"state":"none","unit":"day","timezone":"UTC",
		"period":{"label":"2026-11-21","value":0,"target":1,"met":false},` + freezes + `,
		"history":[{"period":"2026-11-21","status":"open","value":0,"target":1}]}`
	if diff := cmp.Diff(decode(t, []byte(want)), g.streaksOf("bob", "")["daily"]); diff != "" {
		t.Errorf("nothing done for it (-want +got)\n%s", diff)
	}
	if _, err := g.readStreaks("nobody", ""); !errors.Is(err, ErrUserNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}

// TestStreaks_At: as of an instant, by the activities up to it as they are known now, late ones too.
func TestStreaks_At(t *testing.T) {
	g := newRig(t)
	g.send("ann 1 2026-11-19T10:00:00Z", "ann 1 2026-11-21T10:00:00Z")
	if diff := cmp.Diff([]any{int64(1), int64(1), int64(2), "active"}, lengths(g.streaksOf("ann", "")["daily"])); diff != "" {
		t.Errorf("before the late one (-want +got)\n%s", diff)
	}
	g.send("ann 1 2026-11-20T10:00:00Z")
	g.checkLengths("ann", map[string][]any{
		"2026-11-19T09:59:59.999Z": {int64(0), int64(0), int64(0), "none"},
		"2026-11-19T10:00:00Z":     {int64(1), int64(1), int64(1), "active"},
		"2026-11-20T09:00:00Z":     {int64(1), int64(1), int64(1), "active"},
		"2026-11-20T10:00:00Z":     {int64(2), int64(2), int64(2), "active"},
		"2026-11-21T10:00:00Z":     {int64(3), int64(3), int64(3), "active"},
		"2026-11-23T00:00:00Z":     {int64(0), int64(3), int64(3), "broken"},
		"":                         {int64(3), int64(3), int64(3), "active"},
	})
}

// TestStreaks_AtSealed: the history before the seal is summed up, and what was shown then is not known any more.
func TestStreaks_AtSealed(t *testing.T) {
	g := newRig(t)
	g.send("ann 1 2026-11-20T10:00:00Z", "ann 1 2026-11-21T10:00:00Z")
	g.set("2026-11-26T12:00:00Z")
	g.send("ann 1 2026-11-26T10:00:00Z") // what is older than three days is folded with it
	_, err := g.readStreaks("ann", "2026-11-23T11:59:59.999Z")
	if !errors.Is(err, ErrSealed) || Detail(err) != "history before 2026-11-23T12:00:00.000Z is sealed" {
		t.Errorf("before the seal: %v", err)
	}
	g.checkLengths("ann", map[string][]any{
		"2026-11-23T12:00:00Z": {int64(0), int64(2), int64(2), "broken"},
		"2026-11-26T10:00:00Z": {int64(1), int64(2), int64(3), "active"},
	})
}

// TestStreaks_AtSumOutOfRange: a rule's sum that was never out of range as the activities came may be so up to an instant. Streaks do not show it.
func TestStreaks_AtSumOutOfRange(t *testing.T) {
	g := newRig(t)
	g.send("ann 1 2026-11-21T09:00:00Z", "debt ann -9 2026-11-21T11:00:00Z", "debt ann 9007199254740992 2026-11-21T09:00:00Z", "debt ann 3 2026-11-21T10:00:00Z")
	if diff := cmp.Diff([]any{int64(1), int64(1), int64(1), "active"}, lengths(g.streaksOf("ann", "2026-11-21T10:30:00Z")["daily"])); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
