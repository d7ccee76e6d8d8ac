package auth_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"laurel/internal/auth"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// TestSharedSecret: nodes that start at once agree on one secret of each name, and so does one that starts later.
func TestSharedSecret(t *testing.T) {
	redis := testenv.StartRedis(t)
	for name, o := range map[string]store.Options{"embedded": {DataDir: t.TempDir(), Fsync: store.FsyncNo}, "redis": {URL: "redis://" + redis.Addr}} {
		t.Run(name, func(t *testing.T) {
			o.Log = zerolog.Nop()
			s, err := store.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			var got [8][]byte
			var nodes sync.WaitGroup
			for i := range got {
				nodes.Go(func() {
					var err error
					if got[i], err = auth.SharedSecret(t.Context(), s, "cursors"); err != nil {
						t.Error(err)
					}
				})
			}
			nodes.Wait()
			other, err := auth.SharedSecret(t.Context(), s, "other")
			if err != nil || len(other) != 32 || bytes.Equal(other, got[0]) {
				t.Errorf("a secret of another name is %x, %v", other, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = store.Open(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			later, err := auth.SharedSecret(t.Context(), s, "cursors")
			if err != nil || len(later) != 32 {
				t.Fatalf("after a restart: %x, %v", later, err)
			}
			for i := range got {
				if !bytes.Equal(got[i], later) {
					t.Errorf("node %d has %x, later %x", i, got[i], later)
				}
			}
		})
	}
}
