package activity

import (
	"encoding/binary"
	"errors"
	"math"

	"laurel/internal/calendar"
)

// ErrBadRecord says that bytes from a log are no record: damaged, or of a newer format.
var ErrBadRecord = errors.New("not an activity record")

const recordFormat = 1

// Flags of a record; the status takes the two lowest bits.
const (
	flagValue byte = 1 << (iota + 2)
	flagAtGiven
	flagImported
	flagWasIgnored
	flagMeta
	flagReason
)

// Flags beside the kind, where there is room: records without these parts are as they always were.
const (
	flagDecided    byte = 1 << 6
	flagAttributes byte = 1 << 7
)

// AppendRecord appends the activity as it stands in its user's log, under its id: everything but ID and User. The form is compact
// because the log is most of what the store holds.
func (a *Activity) AppendRecord(b []byte) []byte {
	flags := byte(a.Status)
	set := func(on bool, f byte) {
		if on {
			flags |= f
		}
	}
	set(a.HasValue, flagValue)
	set(a.AtGiven, flagAtGiven)
	set(a.Imported, flagImported)
	set(a.WasIgnored, flagWasIgnored)
	set(len(a.Meta) > 0, flagMeta)
	set(a.Reason != "", flagReason)
	kind := byte(a.Kind)
	if len(a.Attributes) > 0 {
		kind |= flagAttributes
	}
	if a.Decided != nil {
		kind |= flagDecided
	}
	b = append(b, recordFormat, flags, kind)
	b = binary.AppendVarint(b, int64(a.At))
	b = binary.AppendVarint(b, int64(a.Received-a.At))
	b = binary.AppendVarint(b, int64(a.Offset))
	b = appendString(b, a.Name)
	if a.HasValue {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(a.Value))
	}
	if len(a.Meta) > 0 {
		b = binary.AppendUvarint(b, uint64(len(a.Meta)))
		b = append(b, a.Meta...)
	}
	if a.Reason != "" {
		b = appendString(b, a.Reason)
	}
	if len(a.Attributes) > 0 {
		b = binary.AppendUvarint(b, uint64(len(a.Attributes)))
		for i := range a.Attributes {
			b = appendString(appendString(b, a.Attributes[i].Name), a.Attributes[i].Value)
		}
	}
	if a.Decided != nil {
		b = a.Decided.append(b)
	}
	return b
}

// ParseRecord is the inverse of AppendRecord.
func ParseRecord(user User, id ID, record string) (Activity, error) {
	r := reader{s: record}
	format, flags, kind := r.byte(), r.byte(), r.byte()
	attributes, decided := kind&flagAttributes != 0, kind&flagDecided != 0
	kind &^= flagAttributes | flagDecided
	if format != recordFormat || int(kind) >= len(kinds) || int(flags&3) >= len(statuses) {
		return Activity{}, ErrBadRecord
	}
	a := Activity{ID: id, User: user, Kind: Kind(kind), Status: Status(flags & 3),
		HasValue: flags&flagValue != 0, AtGiven: flags&flagAtGiven != 0,
		Imported: flags&flagImported != 0, WasIgnored: flags&flagWasIgnored != 0}
	a.At = calendar.Instant(r.varint())
	a.Received = a.At + calendar.Instant(r.varint())
	a.Offset = int16(r.varint())
	a.Name = r.string()
	if a.HasValue {
		a.Value = math.Float64frombits(binary.LittleEndian.Uint64([]byte(r.take(8))))
	}
	if flags&flagMeta != 0 {
		a.Meta = []byte(r.string())
	}
	if flags&flagReason != 0 {
		a.Reason = r.string()
	}
	if attributes {
		a.Attributes = r.attributes()
	}
	if decided {
		a.Decided = r.decided()
	}
	if r.bad || r.s != "" || a.Kind > Credit || a.Status > Ignored {
		return Activity{}, ErrBadRecord
	}
	return a, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes a record apart; after a fault it yields zeros and bad is set.
type reader struct {
	s   string
	bad bool
}

const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00"

func (r *reader) take(n int) string {
	if n < 0 || n > len(r.s) {
		r.bad, r.s = true, ""
		return zeros[:min(max(n, 0), len(zeros))]
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) uvarint() uint64 {
	var u uint64
	for shift := 0; shift < 64; shift += 7 {
		c := r.byte()
		u |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return u
		}
	}
	r.bad = true
	return 0
}

func (r *reader) attributes() []Attribute {
	list := make([]Attribute, r.count())
	for i := range list {
		list[i] = Attribute{Name: r.string(), Value: r.string()}
	}
	return list
}

// count is a number of things to come, each of at least one byte. A flag without any is not what AppendRecord writes.
func (r *reader) count() int {
	n := r.uvarint()
	if n == 0 || n > uint64(len(r.s)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.uvarint()
	if n > uint64(len(r.s)) {
		r.bad = true
		return ""
	}
	return r.take(int(n))
}
