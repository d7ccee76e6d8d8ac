package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Cluster is some masters that keep nothing on disk, each with an even share of the slots, and no replicas.
type Cluster struct {
	Masters []*Redis
}

const clusterSlots = 16384

// StartCluster starts a cluster of n masters with their files below dir.
func StartCluster(ctx context.Context, dir string, n int) (*Cluster, error) {
	c := &Cluster{}
	bus := make([]string, n)
	for i := range n {
		own := filepath.Join(dir, strconv.Itoa(i))
		err := os.Mkdir(own, 0o750)
		if err == nil {
			bus[i], err = freePort()
		}
		var r *Redis
		if err == nil {
			r, err = StartRedis(ctx, own, "--cluster-enabled", "yes", "--cluster-port", bus[i])
		}
		if err != nil {
			c.Stop()
			return nil, err
		}
		c.Masters = append(c.Masters, r)
	}
	if err := c.join(ctx, bus); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// join has the masters know each other and waits until every slot is served.
func (c *Cluster) join(ctx context.Context, bus []string) error {
	for i, r := range c.Masters {
		first, end := i*clusterSlots/len(c.Masters), (i+1)*clusterSlots/len(c.Masters)
		err := r.Client.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", first, end-1).Err()
		if err == nil {
			err = r.Client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err()
		}
		if err != nil {
			return fmt.Errorf("share the slots: %w", err)
		}
	}
	for i, r := range c.Masters[1:] {
		host, port, err := net.SplitHostPort(r.Address)
		if err == nil {
			err = c.Masters[0].Client.Do(ctx, "CLUSTER", "MEET", host, port, bus[i+1]).Err()
		}
		if err != nil {
			return fmt.Errorf("join the cluster: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !c.whole(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("the cluster does not become whole")
		}
	}
	return nil
}

func (c *Cluster) whole(ctx context.Context) bool {
	for _, r := range c.Masters {
		info, err := r.Client.ClusterInfo(ctx).Result()
		if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprintf("cluster_size:%d", len(c.Masters))) {
			return false
		}
	}
	return true
}

// URL is what a Laurel connects to.
func (c *Cluster) URL() string {
	addresses := make([]string, len(c.Masters))
	for i, r := range c.Masters {
		addresses[i] = r.Address
	}
	return "redis-cluster://" + strings.Join(addresses, ",")
}

// CPU is the CPU time that each master has used so far.
func (c *Cluster) CPU(ctx context.Context) ([]time.Duration, error) {
	used := make([]time.Duration, len(c.Masters))
	for i, r := range c.Masters {
		var err error
		if used[i], err = r.CPU(ctx); err != nil {
			return nil, err
		}
	}
	return used, nil
}

// Stop ends the masters.
func (c *Cluster) Stop() {
	for _, r := range c.Masters {
		r.Stop()
	}
}
