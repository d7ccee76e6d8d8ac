package oracle_test

import (
	"fmt"
	"testing"
	"time"

	"laurel/internal/oracle"
)

func TestStreak_Grace(t *testing.T) {
	lives{
		{"counts for the day before", daily(1, grace(6)), model("02T10:00 04T05:00"), "04T07:00", "2/2/2 active mmo due 05T06:00 dies 05T06:00"},
		{"not at its end", daily(1, grace(6)), model("02T10:00 04T06:00"), "04T07:00", "1/1/2 active mxm due 06T06:00 dies 06T06:00 lost 1 at 04T06:00"},
		{"keeps the day open", daily(1, grace(6)), model("02T10:00"), "04T05:59", "1/1/1 active mo due 04T06:00 dies 04T06:00"},
		{"then ends it", daily(1, grace(6)), model("02T10:00"), "04T06:00", "0/1/1 broken mxo lost 1 at 04T06:00"},
		{"the second in a row counts for its own day", daily(1, grace(6)), model("02T10:00 04T01:00 04T02:00"), "04T03:00", "3/3/3 active mmm due 06T06:00 dies 06T06:00"},
		{"completes the day before", daily(3, grace(6)), model("02T10:00×3 03T22:00 04T01:00 04T02:00 04T03:00"), "04T04:00",
			"2/2/2 active mmo due 05T06:00 dies 05T06:00 values 3 3 1"},
		{"counts for the day before though that is missed", daily(3, grace(6)), model("02T10:00×3 04T01:00 04T07:00×2"), "04T08:00",
			"0/1/1 broken mxo lost 1 at 04T06:00 values 3 1 2"},
		{"the first activity ever", daily(1, grace(6)), model("04T01:00"), "04T02:00", "1/1/1 active mo due 05T06:00 dies 05T06:00"},
		{"no activity at all", daily(1, grace(6)), model(""), "04T02:00", "0/0/0 none o"},
		{"not for an inactive day", daily(1, grace(6), workdays), model("09T01:00"), "09T02:00", "1/1/1 active m due 11T06:00 dies 11T06:00"},
		{"not for a paused day", daily(1, grace(6)), model("02T10:00 04T01:00", pause("02T10:00", "03", "03")), "04T02:00",
			"2/2/2 active mpm due 06T06:00 dies 06T06:00"},
		{"for a day whose pause was cut", daily(1, grace(6)), model("02T10:00 04T01:00", pause("02T10:00", "03", "03"), cut("02T11:00", "02")), "04T02:00",
			"2/2/2 active mmo due 05T06:00 dies 05T06:00"},
	}.run(t)
}

func TestStreak_Freezes(t *testing.T) {
	lives{
		{"cover a miss", daily(1, freezes(1, 0, 1)), model("02T10:00 04T10:00"), "04T12:00", "2/2/2 active mfm freezes 0/1 due 06T00:00 dies 06T00:00"},
		{"until it is met", daily(1, freezes(1, 0, 1)), model("02T10:00"), "04T12:00", "1/1/1 frozen mfo freezes 0/1 due 05T00:00 dies 05T00:00"},
		{"all or nothing", daily(1, freezes(1, 0, 1)), model("02T10:00"), "05T12:00", "0/1/1 broken mxxo freezes 1/0 lost 1 at 05T00:00"},
		{"the gap before a met day stays covered", daily(1, freezes(2, 0, 2)), model("02T10:00 04T10:00"), "07T12:00",
			"0/2/2 broken mfmxxo freezes 1/1 lost 2 at 07T00:00"},
		{"dies later", daily(1, freezes(2, 0, 2)), model("02T10:00"), "02T12:00", "1/1/1 active m freezes 2/0 due 04T00:00 dies 06T00:00"},
		{"granted before the deadline", daily(1, freezes(0, 0, 2)), model("02T10:00", grant("03T23:59:59", 1)), "04T12:00",
			"1/1/1 frozen mfo freezes 0/1 due 05T00:00 dies 05T00:00"},
		{"granted in the grace", daily(1, freezes(0, 0, 2), grace(6)), model("02T10:00", grant("04T05:00", 1)), "04T12:00",
			"1/1/1 frozen mfo freezes 0/1 due 05T06:00 dies 05T06:00"},
		{"granted at the deadline", daily(1, freezes(0, 0, 2)), model("02T10:00", grant("04T00:00", 1)), "04T12:00",
			"0/1/1 broken mxo freezes 1/0 lost 1 at 04T00:00"},
		{"not granted yet", daily(1, freezes(0, 0, 2)), model("02T10:00", grant("02T12:00", 1)), "02T11:00", "1/1/1 active m due 04T00:00 dies 04T00:00"},
		{"granted beyond max", daily(1, freezes(1, 0, 2)), model("02T10:00", grant("02T11:00", 5)), "02T12:00",
			"1/1/1 active m freezes 2/0 due 04T00:00 dies 06T00:00"},
		{"granted when full is gone for good", daily(1, freezes(1, 0, 1)), model("02T10:00 04T10:00", grant("02T11:00", 1)), "05T12:00",
			"2/2/2 active mfmo freezes 0/1 due 06T00:00 dies 06T00:00"},
		{"granted before any activity", daily(1, freezes(1, 0, 2)), model("", grant("02T11:00", 1)), "02T12:00", "0/0/0 none o freezes 1/0"},
		{"earned while fewer than max", daily(1, freezes(0, 2, 1)), model("02T10:00 03T10:00 04T10:00 05T10:00 07T10:00"), "07T12:00",
			"5/5/5 active mmmmfm freezes 0/1 due 09T00:00 dies 09T00:00"},
		{"earned in one streak", daily(1, freezes(0, 2, 1)), model("02T10:00 04T10:00"), "04T12:00",
			"1/1/2 active mxm due 06T00:00 dies 06T00:00 lost 1 at 04T00:00"},
		{"earned by the open day", daily(1, freezes(0, 2, 1)), model("02T10:00 03T10:00"), "03T12:00", "2/2/2 active mm freezes 1/0 due 05T00:00 dies 06T00:00"},
		{"come back up to max", daily(1, freezes(1, 0, 1)), model("02T10:00", grant("04T06:00", 1)), "06T12:00",
			"0/1/1 broken mxxxo freezes 1/1 lost 1 at 06T00:00"},
		{"none is spent without a streak", daily(2, freezes(1, 0, 1)), model("02T10:00 04T10:00×2"), "04T12:00",
			"1/1/1 active xxm freezes 1/0 due 06T00:00 dies 07T00:00 values 1 0 2"},
	}.run(t)
}

func TestStreak_Pauses(t *testing.T) {
	long := func(orders ...func(*oracle.Model)) *oracle.Model {
		m := model("02T10:00", pause("02T11:00", "03", "06"))
		for _, order := range orders {
			order(m)
		}
		return m
	}
	lives{
		{"bridge", daily(1), model("02T10:00 05T10:00", pause("02T11:00", "03", "04")), "05T12:00", "2/2/2 active mppm due 07T00:00 dies 07T00:00"},
		{"before freezes", daily(1, freezes(1, 0, 1)), model("02T10:00 04T10:00", pause("02T11:00", "03", "03")), "04T12:00",
			"2/2/2 active mpm freezes 1/0 due 06T00:00 dies 07T00:00"},
		{"a met day adds", daily(1), model("02T10:00 03T10:00 05T10:00", pause("02T11:00", "03", "04")), "05T12:00", "3/3/3 active mmpm due 07T00:00 dies 07T00:00"},
		{"are the state", daily(1), long(), "04T12:00", "1/1/1 paused mpp due 08T00:00 dies 08T00:00"},
		{"are the state of a met day too", daily(1), model("02T10:00", pause("02T09:00", "02", "03")), "02T12:00", "1/1/1 paused m due 05T00:00 dies 05T00:00"},
		{"are the state without a streak", daily(1), model("", pause("02T11:00", "03", "06")), "04T12:00", "0/0/0 paused p"},
		{"cut, before that is known", daily(1), long(cut("04T12:00", "03")), "04T11:00", "1/1/1 paused mpp due 08T00:00 dies 08T00:00"},
		{"cut", daily(1), long(cut("04T12:00", "03")), "04T12:00", "1/1/1 active mpo due 05T00:00 dies 05T00:00"},
		{"cut before they begin", daily(1), long(cut("02T12:00", "01")), "03T12:00", "1/1/1 active mo due 04T00:00 dies 04T00:00"},
		{"a date of a week", daily(1, weekly), model("04T10:00 17T10:00", pause("05T10:00", "11", "11")), "17T12:00", "2/2/2 active mpm due 30T00:00 dies 30T00:00"},
		{"before the first met day", daily(2), model("02T10:00 04T10:00×2", pause("02T11:00", "03", "03")), "04T12:00",
			"1/1/1 active xpm due 06T00:00 dies 06T00:00 values 1 0 2"},
		{"an inactive day is inactive", daily(1, holiday), model("02T10:00", pause("02T11:00", "03", "04")), "04T12:00", "1/1/1 paused mip due 06T00:00 dies 06T00:00"},
		{"outage over midnight", daily(1), model("02T10:00 05T10:00", outage("05T09:00", "03T23:00", "04T01:00")), "05T12:00",
			"2/2/2 active mppm due 07T00:00 dies 07T00:00"},
		{"outage up to midnight", daily(1), model("02T10:00 05T10:00", outage("05T09:00", "03T23:00", "04T00:00")), "05T12:00",
			"1/1/2 active mpxm due 07T00:00 dies 07T00:00 lost 1 at 05T00:00"},
		{"outage not known yet", daily(1), model("02T10:00 05T10:00", outage("05T13:00", "03T23:00", "04T01:00")), "05T12:00",
			"1/1/2 active mxxm due 07T00:00 dies 07T00:00 lost 1 at 04T00:00"},
		{"outage taken back", daily(1), model("02T10:00 05T10:00", outage("05T09:00", "03T23:00", "04T01:00"), removed("05T10:00")), "05T12:00",
			"1/1/2 active mxxm due 07T00:00 dies 07T00:00 lost 1 at 04T00:00"},
	}.run(t)
}

func TestStreak_Restores(t *testing.T) {
	twice := "02T10:00 03T10:00 06T10:00"
	lives{
		{"before", daily(1), model(twice, restore("06T12:00", "04", "05")), "06T11:00", "1/2/3 active mmxxm due 08T00:00 dies 08T00:00 lost 2 at 05T00:00"},
		{"a gap", daily(1), model(twice, restore("06T12:00", "04", "05")), "06T12:00", "3/3/3 active mmrrm due 08T00:00 dies 08T00:00"},
		{"up to the open day", daily(1), model("02T10:00 03T10:00", restore("06T12:00", "04", "05")), "06T12:00", "2/2/2 active mmrro due 07T00:00 dies 07T00:00"},
		{"costs no freeze", daily(1, freezes(1, 0, 1)), model(twice, restore("06T12:00", "04", "05")), "06T12:00",
			"3/3/3 active mmrrm freezes 1/0 due 08T00:00 dies 09T00:00"},
		{"earns what the longer streak earns", daily(1, freezes(0, 3, 1)), model(twice, restore("06T12:00", "04", "05")), "06T12:00",
			"3/3/3 active mmrrm freezes 1/0 due 08T00:00 dies 09T00:00"},
		{"not the whole gap", daily(1), model(twice, restore("06T12:00", "04", "04")), "06T12:00", "1/2/3 active mmrxm due 08T00:00 dies 08T00:00 lost 2 at 06T00:00"},
		{"nothing to bridge", daily(2), model("02T10:00 04T10:00×2", restore("04T11:00", "02", "03")), "04T12:00",
			"1/1/1 active xxm due 06T00:00 dies 06T00:00 values 1 0 2"},
	}.run(t)
}

func TestStreak_OnMiss(t *testing.T) {
	lives{
		{"decay", daily(1, decay(1)), model("02T10:00 03T10:00 04T10:00 06T10:00"), "06T12:00", "3/3/4 active mmmxm due 08T00:00 dies 10T00:00"},
		{"decay to nothing", daily(1, decay(2)), model("02T10:00 03T10:00"), "05T12:00", "0/2/2 broken mmxo lost 2 at 05T00:00"},
		{"decay after freezes", daily(1, decay(1), freezes(1, 0, 1)), model("02T10:00 03T10:00"), "06T12:00",
			"1/2/2 active mmfxo freezes 0/1 due 07T00:00 dies 07T00:00"},
		{"decay returns freezes at the end", daily(1, decay(1), freezes(1, 0, 1)), model("02T10:00 03T10:00"), "07T12:00",
			"0/2/2 broken mmxxxo freezes 1/0 lost 1 at 07T00:00"},
		{"decay and freezes counted", daily(1, decay(1), freezes(1, 0, 1)), model("02T10:00 03T10:00"), "03T12:00",
			"2/2/2 active mm freezes 1/0 due 05T00:00 dies 07T00:00"},
		{"none", daily(1, none, freezes(1, 0, 1), lead(24)), model("02T10:00 05T10:00"), "06T12:00", "2/2/2 active mxxmo freezes 1/0"},
	}.run(t)
}

func TestStreak_Days(t *testing.T) {
	lives{
		{"a holiday bridges", daily(1, holiday), model("02T10:00 04T10:00"), "04T12:00", "2/2/2 active mim due 06T00:00 dies 06T00:00"},
		{"nothing counts on it", daily(1, holiday), model("02T10:00 03T10:00 04T10:00"), "04T12:00", "2/2/2 active mim due 06T00:00 dies 06T00:00"},
		{"it is not due", daily(1, holiday), model("02T10:00"), "03T12:00", "1/1/1 active mi due 05T00:00 dies 05T00:00"},
		{"at risk", daily(1, lead(4)), model("02T10:00"), "03T20:00", "1/1/1 at_risk mo due 04T00:00 dies 04T00:00"},
		{"not yet at risk", daily(1, lead(4)), model("02T10:00"), "03T19:59", "1/1/1 active mo due 04T00:00 dies 04T00:00"},
		{"own target from the next day", daily(1, raised), model("02T10:00 03T10:00", target("02T09:00", "03", 2)), "04T12:00", "0/1/1 broken mxo lost 1 at 04T00:00"},
		{"own target met", daily(1, raised), model("02T10:00 03T10:00×2", target("02T09:00", "03", 2)), "03T12:00",
			"2/2/2 active mm due 05T00:00 dies 05T00:00 values 1 2"},
		{"own target, not above max", daily(1, raised), model("02T10:00 03T10:00×3", target("02T09:00", "03", 9)), "03T12:00",
			"2/2/2 active mm due 05T00:00 dies 05T00:00 values 1 3"},
		{"own target given up", daily(1, raised), model("02T10:00 03T10:00 04T10:00", target("02T09:00", "03", 2), target("03T09:00", "04", 0)), "04T12:00",
			"1/1/2 active mxm due 06T00:00 dies 06T00:00 lost 1 at 04T00:00"},
		{"own target where the rule has none", daily(1), model("02T10:00 03T10:00", target("02T09:00", "03", 2)), "03T12:00", "2/2/2 active mm due 05T00:00 dies 05T00:00"},
		{"opted out", daily(1), model("02T10:00", optOut("02T12:00", true)), "02T13:00", "0/0/0 none o"},
		{"opted in again", daily(1), model("02T10:00", optOut("02T12:00", true), optOut("02T14:00", false)), "02T14:00", "1/1/1 active m due 04T00:00 dies 04T00:00"},
	}.run(t)
}

func TestStreak_OwnTargetIsShown(t *testing.T) {
	v := model("02T10:00", target("02T09:00", "03", 2)).Streak(daily(1, raised), "u", at("03T12:00"))
	if a, b := v.History[0].Target, v.History[1].Target; a != 1 || b != 2 {
		t.Errorf("targets %d and %d, want 1 and 2", a, b)
	}
}

func TestStreak_Past(t *testing.T) {
	m := model("02T10:00 03T10:00 05T10:00 07T10:00")
	v := m.Streak(daily(1), "u", at("09T12:00"))
	got := fmt.Sprintln(v.Past[0].Length, v.Past[0].First, v.Past[0].Last, short(v.Past[0].At), len(v.Past), v.Lost == v.Past[2], v.Longest.Last)
	if want := "2 2026-11-02 2026-11-03 05T00:00 3 true 2026-11-03\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStreak_Zones(t *testing.T) {
	both := "02T10:00 03T10:00"
	lives{
		{"eastward", daily(1, user), model(both, moves("03T12:00", "Asia/Tokyo")), "03T13:00", "2/2/2 active mm due 05T00:00 dies 05T00:00"},
		{"eastward, the next day is met late", daily(1, user), model(both+" 04T20:00", moves("03T12:00", "Asia/Tokyo")), "04T21:00",
			"3/3/3 active mmmo due 05T15:00 dies 05T15:00"},
		{"eastward, it stays open", daily(1, user), model(both, moves("03T12:00", "Asia/Tokyo")), "04T21:00", "2/2/2 active mmo due 05T00:00 dies 05T00:00"},
		{"eastward, it is missed", daily(1, user), model(both, moves("03T12:00", "Asia/Tokyo")), "05T00:00", "0/2/2 broken mmxo lost 2 at 05T00:00"},
		{"eastward, with grace", daily(1, user, grace(2)), model(both, moves("03T12:00", "Asia/Tokyo")), "04T21:00", "2/2/2 active mmo due 05T02:00 dies 05T02:00"},
		{"westward", daily(1, user), model(both, moves("03T12:00", "Pacific/Honolulu")), "03T13:00", "2/2/2 active mm due 05T10:00 dies 05T10:00"},
		{"westward, the running day is longer", daily(1, user), model("02T10:00 04T09:59", moves("03T12:00", "Pacific/Honolulu")), "04T11:00",
			"2/2/2 active mmo due 05T10:00 dies 05T10:00"},
		{"eastward over a day that is none", daily(1, user), model("02T20:00 03T11:30", moves("01T00:00", "Pacific/Pago_Pago"), moves("03T12:00", "Pacific/Kiritimati")),
			"03T13:00", "2/2/2 active mm due 06T10:00 dies 06T10:00"},
		{"westward, then eastward on the same day: the latest of all ends holds", daily(1, user),
			model(both, moves("03T12:00", "Pacific/Honolulu"), moves("03T13:00", "Asia/Tokyo")), "03T14:00", "2/2/2 active mm due 05T10:00 dies 05T10:00"},
		{"westward, then eastward on the same day: it runs on", daily(1, user),
			model("02T10:00 04T09:59", moves("03T12:00", "Pacific/Honolulu"), moves("03T13:00", "Asia/Tokyo")), "04T10:00", "2/2/2 active mmo due 05T10:00 dies 05T10:00"},
		{"eastward in a week", daily(1, user, weekly), model("04T10:00", moves("05T12:00", "Asia/Tokyo")), "05T13:00", "1/1/1 active m due 16T00:00 dies 16T00:00"},
	}.run(t)
}

// TestStreak_NoChangeOfZoneMakesADeadlineComeEarlier tries all of many changes in a day that is met, and in one that is not.
func TestStreak_NoChangeOfZoneMakesADeadlineComeEarlier(t *testing.T) {
	names := []string{"UTC", "Pacific/Pago_Pago", "Pacific/Honolulu", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Apia", "Pacific/Kiritimati"}
	for _, rule := range []*oracle.Streak{daily(1, user), daily(1, user, grace(5))} {
		for _, from := range names {
			for _, to := range names {
				for hour := range 48 {
					did := model("02T20:00 03T20:00 04T20:00", moves("01T00:00", from))
					now := at("04T21:00").Add(time.Duration(hour) * time.Hour)
					for _, next := range []string{to, names[hour%len(names)]} { // and at once once more
						before := did.Streak(rule, "u", now)
						did.Zones["u"] = append(did.Zones["u"], oracle.ZoneChange{At: now, Zone: zone(next)})
						after := did.Streak(rule, "u", now)
						_, west := now.In(zone(from)).Zone()
						_, east := now.In(zone(to)).Zone()
						broughtBack := len(did.Zones["u"]) == 3 && east-west >= 24*3600 // the first change skipped a date, which the second one makes due again
						if after.Current.Length != before.Current.Length || after.Deadline.Before(before.Deadline) && !broughtBack {
							t.Errorf("%s to %s to %s at %s, grace %v: %s, then %s", from, to, next, short(now), rule.Grace, summary(&before), summary(&after))
						}
						now = now.Add(time.Minute)
					}
				}
			}
		}
	}
}

func TestStreak_Event(t *testing.T) {
	lives{
		{"deadline at the latest offset", daily(1, event), model("02T10:00+09:00 03T10:00+09:00"), "03T10:00", "2/2/2 active mm due 04T15:00 dies 04T15:00"},
		{"the latest offset decides what is open", daily(1, event), model("02T10:00+09:00 03T10:00-10:00"), "04T09:00", "2/2/2 active mm due 05T10:00 dies 05T10:00"},
		{"a day before one with an activity is over", daily(1, event), model("02T10:00 04T00:30+14:00 02T23:45-12:00"), "03T12:30",
			"1/1/2 active mxm due 06T12:00 dies 06T12:00 lost 1 at 04T12:00 values 2 0 1"},
		{"grace at the activity's own offset", daily(1, event, grace(3)), model("02T10:00 04T02:00+09:00"), "03T18:00", "2/2/2 active mmo due 04T18:00 dies 04T18:00"},
		{"grace keeps the day open after an activity in it", daily(3, event, grace(6)), model("02T10:00×3 03T22:00 04T01:00"), "04T02:00",
			"1/1/1 active mo due 04T06:00 dies 04T06:00 values 3 2"},
		{"frozen at the latest offset", daily(1, event, freezes(0, 0, 1)), model("02T10:00-10:00", grant("04T09:59", 1)), "04T10:00",
			"1/1/1 frozen mfo freezes 0/1 due 05T10:00 dies 05T10:00"},
		{"no activity: the org's zone", daily(1, event, grace(6)), model(""), "04T05:00", "0/0/0 none o"},
	}.run(t)
}
