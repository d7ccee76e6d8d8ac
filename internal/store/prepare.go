package store

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"laurel/internal/feed"
)

// Limits of one commit. Redis refuses a request of 2^20 values; both are far above what a batch of activities needs.
const (
	maxCommitValues = 1_000_000
	maxCommitBytes  = 64 << 20
	maxUnpack       = 1000    // values given to one command of the script; even, so that pairs stay together
	maxScore        = 1 << 53 // beyond it a double, which a sorted set's score is, skips whole numbers
)

// ErrTooLarge says that a commit has more bytes or values than one script call takes. Nothing was written; split it.
var ErrTooLarge = errors.New("commit is too large")

// prepared is a commit that was checked and arranged: what both drivers work from.
type prepared struct {
	p       Partition
	version Version
	groups  []Group
	ops     [][]joinedOp // the plain writes of each group, consecutive ones to one key joined
	sets    []setOps     // the sorted-set writes of all groups, joined by key
	dict    []byte       // the boards of the commit, as a change entry has them
	blobs   []byte       // what a change entry says of the groups, one after the other
	lengths []int        // of each group's part of it
	values  int          // roughly what a script call has to carry
	bytes   int
	size    int             // of it, what the groups' values take: versions, fields, arguments, documents
	rows    int             // writes to boards
	text    strings.Builder // members and scores: one piece of memory instead of one each
}

// joinedOp is a plain write. owned says that its arguments are no longer the caller's, and may grow.
type joinedOp struct {
	Op
	owned bool
}

// setOps are the writes of all groups to one sorted set. Each member is written by one group.
type setOps struct {
	key      Key
	rem      []string // members
	remOwner []int    // the group of each
	add      []string // score, member pairs
	addOwner []int    // the group of each pair
}

// prepare checks the groups and arranges their writes.
func prepare(p Partition, version Version, groups []Group) (*prepared, error) {
	c := &prepared{p: p, version: version, groups: groups, ops: make([][]joinedOp, len(groups)), lengths: make([]int, len(groups))}
	if err := c.checkGuards(); err != nil {
		return nil, err
	}
	alone, err := c.checkOps()
	if err != nil {
		return nil, err
	}
	sets := map[Key]int{}
	for i := range groups {
		c.joinOps(i, alone, sets)
	}
	c.size = c.bytes
	if err := c.joinBoards(sets); err != nil {
		return nil, err
	}
	if c.values > maxCommitValues || c.bytes > maxCommitBytes {
		return nil, fmt.Errorf("%w: %d values, %d bytes (at most %d, %d)", ErrTooLarge, c.values, c.bytes, maxCommitValues, maxCommitBytes)
	}
	return c, nil
}

// carry counts what a script call has to carry for one value.
func (c *prepared) carry(n int) {
	c.values++
	c.bytes += n + 16
}

// checkGuards refuses a document that guards two groups: which of them applies would depend on the order.
func (c *prepared) checkGuards() error {
	tag := c.p.tag()
	docs := make(map[Key]struct{}, len(c.groups))
	for i := range c.groups {
		g := &c.groups[i]
		if g.Doc != "" {
			if _, twice := docs[g.Doc]; twice {
				return fmt.Errorf("commit: document %q guards two groups", g.Doc)
			}
			docs[g.Doc] = struct{}{}
			c.carry(len(g.Doc))
			c.carry(len(g.Content) + VersionLen)
		}
		if err := checkVersions(g); err != nil {
			return err
		}
		if err := c.checkEvents(g); err != nil {
			return err
		}
		if g.ProfileChanged && g.User == "" {
			return errors.New("commit: a profile changed, of no user")
		}
		if g.Delete && (g.Doc == "" || g.Expect == "" || len(g.Content) > 0) {
			return fmt.Errorf("commit: a deletion of %q needs a document, a version to expect, and no content", g.Doc)
		}
		for _, k := range []Key{g.Doc, g.AbsentIn} {
			if k != "" && !strings.HasPrefix(string(k), tag) {
				return fmt.Errorf("commit: key %q is not of partition %d", k, c.p)
			}
		}
		if len(g.Absent) > 0 && g.AbsentIn == "" {
			return errors.New("commit: Absent without AbsentIn")
		}
		for _, f := range g.Absent {
			c.carry(len(f))
		}
	}
	return nil
}

func checkVersions(g *Group) error {
	for _, v := range []Version{g.Fence, g.Expect} {
		if v != "" && len(v) != VersionLen {
			return fmt.Errorf("commit: %q is not a version", v)
		}
	}
	return nil
}

// setMember names a member of a sorted set.
type setMember struct {
	key    Key
	member string
}

// checkOps checks the plain writes. alone has the sorted sets whose writes stay in order, because the order matters: a member is written
// twice, or the whole set is deleted.
func (c *prepared) checkOps() (alone map[Key]bool, err error) {
	alone = map[Key]bool{}
	members := map[setMember]struct{}{}
	for i := range c.groups {
		for j := range c.groups[i].Writes {
			op := &c.groups[i].Writes[j]
			if err := c.checkOp(&c.groups[i], op); err != nil {
				return nil, err
			}
			switch op.Kind {
			case OpDel:
				alone[op.Key] = true
			case OpZAdd:
				markRepeated(alone, members, op, 1, 2)
			case OpZRem:
				markRepeated(alone, members, op, 0, 1)
			}
		}
	}
	return alone, nil
}

func markRepeated(alone map[Key]bool, members map[setMember]struct{}, op *Op, from, step int) {
	for i := from; i < len(op.Args); i += step {
		m := setMember{op.Key, op.Args[i]}
		if _, repeated := members[m]; repeated {
			alone[op.Key] = true
		}
		members[m] = struct{}{}
	}
}

// checkOp refuses what a command would refuse. A command that fails in the middle of a script leaves the ones before it done.
func (c *prepared) checkOp(g *Group, op *Op) error {
	if !strings.HasPrefix(string(op.Key), c.p.tag()) {
		return fmt.Errorf("commit: key %q is not of partition %d", op.Key, c.p)
	}
	c.carry(len(op.Key))
	for _, a := range op.Args {
		c.carry(len(a))
	}
	n, ok := len(op.Args), false
	switch op.Kind {
	case OpSet:
		ok = n == 1
	case OpDel:
		ok = n == 0
	case OpHSet:
		ok = n > 0 && n%2 == 0
	case OpHDel, OpZRem:
		ok = n > 0
	case OpZAdd:
		ok = n > 0 && n%2 == 0 && validScores(op.Args)
	case OpXDel:
		ok = n > 0 && validPositions(op.Args)
	case OpAppend:
		ok = n > 0 && n%2 == 0 && n <= maxUnpack && op.Keep >= 0
		if g.Doc == "" {
			return fmt.Errorf("commit: append to %q needs a guarding document: a lost reply would repeat it", op.Key)
		}
	}
	if !ok {
		return fmt.Errorf("commit: write %d to %q has bad arguments (%d)", op.Kind, op.Key, n)
	}
	return nil
}

func validScores(pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		f, err := strconv.ParseFloat(pairs[i], 64)
		if err != nil || f != f {
			return false
		}
	}
	return true
}

// joinOps takes over the writes of group i: those to sorted sets into the sets, the others into its list, where consecutive writes of a kind
// to one key become one.
func (c *prepared) joinOps(i int, alone map[Key]bool, sets map[Key]int) {
	g := &c.groups[i]
	ops := make([]joinedOp, 0, len(g.Writes)+len(g.Events)+1)
	for _, op := range g.Writes {
		switch {
		case op.Kind == OpZAdd && !alone[op.Key]:
			s := c.set(op.Key, sets)
			s.add = append(s.add, op.Args...)
			for range len(op.Args) / 2 {
				s.addOwner = append(s.addOwner, i)
			}
		case op.Kind == OpZRem && !alone[op.Key]:
			s := c.set(op.Key, sets)
			s.rem = append(s.rem, op.Args...)
			for range op.Args {
				s.remOwner = append(s.remOwner, i)
			}
		default:
			ops = joinOp(ops, op)
		}
	}
	if len(g.Events) > 0 {
		ops = append(ops, joinedOp{Op: eventsOp(c.p, g)})
	}
	if org, ok := strings.CutPrefix(string(g.Doc), catalogPrefix); ok {
		ops = joinOp(ops, Op{Kind: OpHSet, Key: catalogsKey(), Args: []string{org, ""}})
	}
	c.ops[i] = ops
}

// joinWindow bounds how far back joinOp looks for a write to the same key.
const joinWindow = 8

func joinOp(ops []joinedOp, op Op) []joinedOp {
	joinable := op.Kind == OpHSet || op.Kind == OpHDel || op.Kind == OpZAdd || op.Kind == OpZRem
	for i := len(ops) - 1; joinable && i >= max(0, len(ops)-joinWindow); i-- {
		if ops[i].Key != op.Key {
			continue
		}
		if ops[i].Kind == op.Kind {
			if !ops[i].owned {
				ops[i].Args, ops[i].owned = slices.Clip(ops[i].Args), true // append then copies
			}
			ops[i].Args = append(ops[i].Args, op.Args...)
			return ops
		}
		break
	}
	return append(ops, joinedOp{Op: op})
}

func (c *prepared) set(key Key, sets map[Key]int) *setOps {
	n, ok := sets[key]
	if !ok {
		n = len(c.sets)
		sets[key] = n
		c.sets = append(c.sets, setOps{key: key})
	}
	return &c.sets[n]
}

// dropped stands for the place in c.sets of a board that the commit drops.
const dropped = -1

// joinBoards joins the board writes of all groups by board and encodes what followers learn of each group.
func (c *prepared) joinBoards(sets map[Key]int) error {
	total := 0
	for i := range c.groups {
		total += len(c.groups[i].Boards)
	}
	c.rows = total
	places := map[feed.Board]int{} // in the dictionary
	keys := make([]int, 0, 16)     // board → place in c.sets
	rows := c.newRows(total)
	at := make([]int, 0, 16)
	c.text.Grow(total * 48)
	c.blobs = make([]byte, 0, len(c.groups)*64+total*16)
	for i := range c.groups {
		g := &c.groups[i]
		at = at[:0]
		for j := range g.Boards {
			w := &g.Boards[j]
			place := j // groups mostly write the same boards in the same order
			if place >= len(keys) || rows.boards[place] != w.Board {
				known := false
				if place, known = places[w.Board]; !known {
					place = len(keys)
					places[w.Board] = place
					c.set(BoardKey(c.p, w.Board), sets).grow(len(c.groups))
					keys = append(keys, sets[BoardKey(c.p, w.Board)])
					rows.boards = append(rows.boards, w.Board)
					c.dict = appendBoard(c.dict, w.Board)
				}
			}
			if keys[place] == dropped {
				return fmt.Errorf("commit: board %v is dropped and written", w.Board)
			}
			if rows.twice(place, w.User, at) {
				return fmt.Errorf("commit: two writes to user %q on board %v", w.User, w.Board)
			}
			if err := c.joinBoard(&c.sets[keys[place]], i, w); err != nil {
				return err
			}
			at = append(at, place)
		}
		for _, b := range g.Drops {
			if _, known := places[b]; known {
				return fmt.Errorf("commit: board %v is dropped and written, or dropped twice", b)
			}
			places[b] = len(keys)
			at = append(at, len(keys))
			keys = append(keys, dropped)
			rows.boards = append(rows.boards, b)
			c.dict = appendBoard(c.dict, b)
			c.ops[i] = append(c.ops[i], joinedOp{Op: Op{Kind: OpDel, Key: BoardKey(c.p, b)}})
			c.carry(len(b.Org) + len(b.Rule) + len(b.Label))
		}
		from := len(c.blobs)
		c.blobs = appendGroup(c.blobs, g, at)
		c.lengths[i] = len(c.blobs) - from
		c.carry(c.lengths[i])
	}
	return nil
}

func (c *prepared) joinBoard(s *setOps, group int, w *BoardWrite) error {
	if w.User == "" {
		return fmt.Errorf("commit: write to board %v without a user", w.Board)
	}
	for _, st := range []*Standing{w.Old, w.New} {
		if st != nil && (st.Value > maxScore || st.Value < -maxScore || st.Reached < 0 || st.Reached > maxReached) {
			return fmt.Errorf("commit: standing %+v of user %q is out of range", *st, w.User)
		}
	}
	var member string
	if w.New != nil {
		member = c.member(w.New, w)
		s.add = append(s.add, c.number(w.New.Value), member)
		s.addOwner = append(s.addOwner, group)
		c.carry(len(member))
		c.carry(8)
	}
	if w.Old != nil {
		// A standing that keeps its time keeps its member: ZADD then moves it.
		if old := c.member(w.Old, w); old != member {
			s.rem = append(s.rem, old)
			s.remOwner = append(s.remOwner, group)
			c.carry(len(old))
		}
	}
	return nil
}

// change is what followers see if exactly the groups apply for which applies says so. ID and Prev are for the caller to set.
func (c *prepared) change(applies func(group int) bool) feed.Change {
	ch := feed.Change{Partition: int(c.p)}
	for i := range c.groups {
		if !applies(i) {
			continue
		}
		g := &c.groups[i]
		if g.User != "" {
			ch.Users = append(roomFor(ch.Users, len(c.groups)), g.userVersion(string(c.version)))
		}
		if g.ProfileChanged {
			ch.Profiles = append(ch.Profiles, feed.UserKey{Org: g.Org, User: g.User})
		}
		if g.OrgChanged && !slices.Contains(ch.Orgs, g.Org) {
			ch.Orgs = append(ch.Orgs, g.Org)
		}
		for j := range g.Boards {
			ch.Writes = append(roomFor(ch.Writes, c.rows), g.Boards[j].write())
		}
		ch.Dropped = append(ch.Dropped, g.Drops...)
		for _, body := range g.Events {
			ch.Events = append(ch.Events, feed.Event{Org: g.Org, User: g.User, Body: body})
		}
	}
	return ch
}
