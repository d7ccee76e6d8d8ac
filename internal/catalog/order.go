package catalog

import (
	"slices"
	"strings"
)

// rest is one thing that a definition rests on, and where the source says so.
type rest struct {
	on Derived
	at path
}

// rests notes that one definition can only be derived after another one. What is not there is no definition.
func (b *builder) rests(d, on Derived, at path) {
	if on.Index >= 0 {
		b.rest[d] = append(b.rest[d], rest{on, at})
	}
}

// given notes that the wallets into which a completion gives points rest on it.
func (b *builder) given(by Derived, g Gives, p path) {
	for i, points := range g.Points {
		if points.Wallet >= 0 {
			b.rests(Derived{Wallets, points.Wallet}, by, p.to("points", i, "wallet"))
		}
	}
}

// orderer walks from definitions to what they rest on.
type orderer struct {
	b    *builder
	seen map[Derived]stage
	on   []rest // the way to where the walk is; of each the place of what it rests on next
	told map[Derived]bool
}

type stage uint8

const (
	unseen stage = iota
	under
	done
)

// order puts what is derived after all that it rests on, else in the order of the source, and refuses what rests on itself.
func (b *builder) order() {
	o := &orderer{b: b, seen: map[Derived]stage{}, told: map[Derived]bool{}}
	c := b.catalog
	for _, k := range []struct {
		kind Kind
		n    int
	}{{Wallets, len(c.Wallets)}, {Levels, len(c.Levels)}, {Achievements, len(c.Achievements)}, {Missions, len(c.Missions)}} {
		for i := range k.n {
			o.visit(Derived{k.kind, i})
		}
	}
}

func (o *orderer) visit(d Derived) {
	if o.seen[d] != unseen {
		return
	}
	o.seen[d] = under
	o.on = append(o.on, rest{on: d})
	for _, next := range o.b.rest[d] {
		o.on[len(o.on)-1].at = next.at
		if o.seen[next.on] == under {
			o.circle(next.on)
		}
		o.visit(next.on)
	}
	o.on = o.on[:len(o.on)-1]
	o.seen[d] = done
	o.b.catalog.Order = append(o.b.catalog.Order, d)
}

// circle refuses the end of the way, from d on. A definition is told of in one circle only, so that the faults stay as few as the definitions.
func (o *orderer) circle(d Derived) {
	from := slices.IndexFunc(o.on, func(r rest) bool { return r.on == d })
	way := slices.Clone(o.on[from:])
	if slices.ContainsFunc(way, func(r rest) bool { return o.told[r.on] }) {
		return
	}
	for _, r := range way {
		o.told[r.on] = true
	}
	// Every circle leads through an achievement or a mission: levels rest on wallets, and wallets on none but these.
	first := slices.IndexFunc(way, func(r rest) bool { return r.on.Kind == Achievements || r.on.Kind == Missions })
	way = append(way[first:len(way):len(way)], way[:first]...)
	var text strings.Builder
	text.WriteString(o.name(way[0].on))
	for i, r := range way {
		next := o.name(way[(i+1)%len(way)].on)
		switch {
		case r.on.Kind == Wallets:
			text.WriteString(", into which " + next + " gives points")
		case i == 0:
			text.WriteString(" needs " + next)
		default:
			text.WriteString(", which needs " + next)
		}
	}
	o.b.report.at(way[0].at, "goes round in a circle: %s", text.String())
}

// name is what a definition is called in a fault.
func (o *orderer) name(d Derived) string {
	c := o.b.catalog
	var id string
	switch d.Kind {
	case Wallets:
		id = c.Wallets[d.Index].ID
	case Levels:
		id = c.Levels[d.Index].ID
	case Achievements:
		id = c.Achievements[d.Index].ID
	case Missions:
		id = c.Missions[d.Index].ID
	}
	return d.Kind.noun() + " " + id
}
