package catalog

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The bounds of a source. A catalog of a thousand rules is a tenth of them.
const (
	// MaxSource is how many bytes a source may have.
	MaxSource = 1 << 20
	maxNodes  = 200_000
	maxDepth  = 24
)

// node is a value of a source with the line that it stands on. Exactly one of fields, items and scalar is used, as shape says.
type node struct {
	line   int
	shape  shape
	keys   []string // of fields, in the order of the source
	lines  []int    // of the keys
	fields map[string]*node
	items  []*node
	scalar any  // nil, bool, string, int64, float64
	unread bool // the scalar is none that JSON could hold; a fault says so
}

type shape uint8

const (
	isScalar shape = iota
	isObject
	isArray
)

// path leads from the root of a tree to a value: keys, and positions as decimal text.
type path []string

// to is p with more steps; p itself stays as it is.
func (p path) to(steps ...any) path {
	q := slices.Clone(p)
	for _, step := range steps {
		q = append(q, fmt.Sprint(step))
	}
	return q
}

// add puts a field in; it reports false where the key is there already.
func (n *node) add(key string, line int, value *node) bool {
	if _, dup := n.fields[key]; dup {
		return false
	}
	n.keys = append(n.keys, key)
	n.lines = append(n.lines, line)
	n.fields[key] = value
	return true
}

func newObject(line int) *node {
	return &node{line: line, shape: isObject, fields: map[string]*node{}}
}

// child takes one step of a path; line is that of the key, or of the item.
func (n *node) child(step string) (next *node, line int) {
	switch n.shape {
	case isObject:
		if i := slices.Index(n.keys, step); i >= 0 {
			return n.fields[step], n.lines[i]
		}
	case isArray:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.items) {
			return n.items[i], n.items[i].line
		}
	}
	return nil, n.line
}

// locate gives the line of a path, and the path as people write it: orgs[0].rules[2].value.
func (n *node) locate(p path) (line int, text string) {
	line = n.line
	for _, step := range p {
		if n != nil && n.shape == isArray {
			text += "[" + step + "]"
		} else {
			text = underKey(text, step)
		}
		if n == nil {
			continue
		}
		n, line = n.child(step)
	}
	return line, text
}

// underKey is the text of a path with one more key.
func underKey(text, key string) string {
	switch {
	case !plainKey(key):
		return text + "[" + quoted(key) + "]"
	case text == "":
		return key
	}
	return text + "." + key
}

func plainKey(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// plain is the value as the schema validator and the JSON encoder take it.
func (n *node) plain() any {
	switch n.shape {
	case isObject:
		m := make(map[string]any, len(n.fields))
		for key, value := range n.fields {
			m[key] = value.plain()
		}
		return m
	case isArray:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	}
	return n.scalar
}

// number brings a number of either syntax to one form, so that 100, 1e2 and 100.0 are one definition with one hash.
func number(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) <= MaxExact {
		return int64(f)
	}
	return f
}

// budget counts what a source unfolds to. Aliases are followed, so a small text may stand for a large tree.
type budget struct{ nodes int }

func (b *budget) spend(depth, line int) *Fault {
	b.nodes++
	switch {
	case depth > maxDepth:
		return &Fault{Line: line, Detail: fmt.Sprintf("nested more than %d deep", maxDepth)}
	case b.nodes > maxNodes:
		return &Fault{Line: line, Detail: fmt.Sprintf("more than %d values, aliases unfolded", maxNodes)}
	}
	return nil
}

// find gives the value at a path, or nil.
func (n *node) find(p path) *node {
	for _, step := range p {
		if n == nil {
			return nil
		}
		n, _ = n.child(step)
	}
	return n
}

func (n *node) has(p path) bool { return n.find(p) != nil }
