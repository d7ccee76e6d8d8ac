package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
)

// TestSubmit_ImportBesideLive: of an import and live activities of one user that are decided in one batch, only the live ones make events.
func TestSubmit_ImportBesideLive(t *testing.T) {
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		importFirst bool
		want        string
	}{
		"import first": {true, "[streak.extended 4 after 3]"},
		"live first":   {false, "[streak.started 1 after 0]"},
	} {
		t.Run(name, func(t *testing.T) {
			n, start := newNode(t, embedded(t, 1), 0)
			n.set(noon)
			org := n.publish(t, "orgs: [{id: mixed, streaks: [{id: daily, when: {}, unit: day}]}]")
			i, err := n.CreateImport(t.Context(), org)
			if err != nil {
				t.Fatal(err)
			}
			var g errgroup.Group
			send := func(waiting int, o ingest.SubmitOptions, records ...oracle.Record) {
				g.Go(func() error {
					r, err := n.Submit(context.Background(), org, items(records...), o)
					if err == nil && r.Accepted != len(records) {
						err = fmt.Errorf("%+v", r)
					}
					return err
				})
				for n.Waiting() < waiting {
					runtime.Gosched()
				}
			}
			history := []oracle.Record{record("u", "1", noon.Add(-3*day)), record("u", "2", noon.Add(-2*day)), record("u", "3", noon.Add(-day))}
			if test.importFirst {
				send(3, ingest.SubmitOptions{Import: i.ID}, history...)
				send(4, ingest.SubmitOptions{}, record("u", "4", noon))
			} else {
				send(1, ingest.SubmitOptions{}, record("u", "4", noon))
				send(4, ingest.SubmitOptions{Import: i.ID}, history...)
			}
			start()
			if err := g.Wait(); err != nil {
				t.Fatal(err)
			}
			if l := length(t, n, org, "u"); l != 4 {
				t.Errorf("the streak is %d long", l)
			}
			events, err := n.store.Events(t.Context(), 0, feed.Position{}, 100)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, e := range events {
				var s streakEvent
				if err := json.Unmarshal(e.Body, &s); err != nil {
					t.Fatal(err)
				}
				told = append(told, fmt.Sprintf("%s %d after %d", s.Type, s.Current, s.Previous))
			}
			if got := fmt.Sprint(told); got != test.want {
				t.Errorf("told %s, want %s", got, test.want)
			}
		})
	}
}
