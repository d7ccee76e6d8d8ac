package calendar

import (
	"testing"
	"time"
)

func TestCalendar_StartOf(t *testing.T) {
	for _, test := range []struct {
		name, zone, date string
		dayStart         time.Duration
		want             string
	}{
		{"utc", "UTC", "2026-11-21", 0, "2026-11-21T00:00:00Z"},
		{"utc with a day start", "UTC", "2026-11-21", 4 * time.Hour, "2026-11-21T04:00:00Z"},
		{"leap day", "Europe/Berlin", "2024-02-29", 0, "2024-02-28T23:00:00Z"},
		{"midnight leapt over", "America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00Z"},
		{"fallen back from midnight", "America/Sao_Paulo", "2019-02-17", 0, "2019-02-17T03:00:00Z"},
		{"midnight leapt over in Beirut", "Asia/Beirut", "2022-03-27", 0, "2022-03-26T22:00:00Z"},
		{"midnight leapt over in Santiago", "America/Santiago", "2022-09-11", 0, "2022-09-11T04:00:00Z"},
		{"fallen back from midnight in Santiago", "America/Santiago", "2022-04-03", 0, "2022-04-03T04:00:00Z"},
		{"one minute of the date before falling back", "America/Goose_Bay", "2010-11-07", 0, "2010-11-07T03:00:00Z"},
		{"one minute of the date before falling back at half past", "America/St_Johns", "2010-11-07", 0, "2010-11-07T02:30:00Z"},
		{"quarter of an hour", "Asia/Kathmandu", "2026-11-21", 0, "2026-11-20T18:15:00Z"},
		{"skipped date begins with the next", "Pacific/Apia", "2011-12-30", 0, "2011-12-30T10:00:00Z"},
		{"date after the skipped one", "Pacific/Apia", "2011-12-31", 0, "2011-12-30T10:00:00Z"},
		{"date after the skipped one in Kiritimati", "Pacific/Kiritimati", "1995-01-01", 0, "1994-12-31T10:00:00Z"},
		{"day start leapt over", "Europe/Berlin", "2026-03-29", 2*time.Hour + 30*time.Minute, "2026-03-29T01:00:00Z"},
		{"day start read twice: the first", "Europe/Berlin", "2026-10-25", 2*time.Hour + 30*time.Minute, "2026-10-25T00:30:00Z"},
		{"rule past the table", "Europe/Berlin", "2084-07-01", 0, "2084-06-30T22:00:00Z"},
		{"last day of a leap year past the table", "Europe/Berlin", "2084-12-31", 0, "2084-12-30T23:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := ParseDate(test.date)
			if err != nil {
				t.Fatal(err)
			}
			c := newCalendar(t, test.zone)
			c.DayStart = test.dayStart
			if got, want := c.StartOf(d), instant(t, test.want); got != want {
				t.Errorf("StartOf(%v) = %v, want %v", d, got, want)
			}
		})
	}
}

func TestCalendar_DateAtNeverGoesBack(t *testing.T) {
	c := newCalendar(t, "America/Goose_Bay")
	for _, test := range []struct{ at, want string }{
		{"2010-11-07T02:59:59.999Z", "2010-11-06"},
		{"2010-11-07T03:00:00Z", "2010-11-07"},
		{"2010-11-07T03:01:00Z", "2010-11-07"}, // the clock shows 23:01 of the 6th again
		{"2010-11-07T03:59:59.999Z", "2010-11-07"},
		{"2010-11-08T03:59:59.999Z", "2010-11-07"},
		{"2010-11-08T04:00:00Z", "2010-11-08"},
	} {
		if got := c.DateAt(instant(t, test.at)).String(); got != test.want {
			t.Errorf("DateAt(%s) = %s, want %s", test.at, got, test.want)
		}
	}
}

func TestCalendar_Exists(t *testing.T) {
	c := newCalendar(t, "Pacific/Apia")
	for d, want := range map[Date]bool{
		DateOf(2011, 12, 29): true,
		DateOf(2011, 12, 30): false,
		DateOf(2011, 12, 31): true,
	} {
		if got := c.Exists(d); got != want {
			t.Errorf("Exists(%v) = %v, want %v", d, got, want)
		}
	}
}

func TestCalendar_FixedOffset(t *testing.T) {
	for _, hours := range []int{-23, -12, 0, 14, 23} {
		c := Calendar{Zone: time.FixedZone("", hours*60*60)}
		d := DateOf(2026, 11, 21)
		want := InstantOf(time.Date(2026, 11, 21, -hours, 0, 0, 0, time.UTC))
		if got := c.StartOf(d); got != want {
			t.Errorf("%+d h: StartOf = %v, want %v", hours, got, want)
		}
		if got := c.DateAt(want); got != d {
			t.Errorf("%+d h: DateAt(%v) = %v", hours, want, got)
		}
		if got := c.DateAt(want - 1); got != d-1 {
			t.Errorf("%+d h: DateAt(%v) = %v", hours, want-1, got)
		}
	}
}

func TestCalendar_HotPathDoesNotAllocate(t *testing.T) {
	c := newCalendar(t, "Europe/Berlin")
	i := instant(t, "2026-11-21T19:40:00Z")
	var buf [32]byte
	for name, f := range map[string]func(){
		"OrdinalAt": func() {
			for u := Day; u <= All; u++ {
				c.OrdinalAt(Cycle{Unit: u}, i)
			}
		},
		"OrdinalAt without table": func() { (&Calendar{Zone: c.Zone}).OrdinalAt(Cycle{Unit: Month}, i) },
		"StartOf":                 func() { c.StartOf(c.DateAt(i)) },
		"ParseInstant":            func() { ParseInstant("2026-11-21T20:40:00.123456789+01:00") },
		"ParseInstant refusing":   func() { ParseInstant("2026-11-21T20:40:60Z") },
		"AppendFormat":            func() { i.AppendFormat(buf[:0]) },
	} {
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}
