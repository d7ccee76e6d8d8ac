package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

var errBroken = errors.New("broken")

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestGroup_PartsOutliveTheContextThatStartedThem(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := newGroup(ctx)
	p := g.start("part", untilStopped)
	cancel()
	select {
	case <-p.done:
		t.Error("the part ended before it was stopped")
	case err := <-g.ended:
		t.Errorf("ended: %v", err)
	default:
	}
	if err := p.stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestGroup_APartThatEndsByItselfIsAFailure(t *testing.T) {
	for name, result := range map[string]error{"error": errBroken, "no error": nil} {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t.Context())
			p := g.start("the part", func(context.Context) error { return result })
			err := <-g.ended
			if !strings.HasPrefix(err.Error(), "the part: ") || result != nil && !errors.Is(err, result) {
				t.Errorf("error = %v", err)
			}
			if err := p.stop(t.Context()); err != nil {
				t.Errorf("the failure is reported twice: %v", err)
			}
		})
	}
}

func TestPart_Stop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t.Context())
		failing := g.start("failing", func(ctx context.Context) error { <-ctx.Done(); return errBroken })
		if err := failing.stop(t.Context()); !errors.Is(err, errBroken) {
			t.Errorf("error = %v", err)
		}
		release := make(chan struct{})
		stuck := g.start("stuck", func(context.Context) error { <-release; return nil })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := stuck.stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stuck") {
			t.Errorf("error = %v", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("waited %v", waited)
		}
		close(release)
	})
}

func TestStopInOrder_TakesEveryStep(t *testing.T) {
	var taken []string
	record := func(name string, err error) step {
		return step{name, "a reason", func(context.Context) error { taken = append(taken, name); return err }}
	}
	err := stopInOrder(t.Context(), zerolog.Nop(), []step{record("a", nil), record("b", errBroken), record("c", nil), record("d", errBroken)})
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, taken); diff != "" {
		t.Error(diff)
	}
	if err == nil || err.Error() != "b: broken\nd: broken" {
		t.Errorf("error = %v", err)
	}
}

func TestShutdown_EachStepHasAReason(t *testing.T) {
	n := node{clients: &listener{}, operators: &listener{}}
	for _, s := range n.shutdown(0) {
		if s.name == "" || s.reason == "" {
			t.Errorf("step %+v", s)
		}
	}
}

// TestClient_RepeatsWhatFailsForNow counts the requests that a server gets for each kind of answer.
func TestClient_RepeatsWhatFailsForNow(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []int // the last one from then on
		want    int
		fails   bool
	}{
		"success":     {[]int{200}, 1, false},
		"overloaded":  {[]int{429, 503, 200}, 3, false},
		"refused":     {[]int{403}, 1, true},
		"server dead": {[]int{503}, attempts, true},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			c := fakeServer(t, func(w http.ResponseWriter, _ *http.Request) {
				status := tt.answers[min(asked, len(tt.answers)-1)]
				asked++
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(status)
				w.Write([]byte("{}"))
			})
			var pauses []time.Duration
			c.wait = func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil }
			err := c.call(t.Context(), "POST", "/", "", nil, &struct{}{})
			if asked != tt.want || (err != nil) != tt.fails {
				t.Errorf("asked %d times, error %v", asked, err)
			}
			for _, d := range pauses {
				if d < 7*time.Second {
					t.Errorf("paused %v, less than the server asked for", d)
				}
			}
		})
	}
}

func TestClient_ProblemText(t *testing.T) {
	c := fakeServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"code":"bad_period","title":"t","detail":"2026-W54 does not exist"}`))
	})
	err := c.call(t.Context(), "GET", "/", "", nil, nil)
	if err == nil || err.Error() != "the server answered 400 bad_period: 2026-W54 does not exist" {
		t.Errorf("error = %v", err)
	}
	proxy := fakeServer(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusForbidden) })
	if err := proxy.call(t.Context(), "GET", "/", "", nil, nil); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("error = %v", err)
	}
}
