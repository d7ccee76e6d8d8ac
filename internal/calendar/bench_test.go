package calendar

import (
	"testing"
	"time"
)

func BenchmarkDateAt(b *testing.B) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"} {
		c := newCalendar(b, zone)
		for name, at := range map[string]string{
			"summer":          "2025-07-15T13:37:00Z",
			"after_fall_back": "2025-10-26T11:00:00Z",
			"past_the_table":  "2041-07-15T13:37:00Z",
		} {
			i := instant(b, at)
			b.Run(zone+"/"+name, func(b *testing.B) {
				for b.Loop() {
					c.DateAt(i)
				}
			})
		}
	}
}

func BenchmarkOrdinalAt(b *testing.B) {
	c := newCalendar(b, "Europe/Berlin")
	i := instant(b, "2025-07-15T13:37:00Z")
	for u := Day; u <= All; u++ {
		b.Run(u.String(), func(b *testing.B) {
			for b.Loop() {
				c.OrdinalAt(Cycle{Unit: u}, i)
			}
		})
	}
}

func BenchmarkPeriodAt(b *testing.B) {
	c := newCalendar(b, "Europe/Berlin")
	i := instant(b, "2025-07-15T13:37:00Z")
	for b.Loop() {
		c.PeriodAt(Cycle{Unit: Week}, i)
	}
}

func BenchmarkParseInstant(b *testing.B) {
	for b.Loop() {
		if _, _, err := ParseInstant("2026-11-21T20:40:00.123+01:00"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendFormat(b *testing.B) {
	i := instant(b, "2026-11-21T19:40:00.123Z")
	var buf [32]byte
	for b.Loop() {
		i.AppendFormat(buf[:0])
	}
}

func newCalendar(t testing.TB, zone string) *Calendar {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return New(loc, time.Monday, 0)
}

func instant(t testing.TB, s string) Instant {
	t.Helper()
	i, _, err := ParseInstant(s)
	if err != nil {
		t.Fatalf("ParseInstant(%q): %v", s, err)
	}
	return i
}
