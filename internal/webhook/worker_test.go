package webhook

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"laurel/internal/activity"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

func embedded(t *testing.T) *store.Store {
	return openStore(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo})
}

// run has a node go on for some steps.
func (n *node) run(w *world, steps int) {
	for range steps {
		n.worker.step(w.t.Context())
	}
}

func TestLease_IsTakenOverWhenItLapses(t *testing.T) {
	w := newWorld(t, embedded(t), 2)
	a, b := w.nodes[0], w.nodes[1]
	w.tell("ann", "streak.lost")
	a.run(w, 2)
	w.tell("ann", "streak.extended")
	b.run(w, 5)
	if got := w.receiver.count(); got != 1 {
		t.Fatalf("%d events arrived, while the lease lasts", got)
	}
	w.advance(leaseFor + time.Millisecond) // a is dead
	b.run(w, 2)
	if got := w.receiver.count(); got != 2 {
		t.Fatalf("%d events arrived, after the lease", got)
	}
	w.tell("ann", "streak.lost")
	a.run(w, 5) // it was only asleep
	if got := w.receiver.count(); got != 2 || a.worker.mine {
		t.Errorf("%d events arrived, one by who lost the lease", got)
	}
	b.worker.leave(t.Context())
	a.run(w, 2)
	if got := w.receiver.count(); got != 3 {
		t.Errorf("%d events arrived, after the lease was given back", got)
	}
	w.check()
}

// TestLease_OutlastsEachRequest: none begins that could still be under way when another node may send.
func TestLease_OutlastsEachRequest(t *testing.T) {
	w := newWorld(t, embedded(t), 1)
	for range 5 {
		w.tell("ann", "streak.lost")
	}
	n := w.nodes[0]
	w.receiver.mu.Lock()
	w.receiver.during = func() { // the second request takes for ever
		if w.receiver.arrived == 1 {
			w.advance(leaseFor)
		}
	}
	w.receiver.mu.Unlock()
	before := w.clock.Now()
	n.run(w, 1)
	if got := w.receiver.count(); got != 2 {
		t.Errorf("%d requests began, the last when the lease was over (%v)", got, w.clock.Now()-before)
	}
	w.receiver.mu.Lock()
	w.receiver.during = nil
	w.receiver.mu.Unlock()
	n.run(w, 3)
	w.check()
}

func TestFailures_AreTriedAgainAndGivenUp(t *testing.T) {
	w := newWorld(t, embedded(t), 1)
	n := w.nodes[0]
	w.tell("ann", "streak.lost")
	w.receiver.set("500")
	n.run(w, 3)
	s := w.status()
	if s.State != Failing || s.Attempts != 1 || s.LastError == nil || s.LastError.Status != 500 || s.LastError.Detail != "500 Internal Server Error" {
		t.Fatalf("%+v", s)
	}
	pause := time.Duration(s.Retry-w.clock.Now()) * time.Millisecond
	if pause < firstPause*4/5 || pause > firstPause*6/5 {
		t.Errorf("the first pause is %v", pause)
	}
	began, attempts := w.clock.Now(), 0
	for w.status().State == Failing {
		w.advance(10 * time.Minute)
		n.run(w, 1)
		if attempts++; attempts > 5*24*6+10 {
			t.Fatal("it is never given up")
		}
	}
	s = w.status()
	days := time.Duration(w.clock.Now()-began) * time.Millisecond
	if s.State != Disabled || s.Reason != disabledFailing || days < giveUpAfter || days > giveUpAfter+2*longestPause || s.Attempts > 200 {
		t.Errorf("after %v: %+v", days, s)
	}
	w.receiver.set("ok")
	w.advance(time.Hour)
	n.run(w, 5)
	if w.receiver.count() != 0 {
		t.Error("something is sent to a webhook that is disabled")
	}
	if err := n.Enable(t.Context(), org, "w", false); err != nil {
		t.Fatal(err)
	}
	n.run(w, 2)
	w.check()
	if s := w.status(); s.State != Sending || s.LastError == nil || s.Delivered != 1 {
		t.Errorf("enabled: %+v", s)
	}
}

func TestFailures_OfEachSort(t *testing.T) {
	for mode, want := range map[string]struct {
		state  State
		status int
		detail string
		pause  time.Duration
	}{
		"410":      {Disabled, 410, "410 Gone", 0},
		"429":      {Failing, 429, "429 Too Many Requests", 90 * time.Second},
		"redirect": {Failing, 302, "302 Found", 0},
		"404":      {Failing, 404, "404 Not Found", 0},
		"hang":     {Failing, 0, "no answer in time", 0},
		"break":    {Failing, 0, "the connection failed", 0},
	} {
		timeout := 20 * time.Second
		if mode == "hang" {
			timeout = 100 * time.Millisecond
		}
		w := newWorldOf(t, embedded(t), 1, timeout)
		w.receiver.set(mode)
		w.tell("ann", "streak.lost")
		w.nodes[0].run(w, 2)
		s := w.status()
		if s.State != want.state || s.LastError == nil || s.LastError.Status != want.status || s.LastError.Detail != want.detail {
			t.Errorf("%s: %+v %+v", mode, s, s.LastError)
		}
		if want.pause > 0 && time.Duration(s.Retry-w.clock.Now())*time.Millisecond != want.pause {
			t.Errorf("%s: tried again at %v, not after %v", mode, s.Retry, want.pause)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{"": 0, "x": 0, "-5": 0, "120": 2 * time.Minute, "999999": maxRetryAfter, "Sun, 22 Nov 2026 08:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 07:00:30 GMT": 0} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, not %v", text, got, want)
		}
	}
}

// TestRotation: while two secrets are named each alone verifies; a URL that was changed is tried at once.
func TestRotation(t *testing.T) {
	w := newWorld(t, embedded(t), 1)
	w.publish(definition(w.receiver.server.URL, "["+otherSecret+", "+oneSecret+"]"))
	for _, known := range []string{oneSecret, otherSecret} {
		w.receiver.mu.Lock()
		w.receiver.secrets = []string{known}
		w.receiver.mu.Unlock()
		w.tell("ann", "streak.lost")
		w.nodes[0].run(w, 2)
	}
	w.receiver.set("410")
	w.tell("ann", "streak.lost")
	w.nodes[0].run(w, 2)
	w.receiver.set("ok")
	w.publish(definition(strings.Replace(w.receiver.server.URL, "127.0.0.1", "localhost", 1), "["+otherSecret+", "+oneSecret+"]"))
	w.nodes[0].run(w, 2)
	w.check()
}

// TestBegin: nothing arrives of before the webhook, nor of before one that was removed under its id.
func TestBegin(t *testing.T) {
	s := embedded(t)
	w := newWorld(t, s, 1)
	w.tell("ann", "streak.lost") // of what was published, and not taken up yet
	w.nodes[0].run(w, 2)
	w.publish("id: o\n")
	w.tell("ann", "streak.extended")
	w.told["ann"] = w.told["ann"][:1]
	w.nodes[0].run(w, 2)
	w.publish(definition(w.receiver.server.URL, oneSecret))
	w.tell("bob", "streak.lost")
	w.advance(leaseFor * 2)
	w.nodes[0].run(w, 3)
	w.check()
}

// TestGap: where events were trimmed before they were sent, that is counted, and those that are there come.
func TestGap(t *testing.T) {
	server := testenv.StartRedis(t)
	s := openStore(t, store.Options{URL: server.URL(), Partitions: 2})
	w := newWorld(t, s, 1)
	w.tell("ann", "streak.lost")
	for page := range store.OutboxKeep / 1000 {
		pipe := s.Client().Pipeline()
		for i := range 1000 {
			pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: string(store.OutboxKey(0)), Values: []string{"o", "other", "e", `{"type":"x"}`}, ID: fmt.Sprintf("9%012d-%d", page, i)})
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.nodes[0].run(w, 12)
	w.check()
	if s := w.status(); s.Gaps != 1 || s.LastGap != w.clock.Now() {
		t.Errorf("%+v", s)
	}
}

func TestEnable_Skips(t *testing.T) {
	w := newWorld(t, embedded(t), 1)
	w.receiver.set("500")
	w.tell("ann", "streak.lost")
	w.nodes[0].run(w, 2)
	w.receiver.set("ok")
	if err := w.nodes[0].Enable(t.Context(), org, "w", true); err != nil {
		t.Fatal(err)
	}
	w.told["ann"] = nil
	w.tell("ann", "level.reached")
	w.advance(recheck)
	w.nodes[0].run(w, 4)
	w.check()
	if err := w.nodes[0].Enable(t.Context(), org, "none", true); err != ErrNotFound {
		t.Error(err)
	}
}

func TestTest_SendsOne(t *testing.T) {
	w := newWorld(t, embedded(t), 1)
	a, err := w.nodes[0].Test(t.Context(), org, "w")
	if err != nil || !a.OK || a.Status != 200 {
		t.Errorf("%+v, %v", a, err)
	}
	if len(w.receiver.faults) > 0 || len(w.receiver.first[""]) != 1 || !strings.Contains(w.receiver.first[""][0], `"type":"webhook.test"`) {
		t.Errorf("%v %v", w.receiver.faults, w.receiver.first)
	}
	w.receiver.set("404")
	if a, err := w.nodes[0].Test(t.Context(), org, "w"); err != nil || a.OK || a.Detail != "404 Not Found" {
		t.Errorf("%+v, %v", a, err)
	}
	w.publish("id: o\nwebhooks:\n  - {id: w, url: '" + w.receiver.server.URL + "', secret_env: LAUREL_SECRET_NONE}\n")
	if _, err := w.nodes[0].Test(t.Context(), org, "w"); err != ErrNoSecret {
		t.Error(err)
	}
	w.nodes[0].Getenv = func(name string) string {
		return map[string]string{"LAUREL_SECRET_NONE": oneSecret + " " + otherSecret}[name]
	}
	w.receiver.set("ok")
	w.tell("ann", "streak.lost")
	w.nodes[0].run(w, 2)
	if len(w.receiver.first["ann"]) != 1 {
		t.Errorf("signed by a variable: %v", w.receiver.first)
	}
}

// TestRun_NobodyHoldsUpAnybody: one receiver hangs, and the events of the other arrive; requests are bounded; leases are given back in the end.
func TestRun_NobodyHoldsUpAnybody(t *testing.T) {
	w := newWorld(t, embedded(t), 1)
	var hanging, most atomic.Int32
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		highest(&most, hanging.Add(1))
		defer hanging.Add(-1)
		_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that nobody waits
		<-r.Context().Done()
	}))
	defer slow.Close()
	w.publish(definition(w.receiver.server.URL, oneSecret) + "  - {id: slow, url: '" + slow.URL + "', secret: " + oneSecret + "}\n")
	w.clock.Set(nil) // so that what fails is tried again
	n := w.nodes[0]
	n.Wait = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = n.Run(ctx) })
	for i := range 200 {
		w.tell(activity.User(fmt.Sprint("u", i%40)), "streak.lost")
	}
	deadline := time.After(2 * time.Minute)
	for !w.complete() || most.Load() == 0 {
		select {
		case <-deadline:
			t.Fatalf("%d of 200 arrived", w.receiver.count())
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	running.Wait()
	w.check()
	if most.Load() > lanes {
		t.Errorf("%d requests at once to one webhook", most.Load())
	}
	for _, id := range []string{"w", "slow"} {
		_, r, _, err := n.stored(t.Context(), org, id)
		if err != nil || r.Node != "" {
			t.Errorf("%s is still held: %+v, %v", id, r, err)
		}
	}
	if n.Lag() != 0 {
		t.Errorf("lag %v of a node that has stopped", n.Lag())
	}
}

// TestRequests_AreBounded: webhooks that hang take all slots there are, and no more.
func TestRequests_AreBounded(t *testing.T) {
	w := newWorld(t, embedded(t), 1)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer slow.Close()
	text := "id: o\nwebhooks:\n"
	for i := range 5 {
		text += fmt.Sprintf("  - {id: s%d, url: '%s', secret: %s}\n", i, slow.URL, oneSecret)
	}
	w.publish(text)
	o := w.nodes[0].Options
	o.Requests, o.Timeout, o.Wait = 3, 50*time.Millisecond, 10*time.Millisecond
	s := New(o)
	under := &counting{RoundTripper: s.client.Transport}
	s.client.Transport = under
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	for i := range 60 {
		w.tell(activity.User(fmt.Sprint("u", i)), "streak.lost")
	}
	deadline := time.After(2 * time.Minute)
	for {
		failing := 0
		for i := range 5 {
			if at, err := s.Status(t.Context(), org, fmt.Sprint("s", i)); err == nil && at.State == Failing {
				failing++
			}
		}
		if failing == 5 {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("%d of 5 were tried", failing)
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	running.Wait()
	if most := under.most.Load(); most > 3 || most == 0 {
		t.Errorf("%d requests at once", most)
	}
}

// counting counts requests that are under way.
type counting struct {
	http.RoundTripper
	now, most atomic.Int32
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	highest(&c.most, c.now.Add(1))
	defer c.now.Add(-1)
	return c.RoundTripper.RoundTrip(r)
}

// highest keeps the greatest of what it is given.
func highest(most *atomic.Int32, now int32) {
	for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
	}
}
