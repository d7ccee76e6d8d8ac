package store

import "strconv"

// layout arranges a commit for the script: KEYS, and ARGV in such an order that, if every group applies, the script hands ranges
// of ARGV to commands as they are. commit.lua says what stands where.
type layout struct {
	keys []any
	argv []any
	plan []byte
}

// Fixed places in KEYS and ARGV.
const (
	fixedKeys = 2
	fixedArgs = 5
)

// newLayout arranges c; maxLen limits the change stream.
func newLayout(c *prepared, maxLen int64) *layout {
	l := &layout{
		keys: make([]any, fixedKeys, fixedKeys+3*len(c.groups)+len(c.sets)),
		argv: make([]any, fixedArgs, fixedArgs+c.values),
		plan: make([]byte, 0, 64+24*len(c.groups)),
	}
	l.keys[0], l.keys[1] = string(ChangesKey(c.p)), string(MetaKey(c.p))
	l.plan = packArray(l.plan, 6)
	l.checks(c)
	l.ops(c)
	owners := l.sets(c)
	l.documents(c)
	l.plan = packInt(l.plan, len(l.argv))
	for _, b := range c.blobs {
		l.argv = append(l.argv, b)
	}
	l.argv[0], l.argv[1], l.argv[2], l.argv[3], l.argv[4] = l.plan, string(c.version), strconv.FormatInt(maxLen, 10), c.dict, owners
	return l
}

// key and arg add a value and give its place, counted from 1 as Lua does.
func (l *layout) key(k Key) int {
	l.keys = append(l.keys, string(k))
	return len(l.keys)
}

func (l *layout) arg(v string) int {
	l.argv = append(l.argv, v)
	return len(l.argv)
}

// args adds values and gives the places of the first and the last; the last is before the first if there are none.
func (l *layout) args(vs []string) (first, last int) {
	first = len(l.argv) + 1
	for _, v := range vs {
		l.argv = append(l.argv, v)
	}
	return first, len(l.argv)
}

func (l *layout) checks(c *prepared) {
	fences := map[Key]int{}
	var fenceKeys []int
	checks := make([]int, 0, 7*len(c.groups))
	// Documents come first and one after the other: documents() relies on it.
	doc := fixedKeys
	for i := range c.groups {
		if c.groups[i].Doc != "" {
			l.key(c.groups[i].Doc)
		}
	}
	var lastFence Version
	lastFenceArg := 0
	for i := range c.groups {
		g := &c.groups[i]
		var check [7]int
		if g.Doc != "" {
			doc++
			check[0], check[1] = doc, l.arg(string(g.Expect))
		}
		if g.Fence != "" {
			k := FenceKey(c.p, g.Org)
			place, known := fences[k]
			if !known {
				fenceKeys = append(fenceKeys, l.key(k))
				place = len(fenceKeys)
				fences[k] = place
			}
			if g.Fence != lastFence {
				lastFence, lastFenceArg = g.Fence, l.arg(string(g.Fence))
			}
			check[2], check[3] = place, lastFenceArg
		}
		if len(g.Absent) > 0 {
			check[4] = l.key(g.AbsentIn)
			check[5], check[6] = l.args(g.Absent)
		}
		checks = append(checks, check[:]...)
	}
	l.plan = packInts(l.plan, fenceKeys)
	l.plan = packInts(l.plan, checks)
}

func (l *layout) ops(c *prepared) {
	ops := make([]int, 0, 5*len(c.groups))
	for i := range c.ops {
		for j := range c.ops[i] {
			op := &c.ops[i][j]
			key := l.key(op.Key)
			first, last := l.args(op.Args)
			ops = append(ops, int(op.Kind), key, first, last, i+1)
		}
	}
	l.plan = packInts(l.plan, ops)
}

func (l *layout) sets(c *prepared) (owners []byte) {
	places := make([]int, 0, 5*len(c.sets))
	owners = packArray(nil, 2*len(c.sets))
	for i := range c.sets {
		s := &c.sets[i]
		key := l.key(s.key)
		remFirst, remLast := l.args(s.rem)
		addFirst, addLast := l.args(s.add)
		places = append(places, key, remFirst, remLast, addFirst, addLast)
		owners = packOwners(packOwners(owners, s.remOwner), s.addOwner)
	}
	l.plan = packInts(l.plan, places)
	return owners
}

func packOwners(b []byte, groups []int) []byte {
	b = packArray(b, len(groups))
	for _, g := range groups {
		b = packInt(b, g+1)
	}
	return b
}

func (l *layout) documents(c *prepared) {
	docs := []int{fixedKeys, len(l.argv), 0}
	size := 0
	for i := range c.groups {
		size += VersionLen + len(c.groups[i].Content)
	}
	contents := make([]byte, 0, size)
	for i := range c.groups {
		if c.groups[i].Doc == "" {
			continue
		}
		from := len(contents)
		contents = append(append(contents, c.version...), c.groups[i].Content...)
		l.argv = append(l.argv, contents[from:len(contents):len(contents)])
		docs[2]++
	}
	l.plan = packInts(l.plan, docs)
}

// command is the words of EVAL or EVALSHA.
func (l *layout) command(name, script string) []any {
	words := make([]any, 0, 3+len(l.keys)+len(l.argv))
	words = append(words, name, script, len(l.keys))
	return append(append(words, l.keys...), l.argv...)
}
