package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/closing"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const org = activity.Org("o")

// node is a process that may send.
type node struct {
	*Service
	worker *worker
}

// world is some nodes over one store, and a receiver.
type world struct {
	t        *testing.T
	store    *store.Store
	clock    *clock.Clock
	receiver *receiver
	nodes    []*node
	told     map[activity.User][]string // bodies that the webhook wants, in order
	versions map[activity.User]store.Version
	n        int
	timeout  time.Duration // of requests
}

func openStore(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// newWorld gives receivers more time than the slowest machine takes.
func newWorld(t *testing.T, s *store.Store, nodes int) *world {
	return newWorldOf(t, s, nodes, 20*time.Second)
}

func newWorldOf(t *testing.T, s *store.Store, nodes int, timeout time.Duration) *world {
	w := &world{t: t, timeout: timeout, store: s, clock: new(clock.Clock), told: map[activity.User][]string{}, versions: map[activity.User]store.Version{}}
	start := calendar.Instant(1_800_000_000_000)
	w.clock.Set(&start)
	w.receiver = newReceiver(t)
	w.publish(definition(w.receiver.server.URL, oneSecret))
	for range nodes {
		w.nodes = append(w.nodes, w.newNode())
	}
	return w
}

func definition(url, secret string) string {
	return "id: o\nwebhooks:\n  - {id: w, url: '" + url + "/in', secret: " + secret + ", events: [streak.*, level.reached]}\n"
}

func (w *world) publish(text string) {
	w.t.Helper()
	c, err := catalog.ParseOrg([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := registry.New(w.store, zerolog.Nop()).Publish(w.t.Context(), c, "", true); err != nil {
		w.t.Fatal(err)
	}
	for _, n := range w.nodes {
		if _, err := n.Registry.Reload(w.t.Context(), org); err != nil {
			w.t.Fatal(err)
		}
	}
}

// newNode starts a process: nothing of another one is known to it.
func (w *world) newNode() *node {
	w.t.Helper()
	r := registry.New(w.store, zerolog.Nop())
	if err := r.Load(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	closer := closing.New(closing.Options{Store: w.store, Registry: r, Clock: w.clock})
	s := New(Options{Store: w.store, Registry: r, Events: closer, Clock: w.clock, AllowPrivate: true, Timeout: w.timeout, Grace: time.Millisecond, Wait: time.Nanosecond})
	w.t.Cleanup(s.client.CloseIdleConnections)
	return &node{s, &worker{Service: s, name: name{org, "w"}}}
}

func (w *world) advance(d time.Duration) {
	at := w.clock.Now() + calendar.Instant(d.Milliseconds())
	w.clock.Set(&at)
}

// tell commits an event of a user.
func (w *world) tell(user activity.User, kind string) {
	w.t.Helper()
	w.n++
	p := w.store.PartitionOf(org, user)
	body := fmt.Sprintf(`{"type":%q,"user":%q,"n":%d}`, kind, user, w.n)
	g := store.Group{Org: org, User: user, Doc: store.ColdKey(p, org, user), Expect: w.versions[user], Content: []byte("x"), Events: [][]byte{[]byte(body)}}
	r, err := w.store.Commit(w.t.Context(), p, []store.Group{g})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		w.t.Fatal(r, err)
	}
	w.versions[user] = r.Version
	if strings.HasPrefix(kind, "streak.") || kind == "level.reached" {
		w.told[user] = append(w.told[user], body)
	}
}

// status is that of the webhook, as any node tells it.
func (w *world) status() Status {
	w.t.Helper()
	s, err := w.nodes[0].Status(w.t.Context(), org, "w")
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// settle lets the receiver be well and all nodes go on until nothing is left to be sent.
func (w *world) settle() {
	w.t.Helper()
	w.receiver.set("ok")
	if err := w.nodes[0].Enable(w.t.Context(), org, "w", false); err != nil {
		w.t.Fatal(err)
	}
	for range 400 {
		w.advance(7 * time.Second)
		before := w.receiver.count()
		for _, n := range w.nodes {
			n.worker.step(w.t.Context())
		}
		if w.receiver.count() == before && w.complete() {
			return
		}
	}
	w.t.Errorf("it does not settle: %+v", w.status())
}

// complete says whether everything has arrived.
func (w *world) complete() bool {
	got := w.receiver.byUser()
	for user, bodies := range w.told {
		if len(got[user]) < len(bodies) {
			return false
		}
	}
	return true
}

// check compares what arrived with what was told: each at least once, first in order, and nothing else.
func (w *world) check() {
	w.t.Helper()
	if diff := gocmp.Diff(w.told, w.receiver.byUser()); diff != "" {
		w.t.Errorf("(-told +arrived):\n%s", diff)
	}
	for _, fault := range w.receiver.faults {
		w.t.Error(fault)
	}
}

// receiver is what a webhook sends to. It knows the standard by its own library.
type receiver struct {
	server *httptest.Server

	mu      sync.Mutex
	mode    string
	secrets []string
	first   map[activity.User][]string // bodies in the order of their first arrival, without ids
	seen    map[string]string          // by message id
	arrived int
	flips   int
	faults  []string
	during  func() // while an event is being taken
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{mode: "ok", secrets: []string{oneSecret}, first: map[activity.User][]string{}, seen: map[string]string{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) set(mode string) { r.mu.Lock(); defer r.mu.Unlock(); r.mode = mode }
func (r *receiver) count() int      { r.mu.Lock(); defer r.mu.Unlock(); return r.arrived }

func (r *receiver) byUser() map[activity.User][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[activity.User][]string{}
	for user, bodies := range r.first {
		out[user] = slices.Clone(bodies)
	}
	return out
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	mode := r.mode
	if r.during != nil {
		r.during()
	}
	r.mu.Unlock()
	switch mode {
	case "500", "410", "404":
		code, _ := strconv.Atoi(mode)
		w.WriteHeader(code)
	case "429":
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusTooManyRequests)
	case "redirect":
		http.Redirect(w, q, "/elsewhere", http.StatusFound)
	case "hang":
		<-q.Context().Done()
	case "break":
		panic(http.ErrAbortHandler)
	case "flaky":
		r.mu.Lock()
		r.flips++
		refuse := r.flips%3 == 0
		r.mu.Unlock()
		if refuse {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		r.take(q, body)
	case "lost": // taken, and the answer is lost
		r.take(q, body)
		panic(http.ErrAbortHandler)
	case "poison": // refuses one user's
		if strings.Contains(string(body), `"user":"u0"`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.take(q, body)
	default:
		r.take(q, body)
	}
}

// take notes an event, and what is wrong with it.
func (r *receiver) take(q *http.Request, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived++
	good := slices.ContainsFunc(r.secrets, func(secret string) bool {
		hook, err := standardwebhooks.NewWebhook(secret)
		return err == nil && hook.Verify(body, q.Header) == nil
	})
	var e struct {
		ID   string
		User activity.User
	}
	err := json.Unmarshal(body, &e)
	id := q.Header.Get("webhook-id")
	if !good || err != nil || q.URL.Path != "/in" || q.Header.Get("Content-Type") != "application/json" || id != "evt_"+strings.ReplaceAll(e.ID, ".", "_") {
		r.faults = append(r.faults, fmt.Sprintf("verified %t, %v: %s %s %q", good, err, q.URL, id, body))
	}
	if before, again := r.seen[id]; again {
		if before != string(body) {
			r.faults = append(r.faults, fmt.Sprintf("%s came as %s and %s", id, before, body))
		}
		return
	}
	r.seen[id] = string(body)
	_, rest, _ := strings.Cut(string(body), ",")
	r.first[e.User] = append(r.first[e.User], "{"+rest)
}

// seedOf is printed, so that a history can be had again.
func seedOf(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// TestDeliver_Histories: nodes crash before and after they send, come back, take over from one another, and the receiver is well, ill, slow or gone.
func TestDeliver_Histories(t *testing.T) {
	for name, open := range map[string]func() *store.Store{
		"embedded": func() *store.Store { return openStore(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo}) },
		"redis": func() *store.Store {
			return openStore(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 3})
		},
	} {
		t.Run(name, func(t *testing.T) {
			rng := seedOf(t)
			w := newWorldOf(t, open(), 2, 100*time.Millisecond)
			for range 4 {
				w.live(rng, 150)
				w.settle()
			}
			w.check()
			if s := w.status(); s.State != Sending || s.Gaps != 0 || s.Delivered == 0 || s.Lag != 0 {
				t.Errorf("in the end: %+v", s)
			}
		})
	}
}

// live is a part of a history.
func (w *world) live(rng *rand.Rand, steps int) {
	kinds := []string{"streak.lost", "streak.extended", "level.reached", "points.earned", "streaks", "period.closed"}
	modes := []string{"ok", "ok", "ok", "500", "410", "429", "redirect", "hang", "break", "lost", "poison", "flaky", "flaky"}
	for range steps {
		n := w.nodes[rng.IntN(len(w.nodes))]
		switch k := rng.IntN(20); {
		case k < 8:
			for range 1 + rng.IntN(6) {
				w.tell(activity.User(fmt.Sprint("u", rng.IntN(12))), kinds[rng.IntN(len(kinds))])
			}
		case k < 14:
			n.worker.step(w.t.Context())
		case k == 14: // a crash: nothing is given back
			*n = *w.newNode()
		case k == 15: // an orderly restart
			n.worker.leave(w.t.Context())
			*n = *w.newNode()
		case k == 16: // a crash between what is sent next and its commit
			w.receiver.crash(w, n)
		case k == 17:
			w.advance([]time.Duration{time.Second, 10 * time.Second, time.Minute, time.Hour, 30 * time.Hour}[rng.IntN(5)])
		case k == 18:
			w.receiver.set(modes[rng.IntN(len(modes))])
		default:
			if s := w.status(); s.State == Disabled {
				if err := w.nodes[0].Enable(w.t.Context(), org, "w", false); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
}

// crash has the node lose the webhook's document to another one while it sends, which is as if it had died before its commit, and another had begun.
func (r *receiver) crash(w *world, n *node) {
	r.mu.Lock()
	r.during = func() {
		r.during = nil
		docs, err := w.store.Docs(context.Background(), []store.Key{store.WebhookKey(org, "w")})
		if err != nil {
			w.t.Error(err)
			return
		}
		var stolen record
		_ = json.Unmarshal(docs[0].Content, &stolen)
		stolen.release()
		if _, _, err := n.write(context.Background(), org, "w", &stolen, docs[0].Version); err != nil {
			w.t.Error(err)
		}
	}
	r.mu.Unlock()
	n.worker.step(w.t.Context())
	*n = *w.newNode()
	r.mu.Lock()
	r.during = nil
	r.mu.Unlock()
}
