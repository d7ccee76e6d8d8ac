package index

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"time"

	"laurel/bench/measure"
	"laurel/bench/wire"
	"laurel/internal/store"
	"laurel/ranking"
)

// loads measures how long a board takes from Redis into memory, beside one ZRANGE of it: by the client library that Laurel uses too, and by a
// connection that only finds the end of the answer. The last board stays for the measurements that follow.
func (r *run) loads(ctx context.Context) error {
	if err := r.fillBoard(ctx); err != nil {
		return err
	}
	for i := range r.Pairs {
		r.say("load: pair %d of %d", i+1, r.Pairs)
		p := LoadPair{}
		sides := []func() error{
			func() error {
				if err := r.restart(ctx); err != nil {
					return err
				}
				return r.timed(ctx, &p.Board, r.loadBoard)
			},
			func() error { return r.timed(ctx, &p.Client, r.zrangeClient) },
			func() error { return r.timed(ctx, &p.Raw, r.zrangeRaw) },
		}
		for j := range sides {
			if err := sides[(i+j)%len(sides)](); err != nil {
				return err
			}
		}
		p.conclude()
		r.result.Load.Pairs = append(r.result.Load.Pairs, p)
	}
	return nil
}

// restart makes a node that has no boards of the one that was there.
func (r *run) restart(ctx context.Context) (err error) {
	r.boards.stop()
	r.boards, err = startNode(ctx, r.store)
	return err
}

// timed notes the time of f, and the CPU time of both processes.
func (r *run) timed(ctx context.Context, to *LoadSide, f func(context.Context) error) error {
	runtime.GC()
	redis, own, err := r.cpu(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := f(ctx); err != nil {
		return err
	}
	elapsed := time.Since(start)
	redisAfter, ownAfter, err := r.cpu(ctx)
	*to = LoadSide{Seconds: elapsed.Seconds(), RedisCPU: (redisAfter - redis).Seconds(), OwnCPU: (ownAfter - own).Seconds()}
	return err
}

func (r *run) cpu(ctx context.Context) (redis, own time.Duration, err error) {
	if redis, err = r.redis.CPU(ctx); err != nil {
		return 0, 0, err
	}
	own, err = measure.OwnCPU()
	return redis, own, err
}

// loadBoard opens the board, which is not in memory.
func (r *run) loadBoard(ctx context.Context) (err error) {
	r.boards.board, err = r.boards.Open(ctx, board(), ranking.Descending)
	if err != nil {
		return err
	}
	members := 0
	r.boards.board.View(func(x *ranking.Index, _ uint64) { members = x.Len() })
	if members != r.n {
		return fmt.Errorf("the board was loaded with %d members", members)
	}
	return nil
}

func (r *run) zrangeClient(ctx context.Context) error {
	rows, err := r.client.ZRangeWithScores(ctx, string(store.BoardKey(0, board())), 0, -1).Result()
	if err == nil && len(rows) != r.n {
		err = fmt.Errorf("ZRANGE gave %d members", len(rows))
	}
	return err
}

func (r *run) zrangeRaw(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.redis.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(wire.Command(nil, "ZRANGE", string(store.BoardKey(0, board())), "0", "-1", "WITHSCORES")); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, 1<<16)
	head, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	if words, err := strconv.Atoi(strings.Trim(head, "*\r\n")); err != nil || words != 2*r.n {
		return fmt.Errorf("ZRANGE answered %q", head)
	}
	for lines := 4 * r.n; lines > 0; lines-- { // of each word its length and itself
		if _, err := in.ReadSlice('\n'); err != nil {
			return err
		}
	}
	return nil
}
