package ranking

import "time"

// Age is how long ago the boards were last known to have everything that was committed by then: below a second and a half while the store answers, and the follower
// keeps up with it. It grows from the moment at which a partition's stream is not read to its end any more, whatever the reason, and is back once it is. What
// was committed before now − Age has been told to OnChange. It takes no lock.
func (b *Boards) Age() time.Duration {
	now := b.o.Now()
	var age time.Duration
	for _, p := range b.parts {
		age = max(age, b.ageOf(p, now))
	}
	return age
}

func (b *Boards) ageOf(p *partition, now time.Time) time.Duration {
	return now.Sub(b.began) - time.Duration(p.current.Load())
}

// confirm notes that the boards have all that was committed to a partition until an instant. Only the partition's follower calls it.
func (b *Boards) confirm(p *partition, at time.Time) { p.current.Store(int64(at.Sub(b.began))) }
