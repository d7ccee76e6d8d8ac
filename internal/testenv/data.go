package testenv

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// Stop ends the server as an operator does, with SIGTERM: it forces its file to disk first.
func (r *Redis) Stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Errorf("stop redis-server: %v", err)
	}
	<-r.done
	r.cmd = nil
}

// Flush removes everything, as FLUSHALL does.
func (r *Redis) Flush() {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	defer client.Close()
	if err := client.FlushAll(context.Background()).Err(); err != nil {
		r.t.Fatalf("flush redis-server: %v", err)
	}
}

// Backup copies the server's files as they are now and returns where to. What was acknowledged before is in the copy, if the server has a file.
func (r *Redis) Backup() string {
	r.t.Helper()
	r.awaitFile()
	dir := filepath.Join(r.t.TempDir(), "backup")
	if err := os.CopyFS(dir, os.DirFS(r.Dir)); err != nil {
		r.t.Fatalf("back up the server's files: %v", err)
	}
	return dir
}

// awaitFile waits until the server has nothing left to be written to its file: under everysec a write waits for a force to disk that is under way.
func (r *Redis) awaitFile() {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	defer client.Close()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(startTimeout); ; <-tick.C {
		info, err := client.Info(context.Background(), "persistence").Result()
		if err == nil && !strings.Contains(info, "aof_enabled:1") || strings.Contains(info, "aof_buffer_length:0\r\n") {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the server's file is not written: %v\n%s", err, info)
		}
	}
}

// Restore kills the server, gives it the files of a backup and starts it again.
func (r *Redis) Restore(backup string) {
	r.t.Helper()
	r.Kill()
	files, err := os.ReadDir(r.Dir)
	for _, f := range files {
		if err == nil {
			err = os.RemoveAll(filepath.Join(r.Dir, f.Name()))
		}
	}
	if err == nil {
		err = os.CopyFS(r.Dir, os.DirFS(backup))
	}
	if err != nil {
		r.t.Fatalf("restore the server's files: %v", err)
	}
	r.Restart()
}
