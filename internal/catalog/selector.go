package catalog

import (
	"maps"
	"slices"

	"laurel/internal/activity"
)

// selector builds what rules and conditions have in common: when, value and decimals, which stand side by side at p.
func (b *builder) selector(when *whenSource, value *valueSource, decimals int, p path) Selector {
	s := Selector{Fold: Count, AnyKind: true}
	if when == nil {
		when = &whenSource{}
	}
	at := p.to("when")
	if kind, ok := activity.ParseKind(when.Kind); ok && when.Kind != "" {
		s.Kind, s.AnyKind = kind, false
	}
	if len(when.Name) > 0 {
		s.Names, s.AnyKind = when.Name, false
		b.names(&s, at.to("name"))
	}
	sc := b.scope(&s)
	if when.Where != "" {
		s.where = b.expression(when.Where, sc, true, 0, at.to("where"))
	}
	if value != nil && value.Fold != Count {
		s.Fold = value.Fold
		s.value = b.expression(value.Text, sc, false, s.Fold, p.to("value", value.Word))
	}
	if s.Fold != Count && s.Fold != Unique {
		s.Decimals = decimals
	} else if decimals > 0 && (value != nil || !b.report.tree.has(p.to("value"))) {
		b.report.at(p.to("decimals"), "%s gives whole numbers: decimals goes together with sum, max, min and last only", s.Fold)
	}
	return s
}

// names checks that what is selected by name exists, where any of its kind does.
func (b *builder) names(s *Selector, p path) {
	for i, name := range s.Names {
		at := p
		if n := b.report.tree.find(p); n != nil && n.shape == isArray {
			at = p.to(i)
		}
		b.name(name, at)
		if k, ok := named(s.Kind); ok && len(b.known[k].index) > 0 {
			b.ref(k, name, at)
		}
		if s.Kind != activity.Behaviour || len(b.catalog.Behaviours) == 0 || name == "" {
			continue
		}
		if b.catalog.Behaviours[name] == nil {
			b.report.at(at, "no behaviour %s is declared; there are %s", quoted(name), listed(slices.Sorted(maps.Keys(b.catalog.Behaviours))))
		}
	}
}

// scope gathers the meta of the behaviours that a selector selects.
func (b *builder) scope(s *Selector) *scope {
	declarations := b.catalog.Behaviours
	if len(declarations) == 0 || !s.AnyKind && s.Kind != activity.Behaviour {
		return &scope{untyped: true}
	}
	names := s.Names
	if names == nil {
		names = slices.Sorted(maps.Keys(declarations))
	}
	sc := &scope{keys: map[string]declared{}}
	var known []string
	for _, name := range names {
		behaviour := declarations[name]
		if behaviour == nil {
			// An unknown name is one fault; what its meta would be is not another.
			return &scope{untyped: true}
		}
		known = append(known, name)
		for key, typ := range behaviour.Meta {
			d, found := sc.keys[key]
			d.clash = d.clash || found && d.typ != typ
			d.typ, d.by = typ, append(d.by, name)
			sc.keys[key] = d
		}
	}
	sc.from = listed(known)
	return sc
}

func (b *builder) expression(text string, sc *scope, where bool, fold Fold, p path) *program {
	compiled, result, faults := compile(text, sc, b.catalog.table)
	for _, fault := range faults {
		b.report.at(p, "%s", fault)
	}
	if compiled == nil {
		return nil
	}
	if fault := wrongType(result, where, fold); fault != "" {
		b.report.at(p, "%s", fault)
	}
	return compiled
}
