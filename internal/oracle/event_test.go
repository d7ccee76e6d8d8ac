package oracle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/oracle"
)

// told are events as "type period at length returned", one after the other.
func told(events []oracle.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%s %s %s %d %d", e.Type, strings.TrimPrefix(e.Period, "2026-11-"), short(e.At), e.Length, e.Returned))
	}
	return strings.Join(all, ", ")
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name     string
		rule     *oracle.Streak
		m        *oracle.Model
		from, to string
		want     string
	}{
		{"a freeze, then the end", daily(1, lead(4), freezes(1, 0, 1)), model("02T10:00"), "02T12:00", "07T00:00",
			"at_risk 03 03T20:00 1 0, frozen 03 04T00:00 1 0, lost 04 05T00:00 1 1"},
		{"after from, not after to", daily(1, lead(4)), model("02T10:00"), "03T20:00", "04T00:00", "lost 03 04T00:00 1 0"},
		{"before to", daily(1, lead(4)), model("02T10:00"), "02T12:00", "03T23:59", "at_risk 03 03T20:00 1 0"},
		{"a lead longer than a day", daily(1, lead(40)), model("02T10:00"), "02T12:00", "04T00:00", "at_risk 03 03T00:00 1 0, lost 03 04T00:00 1 0"},
		{"a pause", daily(1, lead(4)), model("02T10:00 03T10:00", pause("03T11:00", "04", "05")), "03T12:00", "08T00:00",
			"paused 04 04T00:00 2 0, resumed 06 06T00:00 2 0, at_risk 06 06T20:00 2 0, lost 06 07T00:00 2 0"},
		{"a weekend in a pause", daily(1, workdays), model("06T10:00", pause("06T11:00", "06", "09")), "06T12:00", "10T12:00", "resumed 10 10T00:00 1 0"},
		{"a pause after a miss in grace", daily(1, grace(6), freezes(1, 0, 1)), model("02T10:00", pause("02T11:00", "04", "04")), "02T12:00", "07T00:00",
			"frozen 03 04T06:00 1 0, paused 04 04T06:00 1 0, resumed 05 05T00:00 1 0, lost 05 06T06:00 1 1"},
		{"a pause without a streak", daily(1), model("", pause("02T11:00", "04", "04")), "02T12:00", "07T00:00", ""},
		{"decay", daily(1, decay(1)), model("02T10:00 03T10:00"), "03T12:00", "08T00:00", "decayed 04 05T00:00 1 0, lost 05 06T00:00 1 0"},
		{"none", daily(1, none, lead(4)), model("02T10:00"), "02T12:00", "08T00:00", ""},
		{"opted out", daily(1), model("02T10:00", optOut("02T11:00", true)), "02T12:00", "08T00:00", ""},
		{"a command to come is not known", daily(1), model("02T10:00", pause("02T13:00", "03", "03")), "02T12:00", "04T12:00", "lost 03 04T00:00 1 0"},
		{"mode event", daily(1, event, lead(1)), model("02T10:00-10:00"), "02T22:00", "05T00:00", "at_risk 03 04T09:00 1 0, lost 03 04T10:00 1 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(c.m.Events(c.rule, "u", at(c.from), at(c.to))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func drawRule(t *rapid.T) *oracle.Streak {
	s := daily(rapid.Int64Range(1, 2).Draw(t, "target"), grace(rapid.SampledFrom([]int{0, 0, 6, 20}).Draw(t, "grace")), lead(rapid.SampledFrom([]int{0, 5, 30}).Draw(t, "lead")))
	most := rapid.IntRange(0, 3).Draw(t, "max")
	freezes(rapid.IntRange(0, most).Draw(t, "initial"), rapid.IntRange(0, 3).Draw(t, "earn"), most)(s)
	s.Mode = rapid.SampledFrom([]string{"org", "user", "event"}).Draw(t, "mode")
	s.Unit = rapid.SampledFrom([]oracle.Cycle{{Unit: "day"}, {Unit: "day"}, {Unit: "days", N: 2, From: at("01")}}).Draw(t, "unit")
	s.OnMiss, s.Decay, s.MaxTarget = rapid.SampledFrom([]string{"reset", "reset", "decay", "none"}).Draw(t, "on miss"), rapid.IntRange(1, 2).Draw(t, "decay"), 3
	if rapid.Bool().Draw(t, "days off") {
		workdays(s)
		holiday(s)
	}
	return s
}

func drawModel(t *rapid.T) *oracle.Model {
	moment := func(what string) string {
		return at("01").Add(time.Duration(rapid.IntRange(0, 12*24).Draw(t, what)) * time.Hour).Format("02T15:04")
	}
	date := func(what string) string { return fmt.Sprintf("%02d", rapid.IntRange(1, 14).Draw(t, what)) }
	var did []string
	for range rapid.IntRange(0, 14).Draw(t, "activities") {
		did = append(did, moment("at")+rapid.SampledFrom([]string{"+00:00", "-10:00", "+14:00"}).Draw(t, "offset"))
	}
	var orders []func(*oracle.Model)
	for range rapid.IntRange(0, 4).Draw(t, "orders") {
		when := moment("ordered")
		orders = append(orders, rapid.SampledFrom([]func(*oracle.Model){
			grant(when, rapid.IntRange(1, 3).Draw(t, "granted")), restore(when, date("first"), date("last")), pause(when, date("from"), date("to")),
			outage(when, moment("begin"), moment("end")), target(when, date("from"), rapid.Int64Range(0, 3).Draw(t, "own")), optOut(when, rapid.Bool().Draw(t, "out")),
		}).Draw(t, "order"))
	}
	if rapid.Bool().Draw(t, "moved") {
		orders = append(orders, moves(moment("moved"), rapid.SampledFrom([]string{"Asia/Tokyo", "Pacific/Honolulu", "Pacific/Kiritimati"}).Draw(t, "zone")))
	}
	return model(strings.Join(did, " "), orders...)
}

// TestEvents_AreThoseOfEachPart: whoever looks twice is told the same as who looks once, and what is shown after each event bears it out.
func TestEvents_AreThoseOfEachPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule, m := drawRule(t), drawModel(t)
		from := at("14T00:00")
		to := from.Add(time.Duration(rapid.IntRange(1, 150).Draw(t, "hours")) * time.Hour)
		middle := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from))).Draw(t, "middle"))).Truncate(time.Millisecond)
		whole, parts := told(m.Events(rule, "u", from, to)), told(append(m.Events(rule, "u", from, middle), m.Events(rule, "u", middle, to)...))
		if whole != parts {
			t.Fatalf("split at %s\nwhole %s\nparts %s", middle, whole, parts)
		}
		for _, e := range m.Events(rule, "u", from, to) {
			v := m.Streak(rule, "u", e.At)
			if e.Type == "lost" && v.Lost.At.After(e.At) || e.Type == "paused" && v.State != "paused" || e.Type == "at_risk" && v.State != "at_risk" {
				t.Fatalf("%s is told, but shown is %s", told([]oracle.Event{e}), summary(&v))
			}
		}
	})
}

// TestStreak_HoldsTogether: what must be so of any view.
func TestStreak_HoldsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule, m := drawRule(t), drawModel(t)
		now := at("01").Add(time.Duration(rapid.IntRange(0, 20*24).Draw(t, "now")) * time.Hour)
		v := m.Streak(rule, "u", now)
		switch {
		case v.Current.Length > v.Longest.Length || v.Longest.Length > v.Total:
			t.Fatal("lengths", summary(&v))
		case v.Held < 0 || v.Used < 0 || v.Held > rule.Freezes.Max:
			t.Fatal("freezes", summary(&v))
		case !v.Deadline.IsZero() && (!v.Deadline.After(now) || v.DiesAt.Before(v.Deadline)):
			t.Fatal("a streak that should be over", now, summary(&v))
		case len(v.Past) > 0 && rule.OnMiss == "none":
			t.Fatal("ended", summary(&v))
		}
		if !v.DiesAt.IsZero() && v.Current.Length > 0 && rule.Mode != "event" && len(m.Zones["u"]) == 0 {
			before, after := m.Events(rule, "u", now, v.DiesAt.Add(-time.Millisecond)), m.Events(rule, "u", now, v.DiesAt)
			if strings.Contains(told(before), "lost") || !strings.Contains(told(after), "lost") && now.After(at("13T00:00")) {
				t.Fatalf("dies at %s, but %s, then %s", short(v.DiesAt), told(before), told(after))
			}
		}
	})
}
