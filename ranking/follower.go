package ranking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"laurel/internal/feed"
)

const (
	readMax   = 512                    // changes a read
	readBlock = 500 * time.Millisecond // how long a read waits for news; the longest that a lost own change can go unnoticed
	// confirmEvery is the age from which on a read does not wait: what it finds, or does not, tells that the boards are current. A read that waits and then
	// brings something tells that only as of its beginning.
	confirmEvery = readBlock / 2
	backoffMin   = 50 * time.Millisecond
	backoffMax   = 2 * time.Second
)

var (
	// errLost says that the stream is not the continuation of what was applied.
	errLost = errors.New("history was lost")
	// errForked says more: what was applied is not in the stream's past either, so that commits are gone.
	errForked = fmt.Errorf("%w: the store no longer has commits that it had", errLost)
)

// follower applies one partition's change stream, and starts anew where its history was lost.
type follower struct {
	b *Boards
	p *partition
	// started is set from the first connection on: a later restart is a reset that others must hear of.
	started bool
	// forked is set while the epoch that the partition had is not known to have ended, although commits of it are gone.
	forked bool
}

// run follows until ctx ends. It waits between attempts, twice as long after each that brought nothing.
func (f *follower) run(ctx context.Context) {
	wait := backoffMin
	for {
		progress, err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		f.fail(err)
		if progress {
			wait = backoffMin
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = min(2*wait, backoffMax)
	}
}

// fail notes why following ended. Where history was lost, all boards go at once: what they hold is of no use to anybody. An
// error can also mean that the store has lost commits which the follower had not come to. Boards cannot show them, save those
// that were being loaded at the time; so these go too, and those whose load ended during the read that failed or the one before.
func (f *follower) fail(err error) {
	lost := errors.Is(err, errLost)
	young := f.p.disconnect(lost)
	if lost {
		young = 0
	}
	f.forked = f.forked || errors.Is(err, errForked)
	f.b.dropLoadedSince(f.p.n, young)
	f.b.o.Log.Warn().Err(err).Int("partition", f.p.n).Bool("lost", lost).Msg("following changes ended; trying again")
}

// follow connects and applies changes until something fails. progress says whether any were read.
func (f *follower) follow(ctx context.Context) (progress bool, err error) {
	if err := f.connect(ctx); err != nil {
		return false, err
	}
	for {
		f.p.mu.Lock()
		f.p.reads++
		last, ownTop := f.p.last, f.p.ownTop
		f.p.mu.Unlock()
		began, block := f.b.o.Now(), readBlock
		if f.b.ageOf(f.p, began) > confirmEvery {
			block = 0
		}
		cs, err := f.b.o.Source.Changes(ctx, f.p.n, last, f.b.o.page, block)
		switch {
		case errors.Is(err, feed.ErrTrimmed):
			return progress, errors.Join(errLost, err)
		case err != nil:
			return progress, err
		case len(cs) == 0 && ownTop.Compare(last) > 0:
			// An own change was in the stream before this read, and the read did not find it.
			return progress, errForked
		}
		for i := range cs {
			if err := f.apply(&cs[i]); err != nil {
				return progress, err
			}
			progress = true
		}
		f.confirm(len(cs), began, block)
	}
}

// confirm notes as of when the boards are current, after a read that began at an instant. One that is full tells nothing: there may be more.
func (f *follower) confirm(found int, began time.Time, block time.Duration) {
	switch {
	case found == 0: // nothing came until the wait was over
		f.b.confirm(f.p, began.Add(block))
	case found < f.b.o.page:
		f.b.confirm(f.p, began)
	}
}

// connect finds out where to go on: at the last position if the history there is still the same, else at the stream's end.
func (f *follower) connect(ctx context.Context) error {
	f.p.mu.Lock()
	following, epoch, known := f.p.following, f.p.epoch, f.p.last
	if known.Compare(f.p.ownTop) < 0 {
		known = f.p.ownTop
	}
	f.p.mu.Unlock()

	tail, now, err := f.where(ctx)
	if err != nil {
		return err
	}
	if following {
		if now != epoch {
			return errLost
		}
		if tail.Compare(known) < 0 {
			return errForked
		}
		f.p.mu.Lock()
		f.p.connected = true
		f.p.announceLocked()
		f.p.mu.Unlock()
		return nil
	}
	if f.forked && now == epoch && f.b.o.Renew != nil {
		if err := f.b.o.Renew(ctx, f.p.n, epoch); err != nil {
			return err
		}
		if tail, now, err = f.where(ctx); err != nil {
			return err
		}
	}
	f.forked = false
	// The end of the stream is known, and nothing of what comes after it has been told: who drops everything now and
	// derives it again misses no change. Told before the end was known, they could miss those in between.
	if f.started {
		f.b.o.OnReset(f.p.n)
	}
	f.started = true
	f.p.restart(now, tail)
	return nil
}

// where is the stream's end and its epoch. The end first: if the store is wiped between the two, the epoch is of a history that does not have this end, and
// the first read says so.
func (f *follower) where(ctx context.Context) (tail feed.Position, epoch string, err error) {
	if tail, err = f.b.o.Source.Tail(ctx, f.p.n); err != nil {
		return tail, "", err
	}
	epoch, err = f.b.o.Source.Epoch(ctx, f.p.n)
	return tail, epoch, err
}

// apply applies one change to the boards, tells of it, and then moves the revision on.
func (f *follower) apply(c *feed.Change) error {
	if err := f.applyToBoards(c); err != nil {
		return err
	}
	f.b.o.OnChange(*c)

	f.p.mu.Lock()
	f.p.passLocked(c.ID)
	f.p.mu.Unlock()
	return nil
}

func (f *follower) applyToBoards(c *feed.Change) error {
	f.p.applying.Lock()
	defer f.p.applying.Unlock()
	news, err := f.p.admitStreamed(c)
	if err != nil {
		return err
	}
	if news {
		f.p.apply(c, f.b.lookup, streamed)
		f.b.dropNamed(c.Dropped)
	}
	f.p.noteStreamed(c, f.b.o.Now().Sub(time.UnixMilli(int64(c.ID.Ms))))
	return nil
}
