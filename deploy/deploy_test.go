package deploy

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"laurel/internal/config"
	"laurel/internal/telemetry"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, name, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
}

// metrics are the names and labels that a node's /metrics has when everything has happened once.
func metrics() (names, labels map[string]bool) {
	m := telemetry.New("v1")
	m.Activities("accepted", 1)
	m.Ingest(time.Second)
	m.Commit(time.Second)
	m.Conflicts(1)
	m.Partition(0, 1)
	m.Org("o", 1)
	m.Dropped(1)
	m.Push(time.Second)
	m.Connections(1)
	m.Subscriptions(1)
	m.Frames(1)
	m.Renders(1)
	m.Closed(4001)
	m.Request("GET /", "GET", 200, time.Second)
	m.WatchIndex(func() telemetry.Index { return telemetry.Index{} })
	m.WatchStreaks(func() telemetry.Streaks { return telemetry.Streaks{} })
	m.WatchTransfers(func() telemetry.Transfers { return telemetry.Transfers{} })
	m.Webhook("ok", time.Second)
	m.WebhookGap()
	m.WatchWebhooks(func() time.Duration { return 0 })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	names, labels = map[string]bool{}, map[string]bool{"job": true, "instance": true}
	for _, found := range regexp.MustCompile(`(?m)^(laurel_\w+)`).FindAllStringSubmatch(w.Body.String(), -1) {
		names[found[1]] = true
	}
	for _, found := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(w.Body.String(), -1) {
		labels[found[1]] = true
	}
	return names, labels
}

var (
	metricName = regexp.MustCompile(`\blaurel_[a-z_]+\b`)
	grouping   = regexp.MustCompile(`by \(([^)]*)\)`)
	matcher    = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"`)
)

// checkExpr fails where an expression names what no node has: it would be silent for ever.
func checkExpr(t *testing.T, where, expr string) {
	t.Helper()
	names, labels := metrics()
	for _, name := range metricName.FindAllString(expr, -1) {
		if !names[name] {
			t.Errorf("%s: the server has no metric %s", where, name)
		}
	}
	used := matcher.FindAllStringSubmatch(expr, -1)
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, label := range strings.Split(g[1], ",") {
			used = append(used, []string{"", strings.TrimSpace(label)})
		}
	}
	for _, label := range used {
		if !labels[label[1]] {
			t.Errorf("%s: no metric has the label %s", where, label[1])
		}
	}
}

func TestAlerts_LookAtWhatTheServerHas(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	parse(t, "alerts.yml", read(t, "prometheus/alerts.yml"), &file)
	tried := read(t, "prometheus/alerts_test.yml")
	for _, r := range file.Groups[0].Rules {
		checkExpr(t, r.Alert, r.Expr)
		if !strings.Contains(tried, `alertname="`+r.Alert+`"`) {
			t.Errorf("alerts_test.yml does not say when %s fires", r.Alert)
		}
		if _, err := time.ParseDuration(r.For); err != nil {
			t.Errorf("%s: for: %v", r.Alert, err)
		}
		if severity := r.Labels["severity"]; severity != "page" && severity != "ticket" {
			t.Errorf("%s: severity %q", r.Alert, severity)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s says not what to do", r.Alert)
		}
	}
}

// TestAlerts_Promtool asks promtool itself, where it is installed (make tools): whether Prometheus takes the files, and whether each alert fires when it should.
func TestAlerts_Promtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		return // the test above does as much as it can without
	}
	for _, args := range [][]string{{"check", "config", "prometheus/prometheus.yml"}, {"test", "rules", "prometheus/alerts_test.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args, err, out)
		}
	}
}

func TestDashboard_ShowsEveryMetric(t *testing.T) {
	text := read(t, "grafana/dashboards/laurel.json")
	var board struct {
		UID    string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(text), &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			checkExpr(t, p.Title, target.Expr)
		}
	}
	shown := metricName.FindAllString(text, -1)
	names, _ := metrics()
	for name := range names {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if !slices.ContainsFunc(shown, func(s string) bool { return s == name || strings.TrimSuffix(s, "_bucket") == base }) {
			t.Errorf("%s is not on the dashboard", name)
		}
	}
}

// flags are those of laurel serve, with what they take from the environment.
func flags(t *testing.T) (names map[string]bool) {
	t.Helper()
	var cli config.Serve
	parser, err := kong.New(&cli, config.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	names = map[string]bool{}
	for _, f := range parser.Model.AllFlags(false) {
		for _, flag := range f {
			names["--"+flag.Name] = true
			names["LAUREL_"+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))] = true
		}
	}
	return names
}

// TestFiles_NameFlagsThatThereAre, in whatever form.
func TestFiles_NameFlagsThatThereAre(t *testing.T) {
	known := flags(t)
	templates, err := filepath.Glob("helm/laurel/templates/*")
	if err != nil {
		t.Fatal(err)
	}
	flag := regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]+)|(LAUREL_[A-Z_]+)`)
	for _, path := range append(templates, "systemd/laurel.service", "docker-compose.yml", "Dockerfile") {
		for n, line := range strings.Split(read(t, path), "\n") {
			if strings.Contains(line, "redis-server") || strings.Contains(line, "--config.file") || strings.HasPrefix(line, "#") || strings.Contains(line, "COPY") {
				continue
			}
			for _, found := range flag.FindAllStringSubmatch(line, -1) {
				if name := found[1] + found[2]; !known[name] {
					t.Errorf("%s:%d: laurel serve has no %s", path, n+1, name)
				}
			}
		}
	}
}

func TestCompose(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Volumes   []string
			StopGrace string `yaml:"stop_grace_period"`
			ReadOnly  bool   `yaml:"read_only"`
		}
	}
	parse(t, "docker-compose.yml", read(t, "docker-compose.yml"), &file)
	for _, name := range []string{"laurel-1", "laurel-2", "redis", "prometheus", "grafana"} {
		if _, ok := file.Services[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
	node := file.Services["laurel-1"]
	if grace, err := time.ParseDuration(node.StopGrace); err != nil || grace <= 13*time.Second || !node.ReadOnly {
		t.Errorf("a node has %v to drain (%v), read only %v", grace, err, node.ReadOnly)
	}
	for name, s := range file.Services {
		for _, v := range s.Volumes {
			if path, _, _ := strings.Cut(v, ":"); strings.HasPrefix(path, ".") {
				if _, err := os.Stat(path); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	var scrape struct {
		Configs []struct {
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	parse(t, "prometheus.yml", read(t, "prometheus/prometheus.yml"), &scrape)
	for _, target := range scrape.Configs[0].Static[0].Targets {
		if host, _, _ := strings.Cut(target, ":"); fmt.Sprint(file.Services[host]) == "" {
			t.Errorf("%s is scraped, and is no service", target)
		}
	}
}
