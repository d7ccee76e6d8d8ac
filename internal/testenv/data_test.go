package testenv

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestRedis_StopBackupRestoreFlush(t *testing.T) {
	r := StartRedis(t, "--appendonly", "yes", "--appendfsync", "everysec")
	client := redis.NewClient(&redis.Options{Addr: r.Addr, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	set := func(value string) {
		t.Helper()
		if err := client.Set(ctx, "k", value, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	wants := func(what, value string) {
		t.Helper()
		if got := client.Get(ctx, "k").Val(); got != value {
			t.Errorf("%s: %q, want %q", what, got, value)
		}
	}
	set("old")
	backup := r.Backup()
	set("new")
	r.Stop()
	r.Restart()
	wants("after a stop", "new")
	r.Restore(backup)
	wants("restored", "old")
	r.Flush()
	wants("flushed", "")
}
