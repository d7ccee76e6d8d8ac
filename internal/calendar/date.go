package calendar

import (
	"fmt"
	"time"
)

const secondsPerDay = 24 * 60 * 60

// DateOf returns the date of a civil year, month and day. Values out of range carry over, as in time.Date.
func DateOf(year int, month time.Month, day int) Date {
	return Date(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), secondsPerDay))
}

// ParseDate reads a date that exists, written exactly "YYYY-MM-DD", in the years 0001 to 9999.
func ParseDate(s string) (Date, error) {
	d, ok := parseDate(s)
	if !ok {
		return 0, fmt.Errorf("%q is not a date such as 2026-11-21", s)
	}
	return d, nil
}

func parseDate(s string) (Date, bool) {
	if len(s) != len("2026-11-21") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, month, day := digits(s[:4]), digits(s[5:7]), digits(s[8:])
	if year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return DateOf(year, time.Month(month), day), true
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// Civil returns the parts of d.
func (d Date) Civil() (year int, month time.Month, day int) {
	if d < 0 || d > lastDate {
		return d.midnight().Date()
	}
	// Every row of a board shows a time, so this one is not left to the time package, which takes several times as long. Years are counted from March, so
	// that the day that leap years add is their last, and months from there alternate in a pattern of 153 days in 5 (H. Hinnant, "chrono-compatible low-level date
	// algorithms", civil_from_days).
	n := uint32(d) + daysToEpoch
	era, n := n/daysOfEra, n%daysOfEra
	y := (n - n/1460 + n/36524 - n/146096) / 365
	n -= 365*y + y/4 - y/100
	m := (5*n + 2) / 153
	day = int(n-(153*m+2)/5) + 1
	year = int(era*400 + y)
	if m < 10 {
		return year, time.Month(m + 3), day
	}
	return year + 1, time.Month(m - 9), day
}

const (
	daysOfEra   = 146_097         // 400 years
	daysToEpoch = 719_468         // from 0000-03-01 to 1970-01-01
	lastDate    = Date(2_932_896) // 9999-12-31
)

// Weekday returns the day of the week of d.
func (d Date) Weekday() time.Weekday {
	return d.midnight().Weekday()
}

// String returns "2026-11-21".
func (d Date) String() string {
	var buf [len("2026-11-21")]byte
	return string(d.appendFormat(buf[:0]))
}

func (d Date) appendFormat(b []byte) []byte {
	year, month, day := d.Civil()
	if 0 <= year && year <= 9999 {
		return append(b, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-',
			byte('0'+month/10), byte('0'+month%10), '-', byte('0'+day/10), byte('0'+day%10))
	}
	b = appendPadded(b, year, 4)
	b = append(b, '-')
	b = appendPadded(b, int(month), 2)
	b = append(b, '-')
	return appendPadded(b, day, 2)
}

// midnight is 00:00 UTC of d: the time package then answers what is asked of a civil date.
func (d Date) midnight() time.Time {
	return time.Unix(int64(d)*secondsPerDay, 0).UTC()
}
