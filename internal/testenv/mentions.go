package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Mentions lists where a text is: in which keys of a server, be it in their names or in what they hold, and in which files of a directory ("" for none).
func Mentions(t testing.TB, c redis.UniversalClient, dir, text string) (where []string) {
	t.Helper()
	keys, err := allKeys(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		content, err := contentOf(c, k)
		if err != nil {
			t.Fatalf("read %q: %v", k, err)
		}
		if strings.Contains(k, text) || strings.Contains(content, text) {
			where = append(where, k)
		}
	}
	if dir == "" {
		return where
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // gone since it was listed
			t.Fatal(err)
		}
		if strings.Contains(string(b), text) {
			where = append(where, f)
		}
	}
	return where
}

// allKeys are those of a server, or of all masters of a cluster.
func allKeys(ctx context.Context, c redis.UniversalClient) (keys []string, err error) {
	cluster, many := c.(*redis.ClusterClient)
	if !many {
		return c.Keys(ctx, "*").Result()
	}
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error {
		own, err := server.Keys(ctx, "*").Result()
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, own...)
		return err
	})
	return keys, err
}

// contentOf is all that a key holds, in some form.
func contentOf(c redis.UniversalClient, k string) (string, error) {
	ctx := context.Background()
	kind, err := c.Type(ctx, k).Result()
	if err != nil {
		return "", err
	}
	var content any
	switch kind {
	case "string":
		content, err = c.Get(ctx, k).Result()
	case "hash":
		content, err = c.HGetAll(ctx, k).Result()
	case "zset":
		content, err = c.ZRange(ctx, k, 0, -1).Result()
	case "stream":
		content, err = c.XRange(ctx, k, "-", "+").Result()
	case "none": // gone since it was listed
	default:
		err = fmt.Errorf("it is of type %q", kind)
	}
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return fmt.Sprint(content), err
}
