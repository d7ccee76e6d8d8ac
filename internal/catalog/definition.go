package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Kind is a sort of definition that has a list of its own in an org's source: the name of that list.
type Kind string

// The kinds. Rules and streaks share their ids, each other kind has its own; a behaviour's id is its name.
const (
	Rules      Kind = "rules"
	Streaks    Kind = "streaks"
	Behaviours Kind = "behaviours"

	Wallets      Kind = "wallets"
	Awards       Kind = "awards"
	Levels       Kind = "levels"
	Achievements Kind = "achievements"
	Missions     Kind = "missions"
	Rewards      Kind = "rewards"
	Gifts        Kind = "gifts"
	Bounties     Kind = "bounties"
	KPIs         Kind = "kpis"
	TargetGroups Kind = "target_groups"
	Prizes       Kind = "prizes"
	Webhooks     Kind = "webhooks"
	Hooks        Kind = "hooks"
)

// noun is what one definition is called in faults.
func (k Kind) noun() string {
	switch k {
	case Bounties:
		return "bounty"
	case KPIs:
		return "KPI"
	case TargetGroups:
		return "target group"
	}
	return strings.TrimSuffix(string(k), "s")
}

// ErrNoDefinition says that the catalog has no definition of that kind and id.
var ErrNoDefinition = errors.New("no such definition")

// ErrExists says that a definition that was to be new has the id of another one.
var ErrExists = errors.New("a definition has this id already")

// key is the member that names a definition.
func (k Kind) key() string {
	if k == Behaviours {
		return "name"
	}
	return "id"
}

// Definitions returns those of a kind in the order of the source, each as it stands there: canonical JSON. They are not to be changed.
func (c *Catalog) Definitions(k Kind) []jsontext.Value {
	var members map[Kind]jsontext.Value
	var list []jsontext.Value
	err := json.Unmarshal(c.Source, &members)
	if text := members[k]; err == nil && text != nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		panic("catalog: a sealed definition is not JSON: " + err.Error())
	}
	return list
}

// Definition returns one definition as it stands in the source; ErrNoDefinition.
func (c *Catalog) Definition(k Kind, id string) (jsontext.Value, error) {
	list := c.Definitions(k)
	i := k.index(list, id)
	if i < 0 {
		return nil, ErrNoDefinition
	}
	return list[i], nil
}

// index finds an id in a list, or is -1.
func (k Kind) index(list []jsontext.Value, id string) int {
	return slices.IndexFunc(list, func(definition jsontext.Value) bool {
		var named struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		}
		_ = json.Unmarshal(definition, &named) // what is sealed fits
		return id != "" && (k == Behaviours && named.Name == id || k != Behaviours && named.ID == id)
	})
}

// Place is where a definition stands in the paths of faults: "streaks[3]". One that is not there yet will stand at the end.
func (c *Catalog) Place(k Kind, id string) string {
	list := c.Definitions(k)
	i := k.index(list, id)
	if i < 0 {
		i = len(list)
	}
	return fmt.Sprintf("%s[%d]", k, i)
}

// Add returns the catalog with one definition more, YAML or JSON, and that one's id. All else stays as it is, c too. ErrExists; Faults of the whole that
// comes of it, with lines where they are of the definition.
func (c *Catalog) Add(k Kind, definition []byte) (next *Catalog, id string, err error) {
	tree, faults := readTree(definition)
	if tree != nil {
		id, _ = tree.textOf(k.key())
	}
	if c.has(k, id) {
		return nil, "", ErrExists
	}
	next, err = c.with(k, id, tree, faults)
	return next, id, err
}

// Put returns the catalog with one definition replaced, or added where there is none of the id. A definition that does not say its id gets it.
// Faults as Add; one of them is a definition that says another id.
func (c *Catalog) Put(k Kind, id string, definition []byte) (*Catalog, error) {
	tree, faults := readTree(definition)
	if tree != nil && tree.shape == isObject {
		said, isText := tree.textOf(k.key())
		switch {
		case isText && said != id:
			faults = append(faults, Fault{Line: tree.fields[k.key()].line, Path: k.key(), Detail: fmt.Sprintf("must be %s, as it was asked for, or left out", quoted(id))})
		case tree.fields[k.key()] == nil && !utf8.ValidString(id): // JSON would make another one of it
			faults = append(faults, Fault{Line: tree.line, Path: k.key(), Detail: quoted(id) + " is not UTF-8"})
		case tree.fields[k.key()] == nil:
			tree.add(k.key(), tree.line, &node{line: tree.line, scalar: id})
		}
	}
	return c.with(k, id, tree, faults)
}

// Remove returns the catalog without a definition. ErrNoDefinition; Faults, without lines, of what refers to it.
func (c *Catalog) Remove(k Kind, id string) (*Catalog, error) {
	i := k.index(c.Definitions(k), id)
	if i < 0 {
		return nil, ErrNoDefinition
	}
	tree := c.tree()
	list := tree.fields[string(k)]
	list.items = slices.Delete(list.items, i, i+1)
	next, err := parseTree(tree, nil)
	return next, onlyLinesOf("", err)
}

// has says whether an id is taken.
func (c *Catalog) has(k Kind, id string) bool {
	switch k {
	case Behaviours:
		return c.Behaviours[id] != nil
	case Rules, Streaks:
		return c.Rule(id) != nil || c.Streak(id) != nil
	}
	_, some := c.Find(k, id)
	return some
}

// with puts a definition, as it was read, at the place of the id. Without a tree there are only its faults.
func (c *Catalog) with(k Kind, id string, definition *node, faults Faults) (*Catalog, error) {
	place := c.Place(k, id)
	for i, f := range faults {
		faults[i].Path = place + joint(f.Path) + f.Path
	}
	if definition == nil {
		return nil, (&report{faults: faults}).err()
	}
	tree := c.tree()
	tree.place(string(k), k.index(c.Definitions(k), id), definition)
	next, err := parseTree(tree, faults)
	return next, onlyLinesOf(place, err)
}

// tree is the source, read again.
func (c *Catalog) tree() *node {
	tree, faults := readTree(c.Source)
	if tree == nil {
		panic("catalog: a sealed definition cannot be read: " + faults.Error())
	}
	return tree
}

// place puts a value at an index of the list under key, or, where that is -1, at its end.
func (n *node) place(key string, i int, value *node) {
	if n.fields[key] == nil {
		n.add(key, n.line, &node{line: n.line, shape: isArray})
	}
	list := n.fields[key]
	if i < 0 {
		list.items = append(list.items, value)
		return
	}
	list.items[i] = value
}

// textOf is the text under a key.
func (n *node) textOf(key string) (text string, ok bool) {
	if value := n.fields[key]; value != nil {
		text, ok = value.scalar.(string)
	}
	return text, ok
}

// onlyLinesOf takes the lines off the faults that are not at a place: those are not lines of what the caller sent.
func onlyLinesOf(place string, err error) error {
	faults, some := err.(Faults)
	for i, f := range faults {
		if _, in := f.Within(place); !in || place == "" {
			faults[i].Line = 0
		}
	}
	if !some {
		return err
	}
	return faults
}

// Within says whether the fault is at a place, such as "streaks[3]", or in it, and then at which path from there; "" for the place as a whole.
func (f Fault) Within(place string) (path string, in bool) {
	rest, in := strings.CutPrefix(f.Path, place)
	if !in || rest != "" && rest[0] != '.' && rest[0] != '[' {
		return "", false
	}
	return strings.TrimPrefix(rest, "."), true
}

// joint is what stands between a path and one that goes on from there.
func joint(path string) string {
	if path == "" || path[0] == '[' {
		return ""
	}
	return "."
}
