package store

import (
	"fmt"
	"strconv"
	"strings"

	"laurel/internal/feed"
)

// decide does for the embedded store what commit.lua does on a server: the checks of w's groups, and the commands of those that apply.
// An error (a key of another type) is w's alone: nothing is written. kinds has the types of keys that are written but not yet in memory; decide
// adds w's. A command that memory refuses must not get into the file: no start would pass it.
func (e *embedded) decide(w *waiting, kinds map[string]string) {
	d := decision{e: e, c: w.c, kinds: kinds, fences: map[Key]any{}, applies: make([]bool, len(w.c.groups))}
	applied := 0
	for i := range w.c.groups {
		ok, err := d.check(i, &w.answer)
		if err != nil {
			w.err = err
			return
		}
		if d.applies[i] = ok; ok {
			applied++
		}
	}
	if applied == 0 {
		return
	}
	d.writes()
	if w.err = d.err; w.err != nil {
		return
	}
	d.change(w)
	d.documents()
	w.block = d.block
}

// decision is one decide.
type decision struct {
	e       *embedded
	c       *prepared
	fences  map[Key]any
	applies []bool
	kinds   map[string]string
	block   [][]string
	err     error // the first key that is of another type
}

func (d *decision) check(i int, a *answer) (bool, error) {
	g := &d.c.groups[i]
	if g.Fence != "" {
		k := FenceKey(d.c.p, g.Org)
		now, known := d.fences[k]
		if !known {
			var err error
			if now, err = d.e.mem.do("GET", string(k)); err != nil {
				return false, err
			}
			d.fences[k] = now
		}
		if doc, err := readDoc(k, now); err != nil || doc.Version != g.Fence {
			return false, a.refuse(i, Outcome{Status: Fenced, Doc: doc}, err)
		}
	}
	if g.Doc != "" {
		now, err := d.e.mem.do("GET", string(g.Doc))
		if err != nil {
			return false, err
		}
		if doc, err := readDoc(g.Doc, now); err != nil || doc.Version != g.Expect {
			return false, a.refuse(i, Outcome{Status: Stale, Doc: doc}, err)
		}
	}
	if len(g.Absent) == 0 {
		return true, nil
	}
	found, err := d.present(g)
	if err == nil && len(found) == 0 {
		return true, nil
	}
	return false, a.refuse(i, Outcome{Status: Exists, Found: found}, err)
}

func (a *answer) refuse(i int, o Outcome, err error) error {
	if a.failed == nil {
		a.failed = map[int]Outcome{}
	}
	a.failed[i] = o
	return err
}

func (d *decision) present(g *Group) (map[string]string, error) {
	reply, err := d.e.mem.do(append([]string{"HMGET", string(g.AbsentIn)}, g.Absent...)...)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	values, _ := reply.([]any)
	for i, v := range values {
		if text, ok := v.(string); ok {
			found[g.Absent[i]] = text
		}
	}
	return found, nil
}

func (d *decision) add(words ...string) { d.block = append(d.block, words) }

// holds notes that a key is about to hold a kind of value, which must be the one it holds.
func (d *decision) holds(key Key, kind string) {
	now, known := d.kinds[string(key)]
	if !known {
		now = d.e.mem.mini.Type(string(key))
	}
	if now != "" && now != kind && d.err == nil {
		d.err = fmt.Errorf("key %q holds a %s, not a %s", key, now, kind)
	}
	d.kinds[string(key)] = kind
}

// addChunks adds a command for at most maxUnpack values each, so that a real server can load the file.
func (d *decision) addChunks(name string, key Key, values []string) {
	for len(values) > 0 {
		n := min(len(values), maxUnpack)
		d.add(append([]string{name, string(key)}, values[:n]...)...)
		values = values[n:]
	}
}

// commandOf names a plain write of many values, and the kind of key that it needs.
func commandOf(k OpKind) (name, kind string) {
	switch k {
	case OpHSet:
		return "HSET", "hash"
	case OpHDel:
		return "HDEL", "hash"
	case OpZAdd:
		return "ZADD", "zset"
	case OpXDel:
		return "XDEL", "stream"
	default:
		return "ZREM", "zset"
	}
}

func (d *decision) writes() {
	for i := range d.c.ops {
		if !d.applies[i] {
			continue
		}
		for j := range d.c.ops[i] {
			d.write(&d.c.ops[i][j].Op)
		}
	}
	for i := range d.c.sets {
		s := &d.c.sets[i]
		rem, add := d.kept(s.rem, s.remOwner, 1), d.kept(s.add, s.addOwner, 2)
		if len(rem)+len(add) > 0 {
			d.holds(s.key, "zset")
		}
		d.addChunks("ZREM", s.key, rem)
		d.addChunks("ZADD", s.key, add)
	}
}

func (d *decision) write(op *Op) {
	switch op.Kind {
	case OpDel:
		d.add("DEL", string(op.Key))
		d.kinds[string(op.Key)] = ""
	case OpSet:
		d.add("SET", string(op.Key), op.Args[0])
		d.kinds[string(op.Key)] = "string"
	case OpAppend:
		d.append(op.Key, op.Keep, 1, op.Args...)
	case opEvents:
		d.append(op.Key, OutboxKeep, 1+strings.Count(op.Args[2], "\n"), eventOrg, op.Args[0], eventUser, op.Args[1], eventBody, op.Args[2])
	default:
		name, kind := commandOf(op.Kind)
		d.holds(op.Key, kind)
		d.addChunks(name, op.Key, op.Args)
	}
}

// append adds an entry to a stream, of which it takes n ids: its own is the last.
func (d *decision) append(key Key, keep, n int, fields ...string) {
	d.holds(key, "stream")
	words := []string{"XADD", string(key)}
	if keep > 0 {
		words = append(words, "MAXLEN", strconv.Itoa(keep))
	}
	d.add(append(append(words, d.e.nextIDs(key, n).String()), fields...)...)
}

// kept gives the values whose group applies; each owner has width of them.
func (d *decision) kept(values []string, owners []int, width int) []string {
	out := make([]string, 0, len(values))
	for i, group := range owners {
		if d.applies[group] {
			out = append(out, values[i*width:(i+1)*width]...)
		}
	}
	return out
}

// change adds the entry of the change stream.
func (d *decision) change(w *waiting) {
	key := ChangesKey(d.c.p)
	w.answer.prev = d.e.ids[key]
	w.answer.id = d.e.nextID(key)
	var blob []byte
	from := 0
	for i, n := range d.c.lengths {
		if d.applies[i] {
			blob = append(blob, d.c.blobs[from:from+n]...)
		}
		from += n
	}
	w.keep = int(d.e.sizes.maxLen(d.c))
	w.entry = &entry{id: w.answer.id, version: string(d.c.version), prev: w.answer.prev.String(), boards: string(d.c.dict), groups: string(blob)}
	d.add("XADD", string(key), "MAXLEN", strconv.Itoa(w.keep), w.answer.id.String(),
		fieldVersion, w.entry.version, fieldPrev, w.entry.prev, fieldBoards, w.entry.boards, fieldGroups, w.entry.groups)
	d.add("HSET", string(MetaKey(d.c.p)), metaLast, w.answer.id.String())
}

func (d *decision) documents() {
	var pairs []string
	for i := range d.c.groups {
		g := &d.c.groups[i]
		switch {
		case !d.applies[i] || g.Doc == "":
		case g.Delete:
			d.add("DEL", string(g.Doc))
			d.kinds[string(g.Doc)] = ""
		default:
			pairs = append(pairs, string(g.Doc), string(d.c.version)+string(g.Content))
			d.kinds[string(g.Doc)] = "string"
		}
	}
	for len(pairs) > 0 {
		n := min(len(pairs), maxUnpack)
		d.add(append([]string{"MSET"}, pairs[:n]...)...)
		pairs = pairs[n:]
	}
}

func (e *embedded) nextID(k Key) feed.Position { return e.nextIDs(k, 1) }

// nextIDs is the last of the next n ids of a stream: of now, but after the last one whatever the clock does.
func (e *embedded) nextIDs(k Key, n int) feed.Position {
	last := e.ids[k]
	id := feed.Position{Ms: uint64(max(e.now().UnixMilli(), 0))}
	if id.Compare(last) <= 0 {
		id = feed.Position{Ms: last.Ms, Seq: last.Seq + 1}
	}
	if id == (feed.Position{}) {
		id.Seq = 1
	}
	id.Seq += uint64(n - 1)
	e.ids[k] = id
	return id
}
