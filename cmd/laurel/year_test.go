package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const yearCatalog = `
orgs:
  - id: club
    timezone: UTC
    streaks:
      - {id: daily, when: {name: run}, unit: day, timezone: user, target: 1, user_target: {max: 3}, at_risk: 4h, restore_window: 3d,
         freezes: {earn_every: 5, max: 2}, milestones: [{at: 3}]}
      - {id: swims, when: {name: swim}, unit: week, timezone: org, target: 2, grace: 6h}
`

// yearSheet is what ada does in 2026, worked out by hand from docs/STREAKS.md. A line that begins with a date is the instant (UTC) and what is done at it. Below
// stands what a streak must show then: rule current/longest state, open period value/target, until deadline, dies dies_at, freezes held-used, and its last
// seven periods (M met, F frozen, P paused, R restored, - missed, O open); lines with > are the events since the line before, in order: when, rule, type, period,
// current, and what else belongs to the type.
const yearSheet = `
# Days in Berlin end at 23:00 UTC in winter, and the lead of 4 h begins at 19:00.
2026-01-05 07:00 run
	daily 1/1 active, open 2026-01-05 1/1, until 01-06 23:00, dies 01-06 23:00, freezes 0-0, M
	> 01-05 07:00 daily started 2026-01-05 1
2026-01-05 10:00 swim
	swims 0/0 none, open 2026-W02 1/2, until -, dies -, freezes 0-0, O
2026-01-06 07:00 run
	daily 2/2 active, open 2026-01-06 1/1, until 01-07 23:00, dies 01-07 23:00, freezes 0-0, MM
	> 01-06 07:00 daily extended 2026-01-06 2
2026-01-07 20:00
	daily 2/2 at_risk, open 2026-01-07 0/1, until 01-07 23:00, dies 01-07 23:00, freezes 0-0, MMO
	> 01-07 19:00 daily at_risk 2026-01-07 2
2026-01-07 21:00 run
	daily 3/3 active, open 2026-01-07 1/1, until 01-08 23:00, dies 01-08 23:00, freezes 0-0, MMM
	> 01-07 21:00 daily extended 2026-01-07 3
	> 01-07 21:00 daily milestone 2026-01-07 3 milestone 3
2026-01-08 07:00 run
	daily 4/4 active, open 2026-01-08 1/1, until 01-09 23:00, dies 01-09 23:00, freezes 0-0, MMMM
	> 01-08 07:00 daily extended 2026-01-08 4
# The fifth met day earns a freeze, with which the streak would last a day longer.
2026-01-09 07:00 run
	daily 5/5 active, open 2026-01-09 1/1, until 01-10 23:00, dies 01-11 23:00, freezes 1-0, MMMMM
	> 01-09 07:00 daily extended 2026-01-09 5
	> 01-09 07:00 daily freeze_earned 2026-01-09 5 held 1
# Nothing on the 10th: the earned freeze covers it.
2026-01-11 10:00
	daily 5/5 frozen, open 2026-01-11 0/1, until 01-11 23:00, dies 01-11 23:00, freezes 0-1, MMMMMFO
	> 01-10 19:00 daily at_risk 2026-01-10 5
	> 01-10 23:00 daily frozen 2026-01-10 5 held 0
2026-01-11 11:00 run
	daily 6/6 active, open 2026-01-11 1/1, until 01-12 23:00, dies 01-12 23:00, freezes 0-1, MMMMMFM
	> 01-11 11:00 daily extended 2026-01-11 6
# The week ended in the org's zone at Monday 00:00, with one swim; in the 6 h of grace Monday's counts for that week, and not for its own.
2026-01-12 04:00
	swims 0/0 none, open 2026-W02 1/2, until -, dies -, freezes 0-0, O
2026-01-12 05:00 swim
	swims 1/1 active, open 2026-W03 0/2, until 01-19 06:00, dies 01-19 06:00, freezes 0-0, MO
	> 01-12 05:00 swims started 2026-W02 1
# A freeze is granted, and covers the 12th.
2026-01-12 07:00 freezes 1
	daily 6/6 active, open 2026-01-12 0/1, until 01-12 23:00, dies 01-13 23:00, freezes 1-1, MMMMFMO
2026-01-13 08:00
	daily 6/6 frozen, open 2026-01-13 0/1, until 01-13 23:00, dies 01-13 23:00, freezes 0-2, MMMFMFO
	> 01-12 19:00 daily at_risk 2026-01-12 6
	> 01-12 23:00 daily frozen 2026-01-12 6 held 0
2026-01-13 09:00 run
	daily 7/7 active, open 2026-01-13 1/1, until 01-14 23:00, dies 01-14 23:00, freezes 0-2, MMMFMFM
	> 01-13 09:00 daily extended 2026-01-13 7
2026-01-14 07:00 run
	daily 8/8 active, open 2026-01-14 1/1, until 01-15 23:00, dies 01-15 23:00, freezes 0-2, MMFMFMM
	> 01-14 07:00 daily extended 2026-01-14 8
# A pause: the next day that has to be met is the 21st. Both weeks that it touches are paused, the running one at once.
2026-01-14 08:00 pause 2026-01-15 2026-01-20
	daily 8/8 active, open 2026-01-14 1/1, until 01-21 23:00, dies 01-21 23:00, freezes 0-2, MMFMFMM
	swims 1/1 paused, open 2026-W03 0/2, until 02-02 06:00, dies 02-02 06:00, freezes 0-0, MP
	> 01-14 08:00 swims paused 2026-W03 1
2026-01-16 12:00
	daily 8/8 paused, open 2026-01-16 0/1, until 01-21 23:00, dies 01-21 23:00, freezes 0-2, FMFMMPP
	> 01-14 23:00 daily paused 2026-01-15 8
# A day that is met counts also while paused.
2026-01-17 09:00 run
	daily 9/9 paused, open 2026-01-17 1/1, until 01-21 23:00, dies 01-21 23:00, freezes 0-2, MFMMPPM
	> 01-17 09:00 daily extended 2026-01-17 9
2026-01-21 07:00
	daily 9/9 active, open 2026-01-21 0/1, until 01-21 23:00, dies 01-21 23:00, freezes 0-2, PPMPPPO
	> 01-20 23:00 daily resumed 2026-01-21 9
# The tenth: another freeze.
2026-01-21 08:00 run
	daily 10/10 active, open 2026-01-21 1/1, until 01-22 23:00, dies 01-23 23:00, freezes 1-2, PPMPPPM
	> 01-21 08:00 daily extended 2026-01-21 10
	> 01-21 08:00 daily freeze_earned 2026-01-21 10 held 1
# Nothing on the 22nd and 23rd: the freeze covers the first, the second ends the streak, and the freeze comes back. No lead on the 23rd: it is frozen then.
2026-01-24 08:00
	daily 0/10 broken, open 2026-01-24 0/1, until -, dies -, freezes 1-2, PPPM--O
	> 01-22 19:00 daily at_risk 2026-01-22 10
	> 01-22 23:00 daily frozen 2026-01-22 10 held 0
	> 01-23 23:00 daily lost 2026-01-23 0 length 10 returned 1
2026-01-24 09:00 run
	daily 1/10 active, open 2026-01-24 1/1, until 01-25 23:00, dies 01-26 23:00, freezes 1-2, PPPM--M
	> 01-24 09:00 daily started 2026-01-24 1
# Eleven hours after the end it can be restored: both days are bridged, 10 + 1.
2026-01-24 10:00 restore
	daily 11/11 active, open 2026-01-24 1/1, until 01-25 23:00, dies 01-26 23:00, freezes 1-2, PPPMRRM
	> 01-24 10:00 daily restored 11
# Without the 21st there is no tenth day and no freeze for it: the streak of 9 ended then, the restore has none to bridge, and the 24th began another.
2026-01-24 11:00 reject run 2026-01-21 08:00
	daily 1/9 active, open 2026-01-24 1/1, until 01-25 23:00, dies 01-25 23:00, freezes 0-2, PPP---M
	> 01-24 11:00 daily undone extended 1
	> 01-24 11:00 daily undone freeze_earned 1
2026-01-26 06:00
	daily 0/9 broken, open 2026-01-26 0/1, until -, dies -, freezes 0-2, P---M-O
	swims 1/1 active, open 2026-W05 0/2, until 02-02 06:00, dies 02-02 06:00, freezes 0-0, MPPO
	> 01-25 19:00 daily at_risk 2026-01-25 1
	> 01-25 23:00 daily lost 2026-01-25 0 length 1 returned 0
	> 01-26 00:00 swims resumed 2026-W05 1
# Clocks go forward in the night to 29 March: that day has 23 hours, and days end at 22:00 UTC from then on.
2026-03-27 07:00 run
	daily 1/9 active, open 2026-03-27 1/1, until 03-28 23:00, dies 03-28 23:00, freezes 0-2, ------M
	swims 0/1 broken, open 2026-W13 0/2, until -, dies -, freezes 0-0, ------O
	> 02-02 06:00 swims lost 2026-W05 0 length 1 returned 0
	> 03-27 07:00 daily started 2026-03-27 1
2026-03-28 07:00 run
	daily 2/9 active, open 2026-03-28 1/1, until 03-29 22:00, dies 03-29 22:00, freezes 0-2, -----MM
	> 03-28 07:00 daily extended 2026-03-28 2
2026-03-29 18:30
	daily 2/9 at_risk, open 2026-03-29 0/1, until 03-29 22:00, dies 03-29 22:00, freezes 0-2, ----MMO
	> 03-29 18:00 daily at_risk 2026-03-29 2
# The milestone is told the first time ever only.
2026-03-29 21:59 run
	daily 3/9 active, open 2026-03-29 1/1, until 03-30 22:00, dies 03-30 22:00, freezes 0-2, ----MMM
	> 03-29 21:59 daily extended 2026-03-29 3
2026-03-30 22:00
	daily 0/9 broken, open 2026-03-31 0/1, until -, dies -, freezes 0-2, --MMM-O
	> 03-30 18:00 daily at_risk 2026-03-30 3
	> 03-30 22:00 daily lost 2026-03-30 0 length 3 returned 0
2026-06-01 07:00 run
	daily 1/9 active, open 2026-06-01 1/1, until 06-02 22:00, dies 06-02 22:00, freezes 0-2, ------M
	> 06-01 07:00 daily started 2026-06-01 1
2026-06-02 07:00 run
	daily 2/9 active, open 2026-06-02 1/1, until 06-03 22:00, dies 06-03 22:00, freezes 0-2, -----MM
	> 06-02 07:00 daily extended 2026-06-02 2
# Westward: the running day goes on until midnight in New York, at 04:00 UTC; what is done before that is still of it.
2026-06-02 08:00 zone America/New_York
	daily 2/9 active, open 2026-06-02 1/1, until 06-04 04:00, dies 06-04 04:00, freezes 0-2, -----MM
2026-06-03 02:00 run
	daily 2/9 active, open 2026-06-02 2/1, until 06-04 04:00, dies 06-04 04:00, freezes 0-2, -----MM
2026-06-04 03:00 run
	daily 3/9 active, open 2026-06-03 1/1, until 06-05 04:00, dies 06-05 04:00, freezes 0-2, ----MMM
	> 06-04 00:00 daily at_risk 2026-06-03 2
	> 06-04 03:00 daily extended 2026-06-03 3
# Eastward: the running day ends as it would have, and the one after it can also be met as long as in New York, until 04:00 of the 6th.
2026-06-04 12:00 zone Europe/Berlin
	daily 3/9 active, open 2026-06-04 0/1, until 06-05 04:00, dies 06-05 04:00, freezes 0-2, ---MMMO
2026-06-04 13:00 run
	daily 4/9 active, open 2026-06-04 1/1, until 06-06 04:00, dies 06-06 04:00, freezes 0-2, ---MMMM
	> 06-04 13:00 daily extended 2026-06-04 4
2026-06-06 03:00
	daily 4/9 at_risk, open 2026-06-05 0/1, until 06-06 04:00, dies 06-06 04:00, freezes 0-2, --MMMMO
	> 06-06 00:00 daily at_risk 2026-06-05 4
# It is the 6th in Berlin, but the 5th can still be met, as the fifth day of this streak.
2026-06-06 03:30 run
	daily 5/9 active, open 2026-06-06 0/1, until 06-06 22:00, dies 06-07 22:00, freezes 1-2, -MMMMMO
	> 06-06 03:30 daily extended 2026-06-05 5
	> 06-06 03:30 daily freeze_earned 2026-06-05 5 held 1
# Out of the streak nothing is shown or told, but what is done counts once it is shown again.
2026-06-06 10:00 opted_out true
	daily 0/0 none, open 2026-06-06 0/1, until -, dies -, freezes 0-0, O
2026-06-06 11:00 run
	daily 0/0 none, open 2026-06-06 0/1, until -, dies -, freezes 0-0, O
2026-06-06 12:00 opted_out false
	daily 6/9 active, open 2026-06-06 1/1, until 06-07 22:00, dies 06-08 22:00, freezes 1-2, -MMMMMM
2026-06-08 12:00
	daily 6/9 frozen, open 2026-06-08 0/1, until 06-08 22:00, dies 06-08 22:00, freezes 0-3, MMMMMFO
	> 06-07 18:00 daily at_risk 2026-06-07 6
	> 06-07 22:00 daily frozen 2026-06-07 6 held 0
# There had been an outage, which touches the 7th and the 8th: the freeze was not needed.
2026-06-08 12:30 outage 2026-06-07T10:00:00Z 2026-06-08T06:00:00Z
	daily 6/9 paused, open 2026-06-08 0/1, until 06-09 22:00, dies 06-10 22:00, freezes 1-2, MMMMMPP
	> 06-08 12:30 daily undone frozen 6
	> 06-08 12:30 daily paused 2026-06-08 6
2026-06-09 05:00
	daily 6/9 active, open 2026-06-09 0/1, until 06-09 22:00, dies 06-10 22:00, freezes 1-2, MMMMPPO
	> 06-08 22:00 daily resumed 2026-06-09 6
2026-06-09 06:00 run
	daily 7/9 active, open 2026-06-09 1/1, until 06-10 22:00, dies 06-11 22:00, freezes 1-2, MMMMPPM
	> 06-09 06:00 daily extended 2026-06-09 7
# An own target counts from the next day on.
2026-06-09 07:00 target 2
	daily 7/9 active, open 2026-06-09 1/1, until 06-10 22:00, dies 06-11 22:00, freezes 1-2, MMMMPPM
2026-06-10 06:00 run
	daily 7/9 active, open 2026-06-10 1/2, until 06-10 22:00, dies 06-11 22:00, freezes 1-2, MMMPPMO
2026-06-10 08:00 run
	daily 8/9 active, open 2026-06-10 2/2, until 06-11 22:00, dies 06-12 22:00, freezes 1-2, MMMPPMM
	> 06-10 08:00 daily extended 2026-06-10 8
2026-06-10 09:00 target null
	daily 8/9 active, open 2026-06-10 2/2, until 06-11 22:00, dies 06-12 22:00, freezes 1-2, MMMPPMM
2026-06-11 06:00 run
	daily 9/9 active, open 2026-06-11 1/1, until 06-12 22:00, dies 06-13 22:00, freezes 1-2, MMPPMMM
	> 06-11 06:00 daily extended 2026-06-11 9
# The tenth day of this streak (1 to 6, 9 to 12 June) earns a freeze, and passes the longest one before.
2026-06-12 06:00 run
	daily 10/10 active, open 2026-06-12 1/1, until 06-13 22:00, dies 06-15 22:00, freezes 2-2, MPPMMMM
	> 06-12 06:00 daily extended 2026-06-12 10
	> 06-12 06:00 daily freeze_earned 2026-06-12 10 held 2
	> 06-12 06:00 daily record 2026-06-12 10
2026-07-01 12:00
	daily 0/10 broken, open 2026-07-01 0/1, until -, dies -, freezes 2-2, ------O
	> 06-13 18:00 daily at_risk 2026-06-13 10
	> 06-13 22:00 daily frozen 2026-06-13 10 held 1
	> 06-14 22:00 daily frozen 2026-06-14 10 held 0
	> 06-15 22:00 daily lost 2026-06-15 0 length 10 returned 2
# Clocks go back in the night to 25 October: that day has 25 hours, and days end at 23:00 UTC from then on.
2026-10-24 07:00 run
	daily 1/10 active, open 2026-10-24 1/1, until 10-25 23:00, dies 10-27 23:00, freezes 2-2, ------M
	> 10-24 07:00 daily started 2026-10-24 1
2026-10-25 22:30
	daily 1/10 at_risk, open 2026-10-25 0/1, until 10-25 23:00, dies 10-27 23:00, freezes 2-2, -----MO
	> 10-25 19:00 daily at_risk 2026-10-25 1
2026-10-25 22:45 run
	daily 2/10 active, open 2026-10-25 1/1, until 10-26 23:00, dies 10-28 23:00, freezes 2-2, -----MM
	> 10-25 22:45 daily extended 2026-10-25 2
2026-12-31 12:00
	daily 0/10 broken, open 2026-12-31 0/1, until -, dies -, freezes 2-2, ------O
	swims 0/1 broken, open 2026-W53 0/2, until -, dies -, freezes 0-0, ------O
	> 10-26 19:00 daily at_risk 2026-10-26 2
	> 10-26 23:00 daily frozen 2026-10-26 2 held 1
	> 10-27 23:00 daily frozen 2026-10-27 2 held 0
	> 10-28 23:00 daily lost 2026-10-28 0 length 2 returned 2
`

// yearLine is a line of the sheet and what stands below it.
type yearLine struct {
	at    time.Time
	do    string
	shown []string
	told  []string
}

func readSheet(t *testing.T, sheet string) (lines []yearLine) {
	t.Helper()
	const instant = "2006-01-02 15:04"
	for text := range strings.Lines(sheet) {
		text = strings.TrimRight(text, "\n")
		event, isEvent := strings.CutPrefix(text, "\t> ")
		shown, isShown := strings.CutPrefix(text, "\t")
		switch {
		case text == "" || text[0] == '#':
		case isEvent:
			lines[len(lines)-1].told = append(lines[len(lines)-1].told, event)
		case isShown:
			lines[len(lines)-1].shown = append(lines[len(lines)-1].shown, shown)
		default:
			at, err := time.Parse(instant, text[:len(instant)])
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, yearLine{at: at, do: strings.TrimSpace(text[len(instant):])})
		}
	}
	return lines
}

// year is a server and its one user.
type year struct {
	*testNode
	after string // the place in the events
}

// TestServe_AYear plays the sheet by the server's clock, with nothing but HTTP.
func TestServe_AYear(t *testing.T) {
	cfg := testConfig(t)
	cfg.TestClock, cfg.Catalog = true, filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(cfg.Catalog, []byte(yearCatalog), 0o600); err != nil {
		t.Fatal(err)
	}
	y := &year{testNode: startNode(t, cfg)}
	y.setClock(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	y.call("PUT", "/v1/users/ada", `{"timezone":"Europe/Berlin"}`)
	for _, line := range readSheet(t, yearSheet) {
		y.setClock(line.at)
		y.do(line.at, line.do)
		if diff := cmp.Diff(line.told, y.events(len(line.told))); diff != "" {
			t.Fatalf("events at %s %s (-sheet +server)\n%s", line.at, line.do, diff)
		}
		for _, want := range line.shown {
			rule, _, _ := strings.Cut(want, " ")
			if diff := cmp.Diff(want, y.shown(rule)); diff != "" {
				t.Fatalf("at %s %s (-sheet +server)\n%s", line.at, line.do, diff)
			}
		}
	}
	if more := y.events(1); len(more) > 0 {
		t.Errorf("more events than the sheet has: %q", more)
	}
}

func (y *year) setClock(now time.Time) {
	y.t.Helper()
	if status, text, _ := do(y.t, "PUT", y.admin+"/clock", `{"now":"`+now.Format(time.RFC3339)+`"}`); status != http.StatusNoContent {
		y.t.Fatalf("clock: %d %s", status, text)
	}
}

// call sends a request that must succeed.
func (y *year) call(method, path, body string) string {
	y.t.Helper()
	status, text, _ := do(y.t, method, y.base+path, body)
	if status >= 300 {
		y.t.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
	return text
}

// do does what a line of the sheet says.
func (y *year) do(at time.Time, what string) {
	y.t.Helper()
	const daily = "/v1/users/ada/streaks/daily"
	id := func(name string, at time.Time) string { return name + "-" + at.Format("2006-01-02T15:04") }
	verb, rest, _ := strings.Cut(what, " ")
	first, second, _ := strings.Cut(rest, " ")
	switch verb {
	case "":
	case "run", "swim":
		y.call("POST", "/v1/activities", fmt.Sprintf(`{"id":%q,"user":"ada","name":%q,"at":%q}`, id(verb, at), verb, at.Format(time.RFC3339)))
	case "reject":
		y.call("POST", "/v1/activities/ada/"+url.PathEscape(first+"-"+strings.Replace(second, " ", "T", 1))+"/reject", `{"reason":"a mistake"}`)
	case "freezes":
		y.call("POST", daily+"/freezes", `{"count":`+rest+`}`)
	case "restore":
		y.call("POST", daily+"/restore", `{}`)
	case "target", "opted_out":
		y.call("PATCH", daily, fmt.Sprintf(`{%q:%s}`, verb, rest))
	case "pause":
		y.call("POST", "/v1/users/ada/pauses", fmt.Sprintf(`{"from":%q,"to":%q}`, first, second))
	case "outage":
		y.call("POST", "/v1/pauses", fmt.Sprintf(`{"from":%q,"to":%q}`, first, second))
	case "zone":
		y.call("PATCH", "/v1/users/ada", fmt.Sprintf(`{"timezone":%q}`, rest))
	default:
		y.t.Fatalf("the sheet says %q", what)
	}
}

// yearTime is an instant as the sheet writes it.
func yearTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return strings.TrimSuffix(t.Format("01-02 15:04:05.999"), ":00")
}

// shown is a streak as the sheet writes it.
func (y *year) shown(rule string) string {
	y.t.Helper()
	var answer struct {
		Streaks []struct {
			Rule             string    `json:"rule"`
			Current, Longest int       `json:",omitempty"`
			State            string    `json:"state"`
			Deadline         time.Time `json:"deadline"`
			DiesAt           time.Time `json:"dies_at"`
			Period           struct {
				Label         string `json:"label"`
				Value, Target int    `json:",omitempty"`
			} `json:"period"`
			Freezes struct{ Held, Used int }  `json:"freezes"`
			History []struct{ Status string } `json:"history"`
		} `json:"streaks"`
	}
	if err := json.Unmarshal([]byte(y.call("GET", "/v1/users/ada/streaks", "")), &answer); err != nil {
		y.t.Fatal(err)
	}
	letters := map[string]string{"met": "M", "frozen": "F", "paused": "P", "restored": "R", "missed": "-", "open": "O"}
	for _, s := range answer.Streaks {
		if s.Rule != rule {
			continue
		}
		week := ""
		for _, p := range s.History[max(0, len(s.History)-7):] {
			week += letters[p.Status]
		}
		return fmt.Sprintf("%s %d/%d %s, open %s %d/%d, until %s, dies %s, freezes %d-%d, %s", s.Rule, s.Current, s.Longest, s.State,
			s.Period.Label, s.Period.Value, s.Period.Target, yearTime(s.Deadline), yearTime(s.DiesAt), s.Freezes.Held, s.Freezes.Used, week)
	}
	return "no streak of " + rule
}

// events waits for the next n events, and gives all that came as the sheet writes them.
func (y *year) events(n int) (told []string) {
	y.t.Helper()
	for wait := 5; len(told) < n && wait > 0; wait-- {
		var page struct {
			Events []struct {
				Type, Rule, Period, Undone, Deadline string
				At                                   time.Time
				Current, Length, Held, Milestone     int
				Returned                             int `json:"freezes_returned"`
			} `json:"events"`
			Next string `json:"next"`
		}
		text := y.call("GET", "/v1/events?user=ada&wait=1&after="+url.QueryEscape(y.after), "")
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			y.t.Fatal(err)
		}
		y.after = page.Next
		for _, e := range page.Events {
			kind := strings.TrimPrefix(e.Type, "streak.")
			line := yearTime(e.At) + " " + e.Rule + " " + kind
			switch kind {
			case "undone":
				line += " " + strings.TrimPrefix(e.Undone, "streak.")
			case "restored":
			default:
				line += " " + e.Period
			}
			line += fmt.Sprint(" ", e.Current)
			switch kind {
			case "lost":
				line += fmt.Sprintf(" length %d returned %d", e.Length, e.Returned)
			case "frozen", "freeze_earned":
				line += fmt.Sprint(" held ", e.Held)
			case "milestone":
				line += fmt.Sprint(" milestone ", e.Milestone)
			}
			told = append(told, line)
		}
	}
	return told
}
