package telemetry

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
)

// used returns metrics of which each has been used once.
func used() *Metrics {
	m := New("v1")
	m.Activities("accepted", 3)
	m.Ingest(time.Millisecond)
	m.Commit(2 * time.Millisecond)
	m.Conflicts(1)
	m.Dropped(1)
	m.Partition(3, 2)
	m.Org("shop", 4)
	m.Push(time.Millisecond)
	m.Connections(2)
	m.Connections(-1)
	m.Subscriptions(4)
	m.Frames(5)
	m.Closed(4001)
	m.Request("GET /v1/leaderboards", "GET", 200, time.Millisecond)
	m.WatchIndex(func() Index { return Index{Boards: 1, Members: 2, Lag: time.Second, Age: 3 * time.Second} })
	m.WatchStreaks(func() Streaks { return Streaks{Deadlines: 3, Lag: 2 * time.Second} })
	m.WatchTransfers(func() Transfers { return Transfers{Open: 2, Lag: time.Second} })
	m.WatchWebhooks(func() time.Duration { return time.Second })
	m.Webhook("ok", time.Millisecond)
	m.WebhookGap()
	return m
}

// TestMetrics_AreTheContract has the names, types and labels of the design's table, written out by hand.
func TestMetrics_AreTheContract(t *testing.T) {
	want := map[string]string{
		"laurel_activities_total":         "COUNTER result",
		"laurel_ingest_seconds":           "HISTOGRAM",
		"laurel_commit_seconds":           "HISTOGRAM",
		"laurel_commit_conflicts_total":   "COUNTER",
		"laurel_index_boards":             "GAUGE",
		"laurel_index_members":            "GAUGE",
		"laurel_index_lag_seconds":        "GAUGE",
		"laurel_index_age_seconds":        "GAUGE",
		"laurel_push_seconds":             "HISTOGRAM",
		"laurel_ws_connections":           "GAUGE",
		"laurel_ws_subscriptions":         "GAUGE",
		"laurel_ws_frames_total":          "COUNTER",
		"laurel_ws_renders_total":         "COUNTER",
		"laurel_ws_closes_total":          "COUNTER code",
		"laurel_streak_deadlines":         "GAUGE",
		"laurel_streak_sweep_lag_seconds": "GAUGE",
		"laurel_transfers_open":           "GAUGE",
		"laurel_transfers_lag_seconds":    "GAUGE",
		"laurel_transfers_dropped_total":  "COUNTER",
		"laurel_webhook_requests_total":   "COUNTER result",
		"laurel_webhook_seconds":          "HISTOGRAM",
		"laurel_webhook_gaps_total":       "COUNTER",
		"laurel_webhook_lag_seconds":      "GAUGE",
		"laurel_partition_groups_total":   "COUNTER partition",
		"laurel_org_activities_total":     "COUNTER org",
		"laurel_http_requests_total":      "COUNTER method route status",
		"laurel_http_request_seconds":     "HISTOGRAM route",
		"laurel_build_info":               "GAUGE goversion version",
	}
	families, err := used().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "laurel_") {
			continue
		}
		shape := f.GetType().String()
		for _, l := range f.GetMetric()[0].GetLabel() {
			shape += " " + l.GetName()
		}
		got[f.GetName()] = shape
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMetrics_HistogramsAreNativeAndClassic(t *testing.T) {
	families, err := used().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range families {
		if f.GetType() != dto.MetricType_HISTOGRAM || !strings.HasPrefix(f.GetName(), "laurel_") {
			continue
		}
		n++
		h := f.GetMetric()[0].GetHistogram()
		if len(h.GetBucket()) == 0 || len(h.GetPositiveSpan()) == 0 {
			t.Errorf("%s has %d classic buckets and %d native spans", f.GetName(), len(h.GetBucket()), len(h.GetPositiveSpan()))
		}
	}
	if n != 5 {
		t.Errorf("%d histograms", n)
	}
}

func TestMetrics_LintClean(t *testing.T) {
	problems, err := testutil.GatherAndLint(used().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestMetrics_ClosedLabelSets(t *testing.T) {
	m := New("v1")
	for _, word := range []string{"BREW", "PROPFIND", "X"} {
		m.Activities(word, 1)
		m.Request("", word, 200, 0)
	}
	for code := range 6000 {
		m.Closed(code)
		m.Request("GET /", "GET", code, 0)
	}
	bounds := map[string]int{"laurel_activities_total": 5, "laurel_ws_closes_total": 57, "laurel_http_requests_total": 70}
	for name, most := range bounds {
		n, err := testutil.GatherAndCount(m.registry, name)
		if err != nil {
			t.Fatal(err)
		}
		if n > most {
			t.Errorf("%s has %d series, more than %d", name, n, most)
		}
	}
}

// TestMetrics_OrgsAreBounded: the orgs past the first ones share a series.
func TestMetrics_OrgsAreBounded(t *testing.T) {
	m := New("v1")
	for i := range maxOrgs + 10 {
		m.Org(strconv.Itoa(i), 1)
	}
	m.Org("0", 1)
	if n := testutil.CollectAndCount(m.spread.orgs); n != maxOrgs+1 {
		t.Errorf("%d series", n)
	}
	if n := testutil.ToFloat64(m.spread.orgs.WithLabelValues(other)); n != 10 {
		t.Errorf("%v activities of other orgs", n)
	}
}

func TestMetrics_Handler(t *testing.T) {
	w := httptest.NewRecorder()
	used().Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`laurel_activities_total{result="accepted"} 3`, `laurel_activities_total{result="rejected"} 0`, "laurel_ws_connections 1", "laurel_index_lag_seconds 1", "laurel_index_age_seconds 3",
		"laurel_streak_deadlines 3", `laurel_http_requests_total{method="GET",route="GET /v1/leaderboards",status="200"} 1`, "go_goroutines",
	} {
		if !strings.Contains(w.Body.String(), line) {
			t.Errorf("no line %q", line)
		}
	}
}

func TestNewLog_JSON(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out, Auto, "warn") // a buffer is no terminal
	log.Info().Msg("hidden")
	log.Warn().Int("n", 1).Msg("shown")
	var line struct {
		Level, Time, Message string
		N                    int
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if _, err := time.Parse(time.RFC3339, line.Time); err != nil || !strings.HasSuffix(line.Time, "Z") {
		t.Errorf("time %q", line.Time)
	}
	if line.Level != "warn" || line.Message != "shown" || line.N != 1 {
		t.Errorf("line %+v", line)
	}
}

func TestNewLog_Console(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out, Console, "nonsense")
	log.Debug().Msg("hidden")
	log.Info().Str("k", "v").Msg("hello")
	if got := out.String(); !strings.Contains(got, "INF hello k=v") || strings.Contains(got, "hidden") || strings.Contains(got, "\x1b") {
		t.Errorf("console line %q", got)
	}
}
