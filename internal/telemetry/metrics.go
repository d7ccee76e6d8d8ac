// Package telemetry is what an operator sees of a running node: its metrics and its log. Other packages report through
// plain functions that cmd/laurel takes from here, so none of them knows Prometheus.
package telemetry

import (
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the node's metrics. All label sets are closed: a value that is not in the set counts as "other", so that no client can
// make series. Methods are safe for concurrent use and do not allocate after the first use of a label.
type Metrics struct {
	registry *prometheus.Registry

	activities    *prometheus.CounterVec
	ingest        prometheus.Histogram
	commit        prometheus.Histogram
	conflicts     prometheus.Counter
	dropped       prometheus.Counter
	push          prometheus.Histogram
	webhooks      *prometheus.CounterVec
	webhook       prometheus.Histogram
	gaps          prometheus.Counter
	connections   prometheus.Gauge
	subscriptions prometheus.Gauge
	frames        prometheus.Counter
	renders       prometheus.Counter
	closes        *prometheus.CounterVec
	requests      *prometheus.CounterVec
	seconds       *prometheus.HistogramVec
	spread        *spread
	series        sync.Map // answered → answers: finding a series by its labels takes longer than counting
}

// answered is one kind of answer to a request; answers are where they are counted.
type answered struct {
	route, method string
	status        int
}

type answers struct {
	count   prometheus.Counter
	seconds prometheus.Observer
}

// New makes the metrics of a node that runs this version.
func New(version string) *Metrics {
	m := &Metrics{
		registry:      prometheus.NewRegistry(),
		activities:    counterVec("laurel_activities_total", "Activities by what became of them.", "result"),
		ingest:        prometheus.NewHistogram(histogram("laurel_ingest_seconds", "Time from an accepted request body to its answer.")),
		commit:        prometheus.NewHistogram(histogram("laurel_commit_seconds", "Round trip of one commit to the store.")),
		conflicts:     counter("laurel_commit_conflicts_total", "Groups of a commit that had to be decided again because another writer came first."),
		dropped:       counter("laurel_transfers_dropped_total", "Gifts, awards and prizes for users who were not there any more."),
		push:          prometheus.NewHistogram(histogram("laurel_push_seconds", "Time from a commit to the socket write that shows it.")),
		webhooks:      counterVec("laurel_webhook_requests_total", "Requests to webhooks by what became of them.", "result"),
		webhook:       prometheus.NewHistogram(histogram("laurel_webhook_seconds", "Time that receivers of webhooks took to answer.")),
		gaps:          counter("laurel_webhook_gaps_total", "How often events were trimmed that a webhook had not been sent."),
		connections:   gauge("laurel_ws_connections", "Open WebSocket connections."),
		subscriptions: gauge("laurel_ws_subscriptions", "Open subscriptions to live views."),
		frames:        counter("laurel_ws_frames_total", "WebSocket frames written."),
		renders:       counter("laurel_ws_renders_total", "Live views computed, each for all who watch it."),
		closes:        counterVec("laurel_ws_closes_total", "WebSocket connections closed, by close code.", "code"),
		requests:      counterVec("laurel_http_requests_total", "HTTP requests.", "route", "method", "status"),
		seconds:       prometheus.NewHistogramVec(histogram("laurel_http_request_seconds", "Time to answer an HTTP request."), []string{"route"}),
	}
	m.spread = newSpread()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "laurel_build_info", Help: "Always 1; its labels say what runs."}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(
		m.activities, m.ingest, m.commit, m.conflicts, m.dropped, m.webhooks, m.webhook, m.gaps, m.push, m.connections, m.subscriptions, m.frames, m.renders, m.closes, m.requests, m.seconds, build,
		m.spread.partitions, m.spread.orgs,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	for _, result := range Results { // rates need the series before the first event
		m.activities.WithLabelValues(result)
	}
	for _, result := range WebhookResults {
		m.webhooks.WithLabelValues(result)
	}
	return m
}

// Handler serves the metrics to Prometheus, with native histograms where the scraper asks for them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}

// Results are the values of the label result.
var Results = [...]string{"accepted", "duplicate", "rejected", "ignored"}

// Activities counts n activities with one of Results.
func (m *Metrics) Activities(result string, n int) {
	for _, known := range Results {
		if result == known {
			m.activities.WithLabelValues(result).Add(float64(n))
			return
		}
	}
	m.activities.WithLabelValues(other).Add(float64(n))
}

// Ingest records the time from a request's body to its answer.
func (m *Metrics) Ingest(d time.Duration) { m.ingest.Observe(d.Seconds()) }

// Commit records the round trip of one commit.
func (m *Metrics) Commit(d time.Duration) { m.commit.Observe(d.Seconds()) }

// Conflicts counts n groups of a commit that had to be decided again.
func (m *Metrics) Conflicts(n int) { m.conflicts.Add(float64(n)) }

// Push records the time from a commit to the socket write that shows it.
func (m *Metrics) Push(d time.Duration) { m.push.Observe(d.Seconds()) }

// Connections adds to the number of open WebSocket connections.
func (m *Metrics) Connections(delta int) { m.connections.Add(float64(delta)) }

// Subscriptions adds to the number of open subscriptions.
func (m *Metrics) Subscriptions(delta int) { m.subscriptions.Add(float64(delta)) }

// Frames counts n written WebSocket frames.
func (m *Metrics) Frames(n int) { m.frames.Add(float64(n)) }

// Renders counts n computations of live views.
func (m *Metrics) Renders(n int) { m.renders.Add(float64(n)) }

// Closed counts a WebSocket connection that ended with this close code.
func (m *Metrics) Closed(code int) { m.closes.WithLabelValues(closeLabel(code)).Inc() }

// Request records an HTTP request: the pattern that matched ("" for none), its method, the status of the answer and the time it took. Patterns
// are as many as the routes, so they need no bound here.
func (m *Metrics) Request(route, method string, status int, d time.Duration) {
	key := answered{route, methodLabel(method), status}
	kept, ok := m.series.Load(key)
	if !ok {
		if route == "" {
			route = "unmatched"
		}
		made := answers{m.requests.WithLabelValues(route, key.method, statusLabel(status)), m.seconds.WithLabelValues(route)}
		if http.StatusText(status) == "" { // any number at all: it is counted, and not remembered
			kept = made
		} else {
			kept, _ = m.series.LoadOrStore(key, made)
		}
	}
	a := kept.(answers)
	a.count.Inc()
	a.seconds.Observe(d.Seconds())
}

// Index is the state of a node's ranking indexes.
type Index struct {
	Boards, Members int
	Lag             time.Duration // age of the oldest change that is not applied yet; 0: none
	Age             time.Duration // since the indexes were last known to have all
}

// WatchIndex reads the indexes' state at each scrape. It is called once.
func (m *Metrics) WatchIndex(read func() Index) {
	m.watch("laurel_index_boards", "Boards held in memory.", func() float64 { return float64(read().Boards) })
	m.watch("laurel_index_members", "Users on the boards held in memory.", func() float64 { return float64(read().Members) })
	m.watch("laurel_index_age_seconds", "How long ago this node last knew that it shows everything that was committed; past 2 its live views are marked as stale.", func() float64 { return read().Age.Seconds() })
	m.watch("laurel_index_lag_seconds", "Age of the oldest change of the store that the indexes do not show yet.", func() float64 { return read().Lag.Seconds() })
}

// Streaks is the state of a node's streak deadlines.
type Streaks struct {
	Deadlines int           // how many are waiting
	Lag       time.Duration // how long the oldest one that has passed has been waiting to be handled
}

// WatchStreaks reads the deadlines' state at each scrape. It is called once.
func (m *Metrics) WatchStreaks(read func() Streaks) {
	m.watch("laurel_streak_deadlines", "Streak deadlines that are waiting.", func() float64 { return float64(read().Deadlines) })
	m.watch("laurel_streak_sweep_lag_seconds", "How long the oldest passed streak deadline has been waiting.", func() float64 { return read().Lag.Seconds() })
}

// Transfers are the effects on other users that have not arrived yet.
type Transfers struct {
	Open int
	Lag  time.Duration // for how long the oldest has been open
}

// WatchTransfers reads the transfers at each scrape. It is called once.
func (m *Metrics) WatchTransfers(read func() Transfers) {
	m.watch("laurel_transfers_open", "Gifts, awards and prizes that have not arrived yet.", func() float64 { return float64(read().Open) })
	m.watch("laurel_transfers_lag_seconds", "For how long the oldest gift, award or prize has been on its way.", func() float64 { return read().Lag.Seconds() })
}

// Dropped counts n transfers whose receiver is not there any more.
func (m *Metrics) Dropped(n int) { m.dropped.Add(float64(n)) }

func (m *Metrics) watch(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

const other = "other"

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return other
}

func statusLabel(status int) string {
	if http.StatusText(status) == "" {
		return other
	}
	return strconv.Itoa(status)
}

// closeLabel keeps the codes of RFC 6455 and the first of each half of this protocol's own range, where the server's lie: what a client makes up
// is one series.
func closeLabel(code int) string {
	switch {
	case code >= 1000 && code <= 1015, code >= 4000 && code < 4020, code >= 4500 && code < 4520:
		return strconv.Itoa(code)
	}
	return other
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// histogram has classic buckets from 100 µs to 10 s for scrapers that know no other, and native ones of at most 10 % width.
func histogram(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets:                         []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}
}
