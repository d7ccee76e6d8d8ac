package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/oracle"
)

// compareText compares the whole answer of a user's streaks, byte by byte, with what it has to be for the model's views.
func (p *passage) compareText(user string, views []oracle.View, at time.Time) error {
	path := "/v1/users/" + url.PathEscape(user) + "/streaks"
	if !at.Equal(p.now) {
		path += "?at=" + at.UTC().Format(time.RFC3339Nano)
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.client.base+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+testKey)
	answer, err := p.client.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	want := []byte(`{"streaks":[`)
	for i := range views {
		if i > 0 {
			want = append(want, ',')
		}
		want = appendStreak(want, &p.streaks[i], &views[i])
	}
	want = append(want, "]}"...)
	if got = bytes.TrimSpace(got); !bytes.Equal(want, got) {
		lines := func(text []byte) []string { // a period of a history each
			return strings.SplitAfter(string(text), "},")
		}
		return fmt.Errorf("streaks of %s at %s: %s (-model +answer)\n%s", user, wireTime(at), answer.Status, cmp.Diff(lines(want), lines(got)))
	}
	return nil
}

// appendStreak appends a streak of passageStreaks, which have one condition and the target 1.
func appendStreak(b []byte, s *oracle.Streak, v *oracle.View) []byte {
	text := func(name, value string) {
		if value != "" {
			b = append(append(append(append(b, ",\""...), name...), "\":\""...), value...)
			b = append(b, '"')
		}
	}
	b = fmt.Appendf(b, `{"rule":"%s","current":%d,"longest":%d`, s.ID, v.Current.Length, v.Longest.Length)
	if v.Longest.Length > 0 {
		b = fmt.Appendf(b, `,"longest_span":{"start":"%s","end":"%s"}`, v.Longest.First, v.Longest.Last)
	}
	b = fmt.Appendf(b, `,"total_periods":%d`, v.Total)
	text("state", v.State)
	text("unit", s.Unit.Unit)
	text("timezone", v.Zone)
	text("started", v.Current.First)
	text("last_extended_at", wireTime(v.LastExtendedAt))
	text("deadline", wireTime(v.Deadline))
	text("dies_at", wireTime(v.DiesAt))
	if l := &v.Lost; l.Length > 0 {
		b = fmt.Appendf(b, `,"lost":{"length":%d,"start":"%s","end":"%s","at":"%s"}`, l.Length, l.First, l.Last, wireTime(l.At))
	}
	open := &v.History[len(v.History)-1]
	b = fmt.Appendf(b, `,"period":{"label":"%s","value":%d,"target":1,"met":%t},"freezes":{"held":%d,"used":%d,"max":%d},"history":[`,
		open.Label, open.Values[0], open.Met, v.Held, v.Used, s.Freezes.Max)
	for i := range v.History {
		p := &v.History[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"period":"`...), p.Label...), `","status":"`...)
		b = append(append(append(b, p.Status...), `","value":`...), strconv.FormatInt(p.Values[0], 10)...)
		b = append(b, `,"target":1}`...)
	}
	return append(b, "]}"...)
}
