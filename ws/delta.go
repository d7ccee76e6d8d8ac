package ws

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// maxDeltas bounds the deltas that an edition keeps: the one from the edition before, and those from where slower
// subscribers commonly are.
const maxDeltas = 16

// edition is what a view shows from one emitted change to the next. What it encodes begins behind the subscription's id:
// `{"type":"delta","id":"a"` + `,"prev":…}`.
type edition struct {
	epoch string
	seq   uint64
	frame *query.Frame
	woken time.Time // when the change was announced, for Metrics.Push; zero if nobody announced one

	mu       sync.Mutex
	snapshot []byte
	deltas   map[uint64][]byte // by the seq that they start from
}

// encodedSnapshot returns the shared bytes of the snapshot.
func (e *edition) encodedSnapshot() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.snapshotLocked()
}

func (e *edition) snapshotLocked() []byte {
	if e.snapshot == nil {
		e.snapshot = e.appendSnapshot(make([]byte, 0, 256+128*len(e.frame.Rows)+len(e.frame.User)))
	}
	return e.snapshot
}

// encodedDelta returns the shared bytes of the delta from an earlier frame of the same period. ok is false where a
// snapshot is to be sent instead, because the client lags and the snapshot is smaller.
func (e *edition) encodedDelta(seq uint64, frame *query.Frame) (b []byte, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, found := e.deltas[seq]
	if !found {
		b = e.appendDelta(nil, seq, frame)
		if len(e.deltas) < maxDeltas {
			if e.deltas == nil {
				e.deltas = make(map[uint64][]byte, 1)
			}
			e.deltas[seq] = b
		}
	}
	return b, seq+1 == e.seq || len(b) <= len(e.snapshotLocked())
}

func (e *edition) appendSnapshot(b []byte) []byte {
	b = append(b, `,"epoch":"`...)
	b = append(b, e.epoch...)
	b = append(b, `","seq":`...)
	b = strconv.AppendUint(b, e.seq, 10)
	b = e.appendAsOf(b)
	if e.frame.User != nil {
		b = append(b, `,"user":`...)
		b = append(b, e.frame.User...)
		return append(b, '}')
	}
	if e.frame.Period != nil {
		b = append(b, `,"period":`...)
		b = e.frame.Period.AppendJSON(b)
	}
	b = append(b, `,"total":`...)
	b = strconv.AppendInt(b, int64(e.frame.Total), 10)
	b = append(b, `,"rows":`...)
	b = query.AppendRows(b, e.frame.Rows)
	return append(b, '}')
}

func (e *edition) appendDelta(b []byte, seq uint64, from *query.Frame) []byte {
	b = append(b, `,"prev":`...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendUint(b, e.seq, 10)
	b = e.appendAsOf(b)
	if e.frame.User != nil {
		return append(appendUserChange(b, from.User, e.frame.User), '}')
	}
	upsert, remove := diffRows(from.Rows, e.frame.Rows)
	b = append(b, `,"total":`...)
	b = strconv.AppendInt(b, int64(e.frame.Total), 10)
	b = append(b, `,"upsert":`...)
	b = query.AppendRows(b, upsert)
	b = append(b, `,"remove":[`...)
	for i, user := range remove {
		b = appendComma(b, i)
		b, _ = jsontext.AppendQuote(b, string(user)) // user ids are valid UTF-8, so this cannot fail
	}
	return append(b, "]}"...)
}

func (e *edition) appendAsOf(b []byte) []byte {
	b = append(b, `,"as_of":"`...)
	b = e.frame.AsOf.AppendFormat(b)
	return append(b, '"')
}

// diffRows returns the rows of next that from lacks or shows otherwise, in rank order, and the users that next lacks.
func diffRows(from, next []query.Row) (upsert []query.Row, remove []activity.User) {
	same := 0
	for same < len(from) && same < len(next) && from[same] == next[same] {
		same++
	}
	from, next = from[same:], next[same:]
	for len(from) > 0 && len(next) > 0 && from[len(from)-1] == next[len(next)-1] {
		from, next = from[:len(from)-1], next[:len(next)-1]
	}
	before := make(map[activity.User]*query.Row, len(from))
	for i := range from {
		before[from[i].User] = &from[i]
	}
	for i := range next {
		row := before[next[i].User]
		if row == nil || *row != next[i] {
			upsert = append(upsert, next[i])
		}
		delete(before, next[i].User)
	}
	for user := range before {
		remove = append(remove, user)
	}
	slices.Sort(remove) // a delta's bytes depend on the frames only
	return upsert, remove
}

// sameShown says whether two frames of a view show the same. AsOf is not looked at: it moves with changes elsewhere.
func sameShown(a, b *query.Frame) bool {
	return a == b || samePeriod(a.Period, b.Period) && a.Total == b.Total && slices.Equal(a.Rows, b.Rows) && bytes.Equal(a.User, b.User)
}

// samePeriod says whether two periods are equal on the wire.
func samePeriod(a, b *query.Period) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Label == b.Label && a.Closed == b.Closed && sameInstant(a.Start, b.Start) && sameInstant(a.End, b.End)
}

func sameInstant[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// member is a top-level member of a user's object.
type member struct{ name, value []byte } // name with its quotes

// appendUserChange appends the members of the object next that from lacks or has otherwise, and the names of those that next lacks.
func appendUserChange(b, from, next []byte) []byte {
	before, after := members(from), members(next)
	b = append(b, `,"user":{`...)
	n := 0
	for _, m := range after {
		if i := indexOf(before, m.name); i >= 0 && bytes.Equal(before[i].value, m.value) {
			continue
		}
		b = appendComma(b, n)
		b = append(b, m.name...)
		b = append(b, ':')
		b = append(b, m.value...)
		n++
	}
	b = append(b, '}')
	n = 0
	for _, m := range before {
		if indexOf(after, m.name) >= 0 {
			continue
		}
		if n == 0 {
			b = append(b, `,"unset":[`...)
		}
		b = appendComma(b, n)
		b = append(b, m.name...)
		n++
	}
	if n > 0 {
		b = append(b, ']')
	}
	return b
}

// members splits a JSON object. It stops at what is no JSON; Source writes only valid objects.
func members(object []byte) []member {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		return nil
	}
	var list []member
	for d.PeekKind() == '"' {
		name, err := d.ReadValue()
		if err != nil {
			return list
		}
		name = slices.Clone(name) // the decoder's buffer is used again
		value, err := d.ReadValue()
		if err != nil {
			return list
		}
		list = append(list, member{name, slices.Clone(value)})
	}
	return list
}

func indexOf(list []member, name []byte) int {
	return slices.IndexFunc(list, func(m member) bool { return bytes.Equal(m.name, name) })
}

func appendComma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}
