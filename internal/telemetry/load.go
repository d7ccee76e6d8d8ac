package telemetry

import (
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// maxOrgs is how many orgs have series of their own, those that came first; the others count together. An org comes from a catalog, never from a client.
const maxOrgs = 200

// spread is how the load is spread over partitions and orgs: where a server of the store is busier than the others, it says whose users are on it.
type spread struct {
	partitions *prometheus.CounterVec
	orgs       *prometheus.CounterVec
	mu         sync.Mutex
	known      map[string]prometheus.Counter // by org
}

func newSpread() *spread {
	return &spread{
		partitions: counterVec("laurel_partition_groups_total", "Users and definitions that this node committed, by partition.", "partition"),
		orgs:       counterVec("laurel_org_activities_total", "Activities that this node was sent, by org; of more than 200 orgs the later ones together.", "org"),
		known:      map[string]prometheus.Counter{},
	}
}

// Partition counts n groups of a commit to a partition. There are at most as many partitions as the deployment was created with.
func (m *Metrics) Partition(partition, n int) {
	m.spread.partitions.WithLabelValues(strconv.Itoa(partition)).Add(float64(n))
}

// Org counts n activities that were sent for an org.
func (m *Metrics) Org(org string, n int) { m.spread.org(org).Add(float64(n)) }

func (s *spread) org(name string) prometheus.Counter {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := s.known[name]
	if !known && len(s.known) < maxOrgs {
		c = s.orgs.WithLabelValues(name)
		s.known[name] = c
	} else if !known {
		c = s.orgs.WithLabelValues(other)
	}
	return c
}
