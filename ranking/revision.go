package ranking

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// Revision says how much of the change streams is in an answer. Two answers of one node with equal revisions were computed from
// equal boards, save for changes that were being applied. The zero value covers nothing.
type Revision struct {
	marks []mark // one a partition
}

// mark is the part of a revision that belongs to one partition.
type mark struct {
	epoch string
	// through: every change up to here is in.
	through feed.Position
	// top is the last change that is in, and that a reader elsewhere must wait for. It lies beyond through only while the
	// node's own commits are ahead of other nodes' that the follower has not read yet.
	top feed.Position
}

// maxRevision is the longest text that ParseRevision reads.
const maxRevision = 64 << 10

// String is an opaque text of letters, digits, - and _, fit for a URL and an ETag.
func (r Revision) String() string {
	b := binary.AppendUvarint(nil, uint64(len(r.marks)))
	for _, m := range r.marks {
		b = binary.AppendUvarint(b, uint64(len(m.epoch)))
		b = append(b, m.epoch...)
		for _, n := range [...]uint64{m.through.Ms, m.through.Seq, m.top.Ms, m.top.Seq} {
			b = binary.AppendUvarint(b, n)
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseRevision is the inverse of String. ErrBadRevision is for every other text.
func ParseRevision(s string) (Revision, error) {
	if len(s) > maxRevision {
		return Revision{}, fmt.Errorf("%w: longer than %d bytes", ErrBadRevision, maxRevision)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return Revision{}, fmt.Errorf("%w: %w", ErrBadRevision, err)
	}
	d := decoder{rest: b}
	var r Revision
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		var m mark
		m.epoch = d.text(d.uvarint())
		m.through = feed.Position{Ms: d.uvarint(), Seq: d.uvarint()}
		m.top = feed.Position{Ms: d.uvarint(), Seq: d.uvarint()}
		r.marks = append(r.marks, m)
	}
	if d.bad || len(d.rest) > 0 || r.String() != s { // the last: numbers with leading zeros
		return Revision{}, ErrBadRevision
	}
	return r, nil
}

// AsOf is the instant of the last change that is in, 0 before any.
func (r Revision) AsOf() calendar.Instant {
	var at calendar.Instant
	for _, m := range r.marks {
		at = max(at, m.asOf())
	}
	return at
}

// Equal says whether r and q cover the same.
func (r Revision) Equal(q Revision) bool { return slices.Equal(r.marks, q.marks) }

// decoder reads from rest until something is bad.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) text(n uint64) string {
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}
