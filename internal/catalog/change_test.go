package catalog

import (
	"strings"
	"testing"
)

const changing = `{id: o, timezone: UTC, rules: [
  {id: a, when: {}, value: count, order: desc, cycles: [day, {every: 14d, from: 2026-01-05},
    {list: {id: seasons, periods: [{id: s1, start: 2026-01-01, end: 2026-02-01}, {id: s2, start: 2026-02-01, end: 2026-03-01}]}}]}]}`

func TestCheckChange(t *testing.T) {
	for _, c := range []struct{ name, from, to, fault string }{
		{"nothing", "", "", ""},
		{"another value", "value: count", "value: {sum: value}", ""},
		{"segments", "value: count", "value: count, segment_by: user.country", ""},
		{"fewer cycles", "cycles: [day,", "cycles: [", ""},
		{"an anchor moved by whole periods", "2026-01-05", "2026-01-19", ""},
		{"a season more", "]}}]}]}", ", {id: s3, start: 2026-04-01, end: 2026-05-01}]}}]}]}", ""},
		{"another zone", "timezone: UTC", "timezone: Asia/Kathmandu", "timezone: cannot be changed from UTC"},
		{"another week start", "timezone: UTC", "timezone: UTC, week_start: sunday", "week_start: cannot be changed"},
		{"another order", "order: desc", "order: asc", "rules[0].order: cannot be changed"},
		{"other decimals", "value: count", "value: {sum: value}, decimals: 2", "rules[0].decimals: cannot be changed"},
		{"a season moved", "end: 2026-03-01", "end: 2026-03-02", "rules[0].cycles[2].list: may only grow at its end"},
		{"a season less", ", {id: s2, start: 2026-02-01, end: 2026-03-01}", "", "rules[0].cycles[2].list: may only grow at its end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, err := ParseOrg([]byte(changing))
			if err != nil {
				t.Fatal(err)
			}
			next, err := ParseOrg([]byte(strings.Replace(changing, c.from, c.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			switch err := next.CheckChange(old); {
			case c.fault == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.fault != "" && (err == nil || !strings.HasPrefix(err.Error(), c.fault)):
				t.Errorf("got %v, want %s", err, c.fault)
			}
		})
	}
}
