package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/closing"
	"laurel/internal/ingest"
	"laurel/internal/query"
	"laurel/internal/registry"
)

// Limits of one request, checked before anything is stored.
const (
	MaxBody  = 8 << 20 // bytes, also of a gzip body when unpacked
	MaxItems = 5_000
)

// Writes is the write path (*ingest.Service). It is an interface so that failures in the middle of a batch can be tested.
type Writes interface {
	Submit(ctx context.Context, org activity.Org, items []ingest.Item, o ingest.SubmitOptions) (ingest.Report, error)
	Activity(ctx context.Context, org activity.Org, user activity.User, id activity.ID) (*activity.Activity, error)
	Reject(ctx context.Context, org activity.Org, user activity.User, id activity.ID, reason string) (*activity.Activity, error)
	Restore(ctx context.Context, org activity.Org, user activity.User, id activity.ID) (*activity.Activity, error)
	SetUser(ctx context.Context, org activity.Org, user activity.User, c ingest.UserChange) error
	SubmitLater(ctx context.Context, org activity.Org, items []ingest.Item, single bool) (ingest.Import, error)
	ImportUsers(ctx context.Context, org activity.Org, rows []ingest.UserRow) (ingest.Import, error)
	CreateImport(ctx context.Context, org activity.Org) (ingest.Import, error)
	Import(ctx context.Context, org activity.Org, id string) (ingest.Import, error)
	CloseImport(ctx context.Context, org activity.Org, id string) (ingest.Import, error)
	Moderation
	Outages
	StreakCommands
	GrantCommands
	Groups
}

// Reads is every read of boards and users (*query.Reader).
type Reads interface {
	With(s query.Show) *query.Reader
	Leaderboards(ctx context.Context, org activity.Org) (query.LeaderboardList, error)
	Leaderboard(ctx context.Context, org activity.Org, rule, period string, p query.Page, held query.Held) (*query.Leaderboard, error)
	UserRank(ctx context.Context, org activity.Org, rule, period string, user activity.User, around int, held query.Held) (*query.UserRank, error)
	Count(ctx context.Context, org activity.Org, rule, period, low, high string) (*query.Count, error)
	Several(ctx context.Context, org activity.Org, queries []query.BoardQuery) (*query.BoardSet, error)
	Ranks(ctx context.Context, org activity.Org, rule, period string, users []activity.User, relative bool) (*query.Ranks, error)
	User(ctx context.Context, org activity.Org, user activity.User) ([]byte, error)
	AppendUser(ctx context.Context, b []byte, org activity.Org, user activity.User) ([]byte, error)
	UserWithMonth(ctx context.Context, org activity.Org, user activity.User) ([]byte, error)
	Users(ctx context.Context, org activity.Org, q query.UserList) ([]byte, error)
	TargetGroup(ctx context.Context, org activity.Org, id string) ([]byte, error)
	FindUser(ctx context.Context, org activity.Org, field, text string) ([]byte, error)
	Activities(ctx context.Context, org activity.Org, user activity.User, q query.ActivityQuery) ([]activity.Activity, string, error)
	UserRanks(ctx context.Context, org activity.Org, user activity.User, period string) ([]byte, error)
	Streaks(ctx context.Context, org activity.Org, user activity.User, at *calendar.Instant) ([]byte, error)
	StreakReads
	EarnedReads
	DoorReads
	GrantReads
	Wait(ctx context.Context, revision string) error
}

// Events is what happened in an org, in order (*closing.Closer).
type Events interface {
	Events(ctx context.Context, q closing.EventQuery, wait time.Duration) (closing.EventPage, error)
}

// Options is what the API stands on. Writes, Reads, Events, Webhooks, Registry and Keys are required.
type Options struct {
	Writes   Writes
	Reads    Reads
	Events   Events
	Webhooks Webhooks
	Registry *registry.Registry
	Keys     *auth.Keys
	// WebSocket serves GET /v1/ws and Streams GET /v1/stream; both authenticate by themselves. Home serves GET / and Pages the console, live boards
	// and widgets. NodeMetrics serves GET /v1/metrics to keys with keys:admin. A nil one is 404.
	WebSocket   http.Handler
	Streams     http.Handler
	Home        http.Handler
	Pages       Pages
	NodeMetrics http.Handler
	// Ready says whether this node knows definitions and keys as the store has them; while it does not, requests that need a key are answered 503
	// loading. nil: always.
	Ready func() bool
	// Stale says whether this node may not show everything that was committed, and as of when it last did; answers to those with a key then have the header
	// Laurel-Stale. nil: never.
	Stale func() (asOf calendar.Instant, stale bool)
	// Version is shown in the OpenAPI document; "" is "dev".
	Version string
	Metrics Metrics
	Log     zerolog.Logger
}

// Metrics are told about every request that was answered here; connections that became WebSockets are not, nor live streams. A nil function is not called.
type Metrics struct {
	// Request: route is the pattern of the route table ("unmatched" for none) and method one of HTTP's own ("other" else), so both
	// are closed sets.
	Request func(route, method string, status int, took time.Duration)
}

// API serves the routes. It is immutable after New.
type API struct {
	Options
	routes   []route
	problems *problems
	items    sync.Pool  // of *itemDecoder
	buffers  bufferPool // of bodies and answers
	always   constants
	bodies   *semaphore.Weighted
	mux      *http.ServeMux
	hot      hot
	nowhere  http.Handler // answers for a path that no route has
	openapi  []byte
	docs     docsPage
}

// New returns the handler of the public listener. It starts nothing.
func New(o Options) (http.Handler, error) {
	return newAPI(o)
}

func newAPI(o Options) (*API, error) {
	if o.Version == "" {
		o.Version = "dev"
	}
	a := &API{Options: o, problems: newProblems(), always: newConstants(), docs: newDocsPage(), bodies: semaphore.NewWeighted(bodyBudget)}
	a.items.New = func() any { return newItemDecoder() }
	a.routes = a.table()
	doc, err := a.describe()
	if err != nil {
		return nil, err
	}
	a.openapi = doc
	a.nowhere = a.wrap(unmatched())
	a.mux = a.newMux()
	a.hot = a.newHot()
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r, found := literal(r)
	if !found {
		a.nowhere.ServeHTTP(w, r)
		return
	}
	if serve, at := a.hot.find(r); serve != nil {
		serve(w, r, at)
		return
	}
	a.mux.ServeHTTP(w, r)
}
