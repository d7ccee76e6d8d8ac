package wire

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Work is what connections do together: they take Requests in turn, over and over.
type Work struct {
	Requests [][]byte
	Times    int                       // exchanges in all; 0: until For has passed
	For      time.Duration             // no exchange begins later than this; 0: until Times are done
	Check    func(answer []byte) error // may be nil; called by several goroutines
}

// Count is what was done.
type Count struct {
	Exchanges int
	Elapsed   time.Duration // to the end of the last one
}

// patience bounds Work without a time of its own, and what a server may take for its last answers.
const patience = 10 * time.Minute

var errNoEnd = errors.New("work has neither a number nor a duration, or no requests")

// Drive does the work, one goroutine a connection, and returns when all of them have ended. The first error ends it; connections are closed
// then, and when ctx ends.
func Drive(ctx context.Context, conns []Exchanger, w Work) (Count, error) {
	if len(w.Requests) == 0 || w.Times <= 0 && w.For <= 0 {
		return Count{}, errNoEnd
	}
	ctx, done := context.WithTimeout(ctx, w.For+patience)
	defer done()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stop := context.AfterFunc(ctx, func() { CloseAll(conns) }) // an answer that does not come holds nobody
	defer stop()
	var g errgroup.Group // not its context: that ends with success too, and good connections stay open
	var begun, ended atomic.Int64
	start := time.Now()
	for _, c := range conns {
		g.Go(func() error {
			n, err := w.drive(c, start, &begun)
			ended.Add(int64(n))
			if err != nil {
				fail(err)
			}
			return err
		})
	}
	err := g.Wait()
	count := Count{Exchanges: int(ended.Load()), Elapsed: time.Since(start)}
	if err != nil {
		err = context.Cause(ctx) // the first; the others' is that their connections were closed
	}
	return count, err
}

// drive is one connection's share.
func (w *Work) drive(c Exchanger, start time.Time, begun *atomic.Int64) (done int, err error) {
	for w.For == 0 || time.Since(start) < w.For {
		n := int(begun.Add(1)) - 1
		if w.Times > 0 && n >= w.Times {
			break
		}
		answer, err := c.Exchange(w.Requests[n%len(w.Requests)])
		if err == nil && w.Check != nil {
			err = w.Check(answer)
		}
		if err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}
