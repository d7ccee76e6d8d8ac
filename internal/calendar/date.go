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
	return d.midnight().Date()
}

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
