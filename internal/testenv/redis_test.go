package testenv

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestRedis_KillAndRestartKeepsTheDirectory(t *testing.T) {
	r := StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	client := redis.NewClient(&redis.Options{Addr: r.Addr, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	first := r.Pid()
	r.Restart()
	if r.Pid() == first {
		t.Error("the same process answers after a restart")
	}
	if got, err := client.Get(ctx, "k").Result(); err != nil || got != "v" {
		t.Errorf("after kill and restart: %q, %v; want v", got, err)
	}
}
