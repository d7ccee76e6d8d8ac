// Package clock is the one source of now. Everything else takes the time as a parameter or takes a *Clock.
package clock

import (
	"sync/atomic"
	"time"

	"laurel/internal/calendar"
)

// Clock tells the time: the machine's, or an instant that was set for a test. The zero value tells the machine's. It is
// safe for concurrent use.
type Clock struct {
	set atomic.Pointer[calendar.Instant]
}

// Now is the current instant.
func (c *Clock) Now() calendar.Instant {
	if at := c.set.Load(); at != nil {
		return *at
	}
	return calendar.InstantOf(time.Now())
}

// Set makes Now answer at until it is set again; nil gives back the machine's time.
func (c *Clock) Set(at *calendar.Instant) { c.set.Store(at) }
