package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"laurel/internal/config"
	"laurel/internal/testenv"
)

// TestServe_ShowsWhoseLoadItIs: while many users write as much as each other, no partition stands out; where one user of one org writes, the metrics name the
// partition, by the measure of the alert, and the org.
func TestServe_ShowsWhoseLoadItIs(t *testing.T) {
	for name, store := range map[string]func() config.Store{
		"embedded": func() config.Store { return config.Store{DataDir: t.TempDir(), Fsync: "no", Partitions: 16} },
		"cluster": func() config.Store {
			return config.Store{Redis: config.Secret(testenv.StartCluster(t, testenv.ClusterOptions{}).URL())}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			cfg.Store, cfg.Catalog = store(), filepath.Join(t.TempDir(), "catalog.yaml")
			if err := os.WriteFile(cfg.Catalog, []byte("orgs: [{id: calm, rules: []}, {id: hot, rules: []}]"), 0o600); err != nil {
				t.Fatal(err)
			}
			showsWhoseLoadItIs(t, startNode(t, cfg))
		})
	}
}

func showsWhoseLoadItIs(t *testing.T, n *testNode) {
	before := n.load()
	for i := range 160 {
		n.visit("calm", fmt.Sprint("user ", i), i)
	}
	even := n.load()
	if name, times := even.peak(before); times > 3 || even.orgs["calm"] != 160 || even.orgs["hot"] != 0 {
		t.Errorf("users of all partitions write: partition %s has %.1f times the average, orgs %v", name, times, even.orgs)
	}
	for i := range 160 {
		n.visit("hot", "one", i)
	}
	uneven := n.load()
	if name, times := uneven.peak(even); times <= 3 || uneven.partitions[name]-even.partitions[name] < 160 || uneven.orgs["calm"] != 160 || uneven.orgs["hot"] != 160 {
		t.Errorf("one user writes: partition %s has %.1f times the average, orgs %v", name, times, uneven.orgs)
	}
}

// visit sends an activity, which is a commit.
func (n *testNode) visit(org, user string, i int) {
	n.t.Helper()
	body := fmt.Sprintf(`{"id":"%d","user":%q,"name":"visit"}`, i, user)
	r, err := http.NewRequestWithContext(n.t.Context(), "POST", n.base+"/v1/activities", strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + testKey, "Content-Type": "application/json", "Laurel-Org": org} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	if answer.Body.Close(); answer.StatusCode != http.StatusCreated {
		n.t.Fatalf("%s: %d", body, answer.StatusCode)
	}
}

// load is what a node has done, by partition and by org.
type load struct{ partitions, orgs map[string]float64 }

var loadLine = regexp.MustCompile(`(?m)^laurel_(partition_groups|org_activities)_total\{\w+="([^"]*)"\} (\S+)$`)

func (n *testNode) load() load {
	n.t.Helper()
	_, text, _ := do(n.t, "GET", n.admin+"/metrics", "")
	l := load{map[string]float64{}, map[string]float64{}}
	for _, found := range loadLine.FindAllStringSubmatch(text, -1) {
		value, err := strconv.ParseFloat(found[3], 64)
		if err != nil {
			n.t.Fatal(err)
		}
		if found[1] == "org_activities" {
			l.orgs[found[2]] = value
		} else {
			l.partitions[found[2]] = value
		}
	}
	return l
}

// peak is the partition that got most since then, and how many times the average that is.
func (l load) peak(since load) (name string, times float64) {
	most, sum := 0.0, 0.0
	for partition, value := range l.partitions {
		more := value - since.partitions[partition]
		sum += more
		if more > most {
			name, most = partition, more
		}
	}
	return name, most * float64(len(l.partitions)) / sum
}
