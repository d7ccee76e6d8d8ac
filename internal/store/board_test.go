package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// boardRows are users of a board in its order, and what is in the server for them.
type boardRows struct {
	users   []activity.User
	members []redis.Z
}

// newBoardRows makes rows with many equal values and times, best first.
func newBoardRows(n int, ascending bool) *boardRows {
	b := &boardRows{}
	for i := range n {
		u := activity.User(fmt.Sprintf("u%05d", i))
		s := store.Standing{Value: int64(i / 7), Reached: int64(i % 7 / 2)}
		if !ascending {
			s.Value = int64(n - i/7)
		}
		b.users = append(b.users, u)
		b.members = append(b.members, redis.Z{Score: float64(s.Value), Member: store.Member(s, ascending, u)})
	}
	return b
}

func (b *boardRows) fill(t *testing.T, client *redis.Client, key store.Key) {
	t.Helper()
	for rows := range slices.Chunk(b.members, 5000) {
		if err := client.ZAdd(t.Context(), string(key), rows...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// loadBench is a store on a real server, and a client of that server.
func loadBench(t *testing.T) (*harness, *redis.Client) {
	t.Helper()
	server := testenv.StartRedis(t)
	h := open(t, store.Options{URL: server.URL()})
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { client.Close() })
	return h, client
}

func (h *harness) loadUsers(ascending bool, seen func(n int)) []activity.User {
	h.t.Helper()
	var users []activity.User
	err := h.LoadBoard(context.Background(), 0, weekly(1), ascending, func(u activity.User, _ int64, _ calendar.Instant) error {
		users = append(users, u)
		seen(len(users))
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return users
}

func TestLoadBoard_InOrder(t *testing.T) {
	h, client := loadBench(t)
	for _, ascending := range []bool{false, true} {
		for _, n := range []int{1, 99, 1999, 2000, 2001, 3900, 7300} {
			t.Run(fmt.Sprint(ascending, n), func(t *testing.T) {
				h.t = t
				client.Del(t.Context(), string(store.BoardKey(0, weekly(1))))
				b := newBoardRows(n, ascending)
				b.fill(t, client, store.BoardKey(0, weekly(1)))
				got := h.loadUsers(ascending, func(int) {})
				values := func(users []activity.User) []string { // of equal value and time, Redis's order of users differs on a descending board
					var vs []string
					for _, u := range users {
						i := slices.Index(b.users, u)
						vs = append(vs, fmt.Sprint(b.members[i].Score, b.members[i].Member.(string)[:8]))
					}
					return vs
				}
				if d := cmp.Diff(values(b.users), values(got)); d != "" {
					t.Error(d)
				}
				slices.Sort(got)
				if d := cmp.Diff(b.users, got); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestLoadBoard_RowsThatStayAreGiven: whatever comes and goes before and behind the page that is read, users who stay are given, once.
func TestLoadBoard_RowsThatStayAreGiven(t *testing.T) {
	const n = 30_000
	h, client := loadBench(t)
	for _, ascending := range []bool{false, true} {
		for name, churn := range map[string]func(client *redis.Client, b *boardRows, r *rand.Rand, given int) (gone []int){
			"the best leave": func(_ *redis.Client, _ *boardRows, _ *rand.Rand, given int) (gone []int) {
				for i := range 900 {
					gone = append(gone, given/2-i)
				}
				return gone
			},
			"anybody leaves": func(_ *redis.Client, _ *boardRows, r *rand.Rand, _ int) []int { return r.Perm(n)[:1500] },
			"everybody read so far leaves": func(_ *redis.Client, _ *boardRows, _ *rand.Rand, given int) (gone []int) {
				for i := range given {
					gone = append(gone, i)
				}
				return gone
			},
			"others come": func(client *redis.Client, b *boardRows, r *rand.Rand, given int) []int {
				var come []redis.Z
				for i := range 500 {
					at := b.members[r.IntN(n)]
					come = append(come, redis.Z{Score: at.Score, Member: fmt.Sprintf("%s+%d-%d", at.Member, given, i)})
				}
				client.ZAdd(context.Background(), string(store.BoardKey(0, weekly(1))), come...)
				return nil
			},
		} {
			t.Run(fmt.Sprint(name, ascending), func(t *testing.T) {
				h.t = t
				b := newBoardRows(n, ascending)
				key := store.BoardKey(0, weekly(1))
				client.Del(t.Context(), string(key))
				b.fill(t, client, key)
				r := rand.New(rand.NewPCG(1, 2))
				left := map[activity.User]bool{}
				got := h.loadUsers(ascending, func(given int) {
					if given%1500 != 0 {
						return
					}
					var gone []any
					for _, i := range churn(client, b, r, given) {
						if i >= 0 && i < n {
							gone = append(gone, b.members[i].Member)
							left[b.users[i]] = true
						}
					}
					if len(gone) > 0 {
						if err := client.ZRem(context.Background(), string(key), gone...).Err(); err != nil {
							t.Fatal(err)
						}
					}
				})
				times := map[activity.User]int{}
				for _, u := range got {
					times[u]++
				}
				missing := 0
				for _, u := range b.users {
					if !left[u] && times[u] != 1 {
						missing++
					}
				}
				if missing > 0 {
					t.Errorf("%d users who stayed were not given, or more than once (%d left)", missing, len(left))
				}
			})
		}
	}
}

func TestLoadBoard_Refusals(t *testing.T) {
	h, client := loadBench(t)
	ctx := context.Background()
	load := func(ctx context.Context, yield func() error) error {
		return h.LoadBoard(ctx, 0, weekly(1), false, func(activity.User, int64, calendar.Instant) error { return yield() })
	}
	key := store.BoardKey(0, weekly(1))
	client.Set(ctx, string(key), "text", 0)
	if err := load(ctx, func() error { return nil }); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("a key of another type: %v", err)
	}
	client.Del(ctx, string(key))
	newBoardRows(9000, false).fill(t, client, key)
	stop := errors.New("enough")
	if err := load(ctx, func() error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of yield came back as %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	if err := load(ended, func() error { cancel(); return nil }); err == nil {
		t.Error("the load went on to its end although its context had ended")
	}
}
