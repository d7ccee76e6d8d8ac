package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestParse_Hostile: each source is refused, with few words and without much work.
func TestParse_Hostile(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	tests := []struct{ name, source, want string }{
		{"too long", "orgs: [{id: x}]\n#" + strings.Repeat(" ", MaxSource), "the source has 1048593 bytes, more than 1048576"},
		{"alias bomb", bomb + "orgs: []\n", "more than 200000 values, aliases unfolded"},
		{"alias cycle", "orgs: &a [*a]\n", ""},
		{"deep flow", "orgs: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), "nested more than 24 deep"},
		{"deeper flow", "orgs: " + strings.Repeat("[", 500_000), "not YAML: exceeded max depth"},
		{"deep block", "orgs:\n" + strings.Repeat("- ", 5_000) + "x", "nested more than 24 deep"},
		{"deep JSON", `{"orgs":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + "}", "nested more than 24 deep"},
		{"many values", `{"orgs":[` + strings.Repeat("0,", 250_000) + "0]}", "more than 200000 values"},
		{"number with many digits", `{"orgs":[{"id":"x","number":` + strings.Repeat("9", 100_000) + "}]}", "out of range"},
		{"number with many digits in YAML", "orgs: [{id: x, number: " + strings.Repeat("9", 100_000) + "}]", ""},
		{"null bytes", "orgs: \x00", "not YAML"},
		{"bad UTF-8", "orgs: [{id: \xff}]", "not YAML"},
		{"bad UTF-8 in JSON", "{\"orgs\": \"\xff\"}", ""},
		{"deep expression", "orgs: [{id: x, rules: [{id: r, cycles: [day], when: {where: '" + strings.Repeat("(", 990) + "'}}]}]", "orgs[0].rules[0].when.where"},
		{"negations", "orgs: [{id: x, rules: [{id: r, cycles: [day], when: {where: '" + strings.Repeat("!", 990) + "true'}}]}]", "exceeds maximum allowed nodes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.source))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("Parse = %.300v; want %s", err, test.want)
			}
			if len(err.Error()) > 4_000 {
				t.Errorf("the faults have %d bytes", len(err.Error()))
			}
		})
	}
}

func TestParse_ManyFaultsAreCut(t *testing.T) {
	_, err := Parse([]byte("orgs: [" + strings.Repeat("1,", 900) + "1]"))
	faults, _ := err.(Faults)
	if len(faults) != maxFaults+1 || faults[maxFaults].Detail != "and 401 more faults" {
		t.Errorf("%d faults, the last is %v", len(faults), faults[len(faults)-1])
	}
}

// What is small because of its aliases and large without them must not be stored: it could not be read again.
func TestParse_WhatUnfoldsTooFarIsRefused(t *testing.T) {
	org := func(rules int) string {
		var b strings.Builder
		b.WriteString("{id: x, rules: [{id: r, cycles: [day], when: &w {name: [")
		for i := range 200 {
			fmt.Fprintf(&b, "n%0120d, ", i)
		}
		b.WriteString("]}}")
		for i := range rules - 1 {
			fmt.Fprintf(&b, ", {id: r%d, cycles: [day], when: *w}", i)
		}
		return b.String() + "]}"
	}
	small, large := org(42), org(43)
	if c, err := ParseOrg([]byte(small)); err != nil || len(c.Source) < MaxSource-30_000 {
		t.Fatalf("what fits: %v", err)
	}
	for at, parse := range map[string]func() (any, error){
		"":         func() (any, error) { return ParseOrg([]byte(large)) },
		"orgs[1]:": func() (any, error) { return Parse([]byte("orgs: [{id: y}, " + large + "]")) },
	} {
		if _, err := parse(); err == nil || !strings.Contains(err.Error(), at) || !strings.Contains(err.Error(), "bytes, more than 1048576") {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add(Default())
	f.Add([]byte(`{"orgs":[{"id":"x","rules":[{"id":"r","when":{},"cycles":[{"list":{"id":"s","periods":[{"id":"a","start":"2026-01-01","end":"2026-01-02"}]}}]}]}]}`))
	f.Add([]byte("orgs: [&a {id: x, streaks: [{id: s, unit: {every: 3d, from: 2026-01-01}, when: {where: 'meta.a in [1, \"b\"]'}}]}]"))
	f.Add([]byte("orgs: [[1, null, {a: *b}]]\n---\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		catalogs, err := Parse(source)
		if err != nil {
			if faults, ok := err.(Faults); !ok || len(faults) == 0 || faults[0].Line < 1 {
				t.Fatalf("err = %#v", err)
			}
			return
		}
		for _, c := range catalogs {
			again, err := ParseOrg(c.Source)
			if err != nil || again.Hash != c.Hash {
				t.Fatalf("Source does not round-trip: %v\n%s", err, c.Source)
			}
		}
	})
}

func TestSchema_IsJSON(t *testing.T) {
	if !json.Valid(Schema()) {
		t.Error("the schema is not JSON")
	}
}
