package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/rs/zerolog"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/clock"
	"laurel/internal/closing"
	"laurel/internal/ingest"
	"laurel/internal/query"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/internal/webhook"
	"laurel/ranking"
)

const testCatalog = `
orgs:
  - id: git
    behaviours:
      - {name: commit, meta: {added: integer}}
    rules:
      - {id: commits, when: {name: commit}, value: count, cycles: [day, week, all]}
      - {id: lines, when: {name: commit}, value: {sum: meta.added}, cycles: [week], ties: standard, keep: {week: 10}}
    streaks:
      - {id: daily, when: {name: commit}, unit: day, timezone: event, target: 1}
  - id: shop
    users: {auto_create: false}
    rules:
      - {id: spent, value: {sum: value}, when: {name: order}, cycles: [month], segment_by: user.country}
`

// now is a Saturday in week 47.
const now = "2026-11-21T19:40:00.000Z"

// rig is a whole server over an embedded store, and what a client of it needs. Every answer is held against the OpenAPI document.
type rig struct {
	t      testing.TB
	api    *API
	store  *store.Store
	clock  *clock.Clock
	key    string // sk, all scopes, org git
	both   string // sk, all scopes, orgs shop and empty; empty has no catalog
	schema *jsonschema.Compiler

	mu     sync.Mutex
	served []served
}

// served is what the metrics hook was told.
type served struct {
	route, method string
	status        int
}

// newRig starts a server; change may put other things into its options.
func newRig(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Log: zerolog.Nop()})
	must(t, err)
	g := &rig{t: t, store: s, clock: &clock.Clock{}, key: "sk_git", both: "sk_both"}
	g.setClock(now)
	reg, keys := registry.New(s, zerolog.Nop()), auth.New(s, g.clock)
	_, err = reg.Apply(t.Context(), []byte(testCatalog))
	must(t, err)
	must(t, keys.Bootstrap(t.Context(), g.key, []activity.Org{"git"}))
	must(t, keys.Bootstrap(t.Context(), g.both, []activity.Org{"shop", "empty"}))

	boards := ranking.NewBoards(ranking.Options{Source: testenv.BoardSource{Store: s}, LoadWait: time.Minute})
	writes := ingest.New(ingest.Options{Store: s, Registry: reg, Boards: boards, Clock: g.clock})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	closer := closing.New(closing.Options{Store: s, Registry: reg, Boards: boards, Clock: g.clock})
	for _, run := range []func(context.Context) error{s.Run, boards.Run, writes.Run, closer.Run} {
		running.Go(func() { _ = run(ctx) })
	}
	t.Cleanup(func() { cancel(); running.Wait(); _ = s.Close() })

	o := Options{Writes: writes, Reads: query.New(writes, boards, g.clock, func() []byte { return []byte("secret") }), Events: closer, Webhooks: webhook.New(webhook.Options{Store: s, Registry: reg, Events: closer, Clock: g.clock, AllowPrivate: true}), Registry: reg, Keys: keys, Log: zerolog.Nop(),
		Metrics: Metrics{Request: g.count}, WebSocket: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		Home: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "home") })}
	for _, f := range change {
		f(&o)
	}
	g.api, err = newAPI(o)
	must(t, err)
	g.schema = compiler(t, g.api.openapi)
	return g
}

func compiler(t testing.TB, doc []byte) *jsonschema.Compiler {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	must(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	must(t, c.AddResource("mem:///openapi.json", v))
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (g *rig) count(route, method string, status int, _ time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.served = append(g.served, served{route, method, status})
}

func (g *rig) last() served {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.served[len(g.served)-1]
}

func (g *rig) setClock(s string) {
	i, _, err := calendar.ParseInstant(s)
	must(g.t, err)
	g.clock.Set(&i)
}

// reply is an answer and its body, decoded.
type reply struct {
	*httptest.ResponseRecorder
	body map[string]any
}

// code is that of a problem.
func (r reply) code() string {
	s, _ := r.body["code"].(string)
	if r.Code < 400 { // a grant has one too
		return ""
	}
	return s
}

// at follows member names and indexes into the body: "results.0.error.code".
func (r reply) at(path string) any {
	var v any = r.body
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// header sets a header of a call; an empty value takes it away.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

// call sends a request with the git key and checks the answer against the document.
func (g *rig) call(method, target, body string, change ...func(*http.Request)) reply {
	g.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+g.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	g.api.ServeHTTP(w, r)
	out := reply{ResponseRecorder: w}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &out.body); err != nil {
			g.t.Fatalf("%s %s: %d with a body that is not strict JSON: %v\n%s", method, target, w.Code, err, w.Body)
		}
		g.check(method, w)
	} else if w.Code >= 400 {
		g.t.Errorf("%s %s: %d is not a problem document", method, target, w.Code)
	}
	return out
}

// check validates the body by the schema that the document has for it, or by that of problems for routes it does not have.
func (g *rig) check(method string, w *httptest.ResponseRecorder) {
	g.t.Helper()
	if method == "HEAD" {
		method = "GET"
	}
	pointer := "/components/schemas/Problem"
	if s := g.last(); w.Code < 400 || g.isDoor(s.route) && w.Code != http.StatusMethodNotAllowed {
		pointer = fmt.Sprintf("/paths/%s/%s/responses/%d/content/%s/schema", escape(openPath(s.route)), strings.ToLower(method), w.Code,
			escape(w.Header().Get("Content-Type")))
	} else if g.isDoor(s.route) {
		return
	} else if w.Header().Get("Content-Type") != "application/problem+json" {
		g.t.Errorf("%s %s: %d with the type %s", method, s.route, w.Code, w.Header().Get("Content-Type"))
	}
	schema, err := g.schema.Compile("mem:///openapi.json#" + pointer)
	if err != nil {
		g.t.Fatalf("the document lacks %s: %v", pointer, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	must(g.t, err)
	if err := schema.Validate(v); err != nil {
		g.t.Errorf("%s %s: the answer is not as described: %v\n%s", method, g.last().route, err, w.Body)
	}
}

// isDoor says whether a route is of a vendor-shaped door, whose refusals are described with it.
func (g *rig) isDoor(pattern string) bool {
	return slices.ContainsFunc(g.api.routes, func(rt route) bool { return rt.pattern == pattern && rt.face != nil })
}

func escape(s string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
}

// wants checks the status and, where it is one of an error, the code.
func (r reply) wants(t testing.TB, status int, code string) reply {
	t.Helper()
	if r.Code != status || r.code() != code {
		t.Errorf("got %d %q, want %d %q\n%s", r.Code, r.code(), status, code, r.Body)
	}
	return r
}

// send stores activities that must all be accepted.
func (g *rig) send(items ...string) {
	g.t.Helper()
	r := g.call("POST", "/v1/activities", "["+strings.Join(items, ",")+"]").wants(g.t, 200, "")
	if int(r.at("accepted").(float64)) != len(items) {
		g.t.Fatalf("not all accepted: %s", r.Body)
	}
}

func commit(id, user, at string) string {
	return fmt.Sprintf(`{"id":%q,"user":%q,"name":"commit","meta":{"added":2},"at":%q}`, id, user, at)
}
