package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// IsMaster says whether the server takes itself for a master.
func (m *Member) IsMaster() bool {
	role, err := m.client.Do(context.Background(), "ROLE").Slice()
	return err == nil && len(role) > 0 && role[0] == "master"
}

// Slot is the slot of a key.
func (c *Cluster) Slot(key string) int {
	c.t.Helper()
	for _, m := range c.Nodes {
		if slot, err := m.client.ClusterKeySlot(context.Background(), key).Result(); err == nil {
			return int(slot)
		}
	}
	c.t.Fatalf("no server of the cluster answers")
	return 0
}

// Owner is the server that has a slot, as most of those that run see it.
func (c *Cluster) Owner(slot int) *Member {
	c.t.Helper()
	var owner *Member
	err := c.await(func(ctx context.Context) error {
		votes := map[string]int{}
		for _, m := range c.Nodes {
			if id, err := m.ownerOf(ctx, slot); err == nil {
				votes[id]++
			}
		}
		for _, m := range c.Nodes {
			if 2*votes[m.ID] > len(c.Nodes) || votes[m.ID] > 0 && len(votes) == 1 {
				owner = m
				return nil
			}
		}
		return fmt.Errorf("slot %d has no owner: %v", slot, votes)
	})
	if err != nil {
		c.t.Fatalf("cluster: %v", err)
	}
	return owner
}

// ownerOf is the id of the server that has a slot, as m sees it.
func (m *Member) ownerOf(ctx context.Context, slot int) (string, error) {
	if m.cmd == nil {
		return "", errors.New("it does not run")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	ranges, err := m.client.Do(ctx, "CLUSTER", "SLOTS").Slice()
	if err != nil {
		return "", err
	}
	for _, r := range ranges {
		parts, _ := r.([]any) // first, last, master, its replicas; a server is address, port, id
		if len(parts) < 3 {
			continue
		}
		first, _ := parts[0].(int64)
		last, _ := parts[1].(int64)
		if server, _ := parts[2].([]any); first <= int64(slot) && int64(slot) <= last && len(server) > 2 {
			return fmt.Sprint(server[2]), nil
		}
	}
	return "", fmt.Errorf("nobody has slot %d", slot)
}

// Replica is a server that runs and follows a master.
func (c *Cluster) Replica(of *Member) *Member {
	c.t.Helper()
	for _, m := range c.Nodes {
		if m.cmd == nil {
			continue
		}
		role, err := m.client.Do(context.Background(), "ROLE").Slice()
		if err == nil && len(role) > 2 && role[0] == "slave" && fmt.Sprint("127.0.0.1:", role[2]) == of.Addr {
			return m
		}
	}
	c.t.Fatalf("%s has no replica", of.Addr)
	return nil
}

// TakeOver makes a replica the master at once, without asking the one that it had: what that one has not told it is lost.
func (c *Cluster) TakeOver(replica *Member) {
	c.t.Helper()
	c.do(replica, "CLUSTER", "FAILOVER", "TAKEOVER")
}

func (c *Cluster) do(m *Member, words ...any) any {
	c.t.Helper()
	reply, err := m.client.Do(context.Background(), words...).Result()
	if err != nil {
		c.t.Fatalf("%s: %v: %v", m.Addr, words, err)
	}
	return reply
}

// A Migration is a slot on its way from one master to another.
type Migration struct {
	c        *Cluster
	slot     int
	from, to *Member
}

// Migrate begins to move a slot. Until Finish some of its keys may be at each of the two.
func (c *Cluster) Migrate(slot int, to *Member) *Migration {
	c.t.Helper()
	g := &Migration{c: c, slot: slot, from: c.Owner(slot), to: to}
	c.do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", g.from.ID)
	c.do(g.from, "CLUSTER", "SETSLOT", slot, "MIGRATING", to.ID)
	return g
}

// Move moves at most n keys, and says whether there are none left.
func (g *Migration) Move(n int) (done bool) {
	g.c.t.Helper()
	keys, _ := g.c.do(g.from, "CLUSTER", "GETKEYSINSLOT", g.slot, n).([]any)
	if len(keys) == 0 {
		return true
	}
	host, port, err := net.SplitHostPort(g.to.Addr)
	if err != nil {
		g.c.t.Fatalf("%v", err)
	}
	g.c.do(g.from, append([]any{"MIGRATE", host, port, "", 0, 5000, "KEYS"}, keys...)...)
	return false
}

// Finish moves what is left, and gives the slot to its new master.
func (g *Migration) Finish() {
	g.c.t.Helper()
	for !g.Move(100) {
	}
	g.c.do(g.to, "CLUSTER", "SETSLOT", g.slot, "NODE", g.to.ID)
	g.c.do(g.from, "CLUSTER", "SETSLOT", g.slot, "NODE", g.to.ID)
	err := g.c.await(func(ctx context.Context) error {
		for _, m := range g.c.Nodes {
			if m.cmd == nil {
				continue
			}
			if id, err := m.ownerOf(ctx, g.slot); err != nil || id != g.to.ID {
				return fmt.Errorf("%s takes %s for the owner of slot %d: %w", m.Addr, id, g.slot, err)
			}
		}
		return nil
	})
	if err != nil {
		g.c.t.Fatalf("cluster: %v", err)
	}
}

// Cut has a replica lose its master, as if the network between the two were gone; Heal ends that.
func (c *Cluster) Cut(replica *Member) {
	c.t.Helper()
	master := c.Nodes[0]
	for _, m := range c.Nodes {
		if m.cmd != nil && m != replica && m.IsMaster() && c.Replica(m) == replica {
			master = m
		}
	}
	c.do(replica, "CONFIG", "SET", "masteruser", "nobody", "masterauth", "wrong") // it cannot come back
	c.do(master, "CLIENT", "KILL", "TYPE", "replica")
	err := c.await(func(ctx context.Context) error {
		if replica.linked(ctx) == nil {
			return errors.New("it is still linked")
		}
		return nil
	})
	if err != nil {
		c.t.Fatalf("cut off %s: %v", replica.Addr, err)
	}
}

// Heal ends a Cut.
func (c *Cluster) Heal(replica *Member) {
	c.t.Helper()
	c.do(replica, "CONFIG", "SET", "masteruser", "", "masterauth", "")
}
