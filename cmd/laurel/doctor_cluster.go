package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"laurel/internal/store"
)

// examineCluster checks a cluster as a whole, and each of its masters as a server.
func examineCluster(ctx context.Context, url string) []check {
	o, err := store.ClusterOptions(url)
	if err != nil {
		return []check{{connection, failed, "the address cannot be understood", "a cluster's is redis-cluster://HOST:PORT,HOST:PORT"}}
	}
	cluster := redis.NewClusterClient(o)
	defer cluster.Close()
	info, err := cluster.ClusterInfo(ctx).Result()
	if err != nil {
		return []check{{connection, failed, err.Error(), "does a server of the cluster run, and are addresses and password right?"}}
	}
	checks := []check{stateCheck(info)}
	var mu sync.Mutex
	var each []check
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error {
		found := append(serverChecks(ctx, server), configCheck(ctx, server, "full coverage", "cluster-require-full-coverage", coverageVerdict))
		mu.Lock()
		defer mu.Unlock()
		for _, k := range found {
			k.Name += " of " + server.Options().Addr
			each = append(each, k)
		}
		return nil
	})
	if err != nil {
		checks = append(checks, check{"masters", failed, err.Error(), ""})
	}
	slices.SortStableFunc(each, func(a, b check) int { return cmp.Compare(master(a), master(b)) })
	return append(checks, each...)
}

func master(k check) string { return k.Name[strings.LastIndex(k.Name, " "):] }

// stateCheck reads what the cluster says of itself.
func stateCheck(info string) check {
	k := check{Name: "cluster", Verdict: passed}
	for line := range strings.Lines(info) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "cluster_state":
			if k.Value = "state " + value; value != "ok" {
				k.Verdict, k.Advice = failed, "some slots are not served: CLUSTER NODES says which master is away"
			}
		case "cluster_size":
			k.Value += fmt.Sprintf(", %s masters with slots", value)
		}
	}
	return k
}

func coverageVerdict(value string) (verdict, string) {
	if value == "yes" {
		return warned, "while one master is away and has no replica the other partitions stop too: CONFIG SET cluster-require-full-coverage no"
	}
	return passed, ""
}
