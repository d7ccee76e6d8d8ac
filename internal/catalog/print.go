package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// fingerprint gathers what numbers depend on. Its parts are written with lengths, so that no two lists of parts have one text.
type fingerprint struct{ text strings.Builder }

func (f *fingerprint) add(parts ...any) {
	for _, part := range parts {
		s := fmt.Sprint(part)
		fmt.Fprintf(&f.text, "%d:%s,", len(s), s)
	}
}

// sum is never 0, which is left to mean that there is none.
func (f *fingerprint) sum() uint32 {
	sum := sha256.Sum256([]byte(f.text.String()))
	return max(binary.BigEndian.Uint32(sum[:]), 1)
}

// print is what the selector's numbers depend on: also on the types of the meta it reads, and on who declares that meta, because an
// undeclared key is invisible.
func (s *Selector) print(c *Catalog) *fingerprint {
	f := &fingerprint{}
	f.add("selector", s.Kind, s.AnyKind, s.Fold, s.Decimals, len(s.Names))
	for _, name := range slices.Sorted(slices.Values(s.Names)) {
		f.add(name)
	}
	for _, p := range []*program{s.where, s.value} {
		if p == nil {
			f.add("none")
			continue
		}
		f.add(p.text, len(p.reads))
		for _, want := range p.reads {
			f.add(want.name, want.typ)
			f.add(c.declaring(s, want))
		}
	}
	if s.Fold == Sum && s.value == nil {
		f.add("constant", s.constant)
	}
	return f
}

// print is what the rule's numbers depend on.
func (r *Rule) print(c *Catalog) *fingerprint {
	f := r.Selector.print(c)
	if r.SegmentBy != "" {
		f.add("segment_by", r.SegmentBy)
	}
	return f
}

// declaring lists the behaviours of a selector whose meta a read sees.
func (c *Catalog) declaring(s *Selector, want need) []string {
	key, isMeta := strings.CutPrefix(want.name, "meta.")
	var names []string
	for name, b := range c.Behaviours {
		if _, declared := b.Meta[key]; isMeta && declared && (s.Names == nil || slices.Contains(s.Names, name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// print is what a period's values, and whether they meet it, depend on.
func (s *Streak) print(c *Catalog) *fingerprint {
	zone := ""
	if s.Zone != nil {
		zone = s.Zone.String()
	}
	f := &fingerprint{}
	f.add("streak", s.All, s.Unit.Key(), s.ZoneMode, zone, s.DayStart, s.Grace)
	for _, condition := range s.Conditions {
		f.add(condition.AtLeast, condition.Selector.print(c).text.String())
	}
	return f
}

// terms is what the lengths depend on beside print, and which events time brings; milestones only tell of lengths.
func (s *Streak) terms() *fingerprint {
	f := &fingerprint{}
	f.add("terms", s.ActiveDays, s.Holidays, s.Freezes, s.Restore, s.OnMiss, s.Decay, s.AtRisk, s.MaxTarget)
	return f
}

// print is what the points that awards give into a wallet, and what is left of them, depend on.
func (w *Wallet) print(c *Catalog, index int) *fingerprint {
	f := &fingerprint{}
	f.add("wallet", w.Decimals, w.Categories, w.Lots, w.Expires)
	for _, a := range c.Awards {
		if a.Wallet == index {
			f.add(uint8(a.Category), a.Selector.print(c).text.String())
		}
	}
	return f
}

// print is what the marks of an achievement depend on, and how many of them are completed: with periods there are no criteria but those over activities.
func (a *Achievement) print(c *Catalog) *fingerprint {
	f := &fingerprint{}
	f.add("achievement", a.All, a.Per.Key(), len(a.Criteria))
	for _, criterion := range a.Criteria {
		f.add(uint8(criterion.Kind))
		if criterion.Kind == OfActivities {
			f.add(criterion.AtLeast, criterion.Selector.print(c).text.String())
		}
	}
	return f
}
