package query

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/catalog"
	"laurel/internal/progress"
)

// sealedRig is a user whose first two days lie before the seal.
func sealedRig(t *testing.T) *rig {
	t.Helper()
	g := newRig(t)
	g.send("ann 1 2026-11-20T10:00:00Z", "ann 1 2026-11-21T10:00:00Z")
	g.set("2026-11-26T12:00:00Z")
	g.send("ann 1 2026-11-26T10:00:00Z") // what is older than three days is folded with it
	return g
}

// TestLife_Sealed: what the seal sums up is still told period by period; its activities are not.
func TestLife_Sealed(t *testing.T) {
	g := sealedRig(t)
	b, err := g.History(t.Context(), org, "ann", "daily", Range{})
	must(t, err)
	var shown []any
	for _, p := range decode(t, b).(map[string]any)["history"].([]any) {
		shown = append(shown, p.(map[string]any)["status"])
	}
	if diff := cmp.Diff([]any{"met", "met", "missed", "missed", "missed", "missed", "met"}, shown); diff != "" {
		t.Errorf("history (-want +got)\n%s", diff)
	}
	b, err = g.Past(t.Context(), org, "ann", "daily", 10)
	must(t, err)
	if want := `{"rule":"daily","total":1,"past":[{"length":2,"start":"2026-11-20","end":"2026-11-21","ended_at":"2026-11-23T00:00:00.000Z"}]}`; string(b) != want {
		t.Errorf("past is %s, want %s", b, want)
	}
	b, err = g.Explain(t.Context(), org, "ann", "daily", Range{From: "2026-11-20", To: "2026-11-20"})
	must(t, err)
	want := `{"rule":"daily","periods":[{"period":"2026-11-20","start":"2026-11-20T00:00:00.000Z","end":"2026-11-21T00:00:00.000Z","can_be_met_until":"2026-11-21T00:00:00.000Z",` +
		`"timezone":"UTC","required":true,"status":"met","why":"Met at 2026-11-20T10:00:00.000Z: the streak came to 1. Activities before 2026-11-23T12:00:00.000Z are summed up and cannot be ` +
		`listed any more.","value":1,"target":1,"met_at":"2026-11-20T10:00:00.000Z","length":1,"freezes_held":0,"sealed":true,"activities":[]}]}`
	if string(b) != want {
		t.Errorf("explained as\n%s, want\n%s", b, want)
	}
}

// TestLife_PreviewSealed: another definition sees what is after the seal, and says so; the present one sees all.
func TestLife_PreviewSealed(t *testing.T) {
	g := sealedRig(t)
	_, e, err := g.ingest.Plan(org)
	must(t, err)
	for definition, want := range map[string][]any{
		`{"when":{"name":"score"},"unit":"day","timezone":"org"}`:                         {"2", "3", nil},
		`{"when":{"name":"score"},"unit":"day","timezone":"org","freezes":{"max":1}}`:     {"2", "3", nil},
		`{"when":{"name":"score"},"unit":"day","timezone":"org","target":1,"grace":"1h"}`: {"1", "1", "2026-11-23T12:00:00.000Z"},
		`{"when":{"name":["score","lap"]},"unit":"day","timezone":"org"}`:                 {"1", "1", "2026-11-23T12:00:00.000Z"},
	} {
		c, err := e.Catalog.Put(catalog.Streaks, "daily", []byte(definition))
		must(t, err)
		b, err := g.Preview(t.Context(), org, "ann", c, "daily", nil)
		must(t, err)
		got := decode(t, b).(map[string]any)
		if diff := cmp.Diff(want, []any{text(got["longest"]), text(got["total_periods"]), got["since"]}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", definition, diff)
		}
	}
	before := instant(t, "2026-11-23T11:59:59Z")
	if _, err := g.Preview(t.Context(), org, "ann", e.Catalog, "daily", &before); !errors.Is(err, ErrSealed) {
		t.Errorf("before the seal: %v", err)
	}
}

func text(n any) string { return n.(interface{ String() string }).String() }

// TestExplain_Conditions: several conditions, values that are scaled or counted once, and activities that match one of them.
func TestExplain_Conditions(t *testing.T) {
	g := newRig(t)
	g.publish(strings.Replace(definitions, "at_least: 2.5}]}", "at_least: 2.5}, {when: {name: [score, lap]}, value: {unique: value}, at_least: 2}]}", 1))
	g.send("ann 1.54 2026-11-19T10:00:00Z", "lap ann 7 2026-11-20T10:00:00Z")
	b, err := g.Explain(t.Context(), org, "ann", "both", Range{From: "2026-11-20"})
	must(t, err)
	p := decode(t, b).(map[string]any)["periods"].([]any)[0].(map[string]any)
	if want := "Not met yet (1 of 2 and 1.5 of 2.5 and 2 of 2); it can be met until 2026-11-23T00:00:00.000Z."; p["why"] != want || p["period"] != "2026-W47" {
		t.Errorf("why: %s, want %s", p["why"], want)
	}
	want := decode(t, []byte(`[{"id":"a1","at":"2026-11-19T10:00:00.000Z","values":[1,1.5,1.54]},{"id":"a2","at":"2026-11-20T10:00:00.000Z","values":[null,null,7]}]`))
	if diff := cmp.Diff(want, p["activities"]); diff != "" {
		t.Errorf("activities (-want +got)\n%s", diff)
	}
	if _, err := g.Explain(t.Context(), org, "ann", "none", Range{}); !errors.Is(err, progress.ErrStreakNotFound) {
		t.Errorf("no such rule: %v", err)
	}
}
