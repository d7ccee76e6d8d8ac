package calendar

import (
	"strconv"
	"time"
)

const (
	secondMS = 1000
	minuteMS = 60 * secondMS
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
)

// endOfTime is 10000-01-01T00:00:00Z, the first instant that RFC 3339 cannot write in UTC.
const endOfTime Instant = 253_402_300_800_000

// InstantOf returns the instant of t, cut down to a whole millisecond.
func InstantOf(t time.Time) Instant {
	return Instant(t.UnixMilli()) // UnixMilli rounds down before 1970 too
}

// Time returns i in UTC.
func (i Instant) Time() time.Time {
	return time.UnixMilli(int64(i)).UTC()
}

// String returns i as RFC 3339 in UTC with three digits of fraction: "2026-11-21T19:40:00.000Z".
func (i Instant) String() string {
	var buf [len("2026-11-21T19:40:00.000Z")]byte
	return string(i.AppendFormat(buf[:0]))
}

// AppendFormat appends String to b.
func (i Instant) AppendFormat(b []byte) []byte {
	day := floorDiv(int64(i), dayMS)
	ms := uint32(int64(i) - day*dayMS)
	h, m, s, ms := ms/hourMS, ms/minuteMS%60, ms/secondMS%60, ms%secondMS
	return append(Date(day).appendFormat(b), 'T', byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10),
		'.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// ParseInstant reads an RFC 3339 time with an offset, from 1970 on, and returns the offset beside the instant (positive is
// east of UTC). Digits of the fraction past the third are dropped. As RFC 3339 allows, "t" and "z" may be small letters. A
// second of 60 is refused, because no instant can tell it from the next second. Every failure is ErrBadInstant. It does not
// allocate.
func ParseInstant(s string) (i Instant, offset time.Duration, err error) {
	const seconds = len("2026-11-21T19:40:00")
	if len(s) < seconds+len("Z") || s[4] != '-' || s[7] != '-' || s[10]|0x20 != 't' || s[13] != ':' || s[16] != ':' {
		return 0, 0, ErrBadInstant
	}
	date, ok := parseDate(s[:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	if !ok || uint(hour) > 23 || uint(minute) > 59 || uint(second) > 59 {
		return 0, 0, ErrBadInstant
	}
	ms, rest, ok := cutFraction(s[seconds:])
	if !ok {
		return 0, 0, ErrBadInstant
	}
	east, ok := parseOffset(rest)
	if !ok {
		return 0, 0, ErrBadInstant
	}
	i = Instant(int64(date)*dayMS + int64(hour*hourMS+minute*minuteMS+second*secondMS+ms-east*minuteMS))
	if i < 0 || i >= endOfTime {
		return 0, 0, ErrBadInstant
	}
	return i, time.Duration(east) * time.Minute, nil
}

// cutFraction reads an optional fraction of a second, as whole milliseconds, off the front of s.
func cutFraction(s string) (ms int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	n := 1
	for scale := 100; n < len(s) && isDigit(s[n]); n++ {
		ms += int(s[n]-'0') * scale
		scale /= 10 // 0 from the fourth digit on
	}
	return ms, s[n:], n > 1
}

// parseOffset reads "Z" or "+hh:mm", in minutes east of UTC.
func parseOffset(s string) (minutes int, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+02:00") || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hour, minute := digits(s[1:3]), digits(s[4:6])
	if uint(hour) > 23 || uint(minute) > 59 {
		return 0, false
	}
	minutes = hour*60 + minute
	if s[0] == '-' {
		minutes = -minutes
	}
	return minutes, true
}

// digits returns the number that s writes in decimal digits only, or -1.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// appendPadded appends n with at least width digits.
func appendPadded(b []byte, n, width int) []byte {
	switch { // every time on the wire comes through here, several of them a row
	case width == 2 && 0 <= n && n < 100:
		return append(b, byte('0'+n/10), byte('0'+n%10))
	case width == 3 && 0 <= n && n < 1000:
		return append(b, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
	case width == 4 && 0 <= n && n < 10_000:
		return append(b, byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	}
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	for limit := pow10(width - 1); n < limit && limit > 1; limit /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(n), 10)
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// floorDiv divides rounding down, so that what lies before 1970 is cut like what lies after.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// MarshalText implements encoding.TextMarshaler: on the wire an instant is what String gives.
func (i Instant) MarshalText() ([]byte, error) { return i.AppendFormat(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler, by ParseInstant.
func (i *Instant) UnmarshalText(b []byte) (err error) {
	*i, _, err = ParseInstant(string(b))
	return err
}
