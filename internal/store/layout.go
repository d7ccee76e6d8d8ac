package store

import (
	"bytes"
	"strconv"
)

// layout arranges a commit for the script: KEYS, and ARGV with the values of all groups packed into a few strings. commit.lua says what stands
// where.
type layout struct {
	keys   []string
	plan   []byte
	values []byte // of the groups, packed one after the other
	count  int    // of values
	owners []byte
	chunks [][]byte
	args   [fixedArgs]any
}

// Fixed places in KEYS and ARGV.
const (
	fixedKeys = 3
	fixedArgs = 7
)

// newLayout arranges c; maxLen limits the change stream.
func newLayout(c *prepared, maxLen int64) *layout {
	l := &layout{
		keys:   make([]string, fixedKeys, fixedKeys+3*len(c.groups)+len(c.sets)),
		plan:   make([]byte, 0, 256),
		values: make([]byte, packedHead, packedHead+c.size),
		owners: make([]byte, 0, 64+2*c.values),
	}
	l.keys[0], l.keys[1], l.keys[2] = string(ChangesKey(c.p)), string(MetaKey(c.p)), string(OutboxKey(c.p))
	l.plan = packArray(l.plan, 6)
	guard := l.guards(c)
	l.groups(c, guard)
	l.sets(c)
	l.plan = packInt(l.plan, OutboxKeep)
	l.args = [fixedArgs]any{l.plan, string(c.version), strconv.FormatInt(maxLen, 10), c.dict, closeArray(l.values, l.count), c.blobs, l.owners}
	return l
}

// guards puts the fences into KEYS and what they must be into the plan. It returns the guard of each group, 0 for none.
func (l *layout) guards(c *prepared) (of []int) {
	type guard struct {
		fence   Key
		version Version
	}
	fences, guards := map[Key]int{}, map[guard]int{}
	var packed []byte
	of = make([]int, len(c.groups))
	for i := range c.groups {
		g := &c.groups[i]
		if g.Fence == "" {
			continue
		}
		if i > 0 && g.Fence == c.groups[i-1].Fence && g.Org == c.groups[i-1].Org {
			of[i] = of[i-1]
			continue
		}
		k := FenceKey(c.p, g.Org)
		if fences[k] == 0 {
			l.keys = append(l.keys, string(k))
			fences[k] = len(fences) + 1
		}
		if guards[guard{k, g.Fence}] == 0 {
			guards[guard{k, g.Fence}] = len(guards) + 1
			packed = packText(packInt(packed, fences[k]), g.Fence)
		}
		of[i] = guards[guard{k, g.Fence}]
	}
	l.plan = packInt(l.plan, len(fences))
	l.plan = append(packArray(l.plan, 2*len(guards)), packed...)
	return of
}

// groups puts the documents into KEYS, then what else the groups have, and their forms into the plan: one after the other of a form is one run.
func (l *layout) groups(c *prepared, guard []int) {
	documents := len(l.keys)
	for i := range c.groups {
		if c.groups[i].Doc != "" {
			l.keys = append(l.keys, string(c.groups[i].Doc))
		}
	}
	l.plan = packInt(l.plan, len(l.keys)-documents)
	var packed, form, last []byte
	runs, length := 0, 0
	for i := range c.groups {
		form = l.group(form[:0], c, i, guard[i])
		if i > 0 && bytes.Equal(form, last) {
			length++
			continue
		}
		if i > 0 {
			packed = append(packInt(packed, length), last...)
		}
		runs, length = runs+1, 1
		form, last = last, form
	}
	packed = append(packInt(packed, length), last...)
	l.plan = append(packArray(l.plan, 2*runs), packed...)
}

// group adds the keys and values of group i and appends its form.
func (l *layout) group(form []byte, c *prepared, i, guard int) []byte {
	g := &c.groups[i]
	keys, values := len(l.keys), l.count
	guarded := 0
	if g.Doc != "" {
		guarded = 1
		l.value(string(g.Expect))
	}
	if len(g.Absent) > 0 {
		l.keys = append(l.keys, string(g.AbsentIn))
		for _, f := range g.Absent {
			l.value(f)
		}
	}
	var room [16]byte
	writes := room[:0]
	for j := range c.ops[i] {
		op := &c.ops[i][j]
		again := j > 0 && op.Key == c.ops[i][j-1].Key || j == 0 && len(g.Absent) > 0 && op.Key == g.AbsentIn // it is the last key already
		if !again && op.Kind != opEvents {
			l.keys = append(l.keys, string(op.Key))
		}
		target := len(l.keys) - keys
		if op.Kind == opEvents {
			target = len(g.Events)
		}
		args, first := op.Args, l.count-values+1
		if op.Kind == OpAppend {
			args = op.appending()
		}
		if j == 0 && len(g.Absent) == 1 && op.Kind == OpHSet && args[0] == g.Absent[0] {
			args, first = args[1:], first-1 // the id that must be absent is the field that is set, and the last value so far
		}
		for _, a := range args {
			l.value(a)
		}
		writes = packInt(packInt(writes, int(op.Kind)), target)
		writes = packInt(packInt(writes, first), l.count-values)
	}
	switch {
	case g.Delete:
		l.value("")
	case g.Doc != "":
		l.values = packHead(l.values, VersionLen+len(g.Content))
		l.values = append(append(l.values, c.version...), g.Content...)
		l.count++
	}
	form = packArray(form, 5+4*len(c.ops[i]))
	form = packInt(packInt(packInt(form, guarded), guard), len(g.Absent))
	form = packInt(packInt(form, len(l.keys)-keys), l.count-values)
	return append(form, writes...)
}

func (l *layout) value(v string) {
	l.values = packText(l.values, v)
	l.count++
}

// sets puts the sorted sets into KEYS and their writes into chunks, and notes whose they are.
func (l *layout) sets(c *prepared) {
	l.plan = packArray(l.plan, 2*len(c.sets))
	var owners []byte
	for i := range c.sets {
		s := &c.sets[i]
		l.keys = append(l.keys, string(s.key))
		before := len(l.chunks)
		owners = l.chunk(owners, s.rem, s.remOwner, 1)
		removed := len(l.chunks)
		owners = l.chunk(owners, s.add, s.addOwner, 2)
		l.plan = packInt(packInt(l.plan, removed-before), len(l.chunks)-removed)
	}
	l.owners = packInts(packArray(l.owners, 1+len(l.chunks)), c.lengths)
	l.owners = append(l.owners, owners...)
}

// chunk packs values, of which each owner has width, in chunks that fit on Lua's stack.
func (l *layout) chunk(packed []byte, values []string, owners []int, width int) []byte {
	for len(owners) > 0 {
		n := min(len(owners), maxUnpack/width)
		b := make([]byte, 0, 48*n)
		for _, v := range values[:n*width] {
			b = packText(b, v)
		}
		l.chunks = append(l.chunks, b)
		packed = packArray(packed, n)
		for _, g := range owners[:n] {
			packed = packInt(packed, g+1)
		}
		values, owners = values[n*width:], owners[n:]
	}
	return packed
}

// command is the words of EVAL or EVALSHA.
func (l *layout) command(name, script string) []any {
	words := make([]any, 0, 3+len(l.keys)+fixedArgs+len(l.chunks))
	words = append(words, name, script, len(l.keys))
	for i := range l.keys {
		words = append(words, &l.keys[i]) // a pointer fits into an any as it is
	}
	words = append(words, l.args[:]...)
	for i := range l.chunks {
		words = append(words, l.chunks[i])
	}
	return words
}

// appending is what XADD takes after the key.
func (op *Op) appending() []string {
	words := make([]string, 0, len(op.Args)+4)
	if op.Keep > 0 {
		words = append(words, "MAXLEN", "~", strconv.Itoa(op.Keep))
	}
	return append(append(words, "*"), op.Args...)
}
