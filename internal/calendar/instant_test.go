package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseInstant(t *testing.T) {
	for _, test := range []struct {
		in     string
		want   Instant
		offset time.Duration
	}{
		{"1970-01-01T00:00:00Z", 0, 0},
		{"1970-01-01T00:00:00-00:00", 0, 0},
		{"1970-01-01T01:00:00+01:00", 0, time.Hour},
		{"1969-12-31T23:00:00-01:00", 0, -time.Hour},
		{"1970-01-01T00:00:00.0009Z", 0, 0},
		{"1970-01-01T00:00:00.1Z", 100, 0},
		{"1970-01-01T00:00:00.12Z", 120, 0},
		{"1970-01-01T00:00:00.123Z", 123, 0},
		{"1970-01-01T00:00:00.1239Z", 123, 0},
		{"1970-01-01T00:00:00.99999999999999999999999999999Z", 999, 0},
		{"1970-01-01t00:00:00z", 0, 0},
		{"2026-11-21T19:40:00Z", 1_795_290_000_000, 0},
		{"2026-11-22T01:25:00.5+05:45", 1_795_290_000_500, 5*time.Hour + 45*time.Minute},
		{"2024-02-29T00:00:00Z", 1_709_164_800_000, 0},
		{"9999-12-31T23:59:59.999Z", endOfTime - 1, 0},
		{"1970-01-01T23:59:00+23:59", 0, 23*time.Hour + 59*time.Minute},
	} {
		got, offset, err := ParseInstant(test.in)
		if err != nil || got != test.want || offset != test.offset {
			t.Errorf("ParseInstant(%q) = %d, %v, %v; want %d, %v", test.in, got, offset, err, test.want, test.offset)
		}
	}
}

func TestParseInstant_Refuses(t *testing.T) {
	for _, in := range []string{
		"", "Z", "now", "1795290000", "2026-11-21", "2026-11-21T19:40:00", "2026-11-21T19:40Z", "2026-11-21 19:40:00Z",
		"2026-11-21T19:40:60Z", "2016-12-31T23:59:60Z", "2026-11-21T24:00:00Z", "2026-11-21T19:60:00Z",
		"2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z",
		"1969-12-31T23:59:59.999Z", "1970-01-01T00:59:59+01:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01",
		"2026-11-21T19:40:00.Z", "2026-11-21T19:40:00,5Z", "2026-11-21T19:40:00.5", "2026-11-21T19:40:00.5 Z",
		"2026-11-21T19:40:00+24:00", "2026-11-21T19:40:00+01:60", "2026-11-21T19:40:00+0100", "2026-11-21T19:40:00+01", "2026-11-21T19:40:00 01:00",
		"2026-11-21T19:40:00+1:000", "2026-11-21T19:40:00Zx", " 2026-11-21T19:40:00Z", "2026-11-21T1\u0669:40:00Z", "+2026-11-21T19:40:00Z", "2026-11-21T-1:40:00Z",
		"20261-1-21T19:40:00Z", "２026-11-21T19:40:00Z",
	} {
		if got, _, err := ParseInstant(in); !errors.Is(err, ErrBadInstant) {
			t.Errorf("ParseInstant(%q) = %v, %v; want ErrBadInstant", in, got, err)
		}
	}
}

func TestInstant_String(t *testing.T) {
	for _, test := range []struct {
		i    Instant
		want string
	}{
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{1_795_290_000_007, "2026-11-21T19:40:00.007Z"},
		{endOfTime - 1, "9999-12-31T23:59:59.999Z"},
	} {
		if got := test.i.String(); got != test.want {
			t.Errorf("Instant(%d).String() = %q, want %q", test.i, got, test.want)
		}
	}
}

func TestInstant_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := Instant(rapid.Int64Range(0, int64(endOfTime-1)).Draw(t, "i"))
		if got, offset, err := ParseInstant(i.String()); got != i || offset != 0 || err != nil {
			t.Errorf("ParseInstant(%q) = %d, %v, %v; want %d", i, got, offset, err, i)
		}
		if got, want := i.String(), i.Time().Format("2006-01-02T15:04:05.000Z07:00"); got != want {
			t.Errorf("String() = %q, the time package writes %q", got, want)
		}
		if got := InstantOf(i.Time().Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "ns")))); got != i {
			t.Errorf("InstantOf(Time() and less than 1 ms) = %d, want %d", got, i)
		}
	})
}

func TestInstantOf_RoundsDownBefore1970(t *testing.T) {
	if got := InstantOf(time.Unix(0, -1)); got != -1 {
		t.Errorf("InstantOf(1 ns before 1970) = %d, want -1", got)
	}
}

func TestDate_AgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.IntRange(int(DateOf(1, 1, 1)), int(DateOf(9999, 12, 31))).Draw(t, "d"))
		want := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(d))
		if got := d.String(); got != want.Format(time.DateOnly) {
			t.Errorf("Date(%d).String() = %q, want %q", int(d), got, want.Format(time.DateOnly))
		}
		if got := d.Weekday(); got != want.Weekday() {
			t.Errorf("%v is a %v, want %v", d, got, want.Weekday())
		}
		if got := DateOf(d.Civil()); got != d {
			t.Errorf("DateOf(Civil()) = %v, want %v", got, d)
		}
		if got, err := ParseDate(d.String()); got != d || err != nil {
			t.Errorf("ParseDate(%q) = %v, %v", d, got, err)
		}
	})
}

func TestParseDate_Refuses(t *testing.T) {
	for _, in := range []string{"", "2026-02-29", "1900-02-29", "2026-13-01", "2026-1-01", "26-01-01", "02026-01-01", "2026-01-32", "0000-01-01", "-001-01-01", "2026/01/01", "2026-01-01 "} {
		if got, err := ParseDate(in); err == nil {
			t.Errorf("ParseDate(%q) = %v, want an error", in, got)
		}
	}
	if _, err := ParseDate("2000-02-29"); err != nil {
		t.Error(err)
	}
}

func FuzzParseInstant(f *testing.F) {
	for _, s := range []string{"2026-11-21T19:40:00Z", "2026-11-21T19:40:00.123456789-03:30", "1969-12-31T23:59:59.9Z", "2024-02-29T23:59:60+14:00", "9999-12-31T23:59:59-23:59"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, offset, err := ParseInstant(s)
		// The time package wants capital letters.
		want, wantErr := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
		switch {
		case err == nil && wantErr == nil:
			_, seconds := want.Zone()
			if got.Time() != want.UTC().Truncate(time.Millisecond) || offset != time.Duration(seconds)*time.Second {
				t.Errorf("ParseInstant(%q) = %v, %v; the time package says %v", s, got, offset, want)
			}
		case err == nil:
			t.Errorf("ParseInstant(%q) = %v, the time package refuses: %v", s, got, wantErr)
		case !errors.Is(err, ErrBadInstant) || got != 0 || offset != 0:
			t.Errorf("ParseInstant(%q) = %d, %v, %v", s, got, offset, err)
		case wantErr == nil && want.Format(time.RFC3339Nano) == s:
			if ms := want.UnixMilli(); ms >= 0 && ms < int64(endOfTime) {
				t.Errorf("ParseInstant(%q) refuses, the time package writes it so", s)
			}
		}
	})
}

// TestDate_CivilIsTheTimePackages: of every date that has its own arithmetic, and of some around.
func TestDate_CivilIsTheTimePackages(t *testing.T) {
	for d := Date(-1000); d <= lastDate+1000; d++ {
		year, month, day := d.Civil()
		if y, m, n := d.midnight().Date(); y != year || m != month || n != day {
			t.Fatalf("%d days: %d-%d-%d, want %d-%d-%d", d, year, month, day, y, m, n)
		}
	}
	if got := lastDate.String(); got != "9999-12-31" {
		t.Errorf("the last date is %s", got)
	}
}
