package testenv

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestCluster_MigrateFailOverAndRestart(t *testing.T) {
	c := StartCluster(t, ClusterOptions{Replicas: 1})
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{c.Nodes[0].Addr}, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "{k}1", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	slot := c.Slot("{k}")
	from := c.Owner(slot)
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	c.Migrate(slot, to).Finish()
	if c.Owner(slot) != to {
		t.Error("the slot did not move")
	}
	if err := client.Do(ctx, "WAIT", 1, 1000).Err(); err != nil {
		t.Fatal(err)
	}
	replica := c.Replica(to)
	to.Kill()
	for c.Owner(slot) != replica {
	}
	if got, err := client.Get(ctx, "{k}1").Result(); err != nil || got != "v" {
		t.Errorf("after the failover: %q, %v; want v", got, err)
	}
	to.Restart()
	c.Await()
	if to.IsMaster() || !replica.IsMaster() {
		t.Error("the old master is one again")
	}
}
