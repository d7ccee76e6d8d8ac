package scenario

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"laurel/bench/measure"
	"laurel/bench/wire"
)

// posts makes requests of bodies.
func (b *bench) posts(bodies [][]byte) [][]byte {
	requests := make([][]byte, len(bodies))
	for i, body := range bodies {
		requests[i] = wire.Post("/v1/activities", b.laurel.Key, "application/x-ndjson", body)
	}
	return requests
}

// clients are those that send activities.
func (b *bench) clients() wire.Target {
	return wire.Target{Address: b.laurel.Address, Connections: b.Clients, As: wire.NewHTTP}
}

// floor are those that send pipelines.
func (b *bench) floor(connections int) wire.Target {
	return wire.Target{Address: b.redis.Address, Connections: connections, As: wire.NewRESP(pipeline * wire.LinesOfBulk)}
}

// allAccepted checks a batch's answer: what was not accepted would have cost less.
func allAccepted(answer []byte) error {
	for _, none := range []string{`"duplicates":0,`, `"rejected":0,`, `"ignored":0,`} {
		if !bytes.Contains(answer, []byte(none)) {
			return fmt.Errorf("not all activities were accepted: %.300s", answer)
		}
	}
	return nil
}

// load brings every user onto the boards, over HTTP.
func (b *bench) load(ctx context.Context) error {
	b.say("loading %d users", b.Users)
	requests := b.posts(b.items.everyone(b.Batch))
	count, _, err := b.slice(ctx, b.laurel.Process, b.clients(), wire.Work{Requests: requests, Times: len(requests), Check: allAccepted})
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	b.result.Load = Load{Activities: b.Users, Seconds: count.Elapsed.Seconds(), PerSecond: measure.Ratio(float64(b.Users), count.Elapsed.Seconds())}
	return nil
}

// openBoards reads each board once. A server keeps only boards in memory that are read; without readers ingest would be cheaper than it is in use.
func (b *bench) openBoards(ctx context.Context) error {
	for _, cycle := range cycles() {
		if err := b.openBoard(ctx, wire.Get(boardsPath+cycle+"?limit=1", b.laurel.Key)); err != nil {
			return fmt.Errorf("read board of the %s: %w", cycle, err)
		}
	}
	return nil
}

// loadTries is how often a board is asked for. A read waits a bounded time for a board that is being loaded, and on a busy machine that may pass.
const loadTries = 10

func (b *bench) openBoard(ctx context.Context, request []byte) (err error) {
	for range loadTries {
		if _, _, err = b.slice(ctx, b.laurel.Process, b.clients(), wire.Work{Requests: [][]byte{request}, Times: 1}); err == nil {
			return nil
		}
	}
	return err
}

const pipeline = 100 // commands; what DESIGN §4.6 fixes for the floor

// floorKey is a board of the floor, a plain sorted set with all users beside Laurel's.
func floorKey(board int) string { return "floor:" + strconv.Itoa(board) }

// floorPipelines encodes pipelines of ZINCRBY, command i on board i mod 3 by user of(i).
func (b *bench) floorPipelines(n int, of func(i int) int) [][]byte {
	pipelines := make([][]byte, n)
	boards := len(cycles())
	for i := range pipelines {
		for j := range pipeline {
			c := i*pipeline + j
			pipelines[i] = wire.Command(pipelines[i], "ZINCRBY", floorKey(c%boards), strconv.Itoa(b.items.points()), userID(of(c/boards)))
		}
	}
	return pipelines
}

// loadFloor brings every user onto the floor's boards. The last pipeline may begin again with the first users.
func (b *bench) loadFloor(ctx context.Context) error {
	n := (b.Users*len(cycles()) + pipeline - 1) / pipeline
	requests := b.floorPipelines(n, func(i int) int { return i % b.Users })
	if _, _, err := b.slice(ctx, nil, b.floor(1), wire.Work{Requests: requests, Times: n}); err != nil {
		return fmt.Errorf("load floor: %w", err)
	}
	return nil
}
