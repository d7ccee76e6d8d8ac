package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// modelStore is what a store should be: plain maps, changed by one group after the other.
type modelStore struct {
	docs    map[store.Key]store.Doc
	hashes  map[store.Key]map[string]string
	due     map[string]float64
	boards  map[feed.Board]map[activity.User]store.Standing
	changes []feed.Change
	outbox  []string // the bodies, "" for an entry that is no event
}

func newModel() *modelStore {
	return &modelStore{docs: map[store.Key]store.Doc{}, hashes: map[store.Key]map[string]string{}, due: map[string]float64{},
		boards: map[feed.Board]map[activity.User]store.Standing{}}
}

var (
	modelUsers  = []activity.User{"ann", "bob", "c:d", "dän"}
	modelFields = []string{"f1", "f2", "f3"}
	modelMember = []string{"m1", "m2", "m3"}
	modelBoards = []feed.Board{weekly(1), weekly(2)}
)

// outcome is what the store should say of a group before anything of its commit is written.
func (m *modelStore) outcome(g *store.Group) store.Outcome {
	fence := store.FenceKey(0, g.Org)
	if g.Fence != "" && m.docs[fence].Version != g.Fence {
		return store.Outcome{Status: store.Fenced, Doc: m.doc(fence)}
	}
	if g.Doc != "" && m.docs[g.Doc].Version != g.Expect {
		return store.Outcome{Status: store.Stale, Doc: m.doc(g.Doc)}
	}
	found := map[string]string{}
	for _, f := range g.Absent {
		if v, ok := m.hashes[g.AbsentIn][f]; ok {
			found[f] = v
		}
	}
	if len(found) > 0 {
		return store.Outcome{Status: store.Exists, Found: found}
	}
	return store.Outcome{Status: store.Applied}
}

func (m *modelStore) doc(k store.Key) store.Doc {
	d := m.docs[k]
	d.Key = k
	return d
}

func (m *modelStore) apply(g *store.Group, v store.Version) {
	for _, op := range g.Writes {
		m.write(op)
	}
	for _, w := range g.Boards {
		if w.New == nil {
			delete(m.boards[w.Board], w.User)
			continue
		}
		if m.boards[w.Board] == nil {
			m.boards[w.Board] = map[activity.User]store.Standing{}
		}
		m.boards[w.Board][w.User] = *w.New
	}
	for _, b := range g.Drops {
		delete(m.boards, b)
	}
	if g.Delete {
		delete(m.docs, g.Doc)
	} else if g.Doc != "" {
		m.docs[g.Doc] = store.Doc{Key: g.Doc, Version: v, Content: g.Content}
	}
}

func (m *modelStore) write(op store.Op) {
	switch op.Kind {
	case store.OpHSet:
		if m.hashes[op.Key] == nil {
			m.hashes[op.Key] = map[string]string{}
		}
		for i := 0; i < len(op.Args); i += 2 {
			m.hashes[op.Key][op.Args[i]] = op.Args[i+1]
		}
	case store.OpHDel:
		for _, f := range op.Args {
			delete(m.hashes[op.Key], f)
		}
	case store.OpZAdd:
		for i := 0; i < len(op.Args); i += 2 {
			m.due[op.Args[i+1]], _ = strconv.ParseFloat(op.Args[i], 64)
		}
	case store.OpZRem:
		for _, f := range op.Args {
			delete(m.due, f)
		}
	case store.OpDel:
		delete(m.hashes, op.Key)
		if op.Key == store.DueKey(0) {
			clear(m.due)
		}
	case store.OpAppend:
		m.outbox = append(m.outbox, "")
	}
}

// commit is what a commit should answer; position and version are the store's to choose.
func (m *modelStore) commit(groups []store.Group, r store.Result) store.Result {
	want := store.Result{Version: r.Version, Durability: r.Durability}
	change := feed.Change{ID: r.Position}
	if n := len(m.changes); n > 0 {
		change.Prev = m.changes[n-1].ID
	}
	for i := range groups {
		want.Outcomes = append(want.Outcomes, m.outcome(&groups[i]))
	}
	applied := false
	for i := range groups {
		g := &groups[i]
		if want.Outcomes[i].Status != store.Applied {
			continue
		}
		applied = true
		m.apply(g, r.Version)
		if g.User != "" {
			version := string(r.Version)
			if g.Delete {
				version = ""
			}
			change.Users = append(change.Users, feed.UserVersion{Org: g.Org, User: g.User, Version: version})
		}
		if g.ProfileChanged {
			change.Profiles = append(change.Profiles, feed.UserKey{Org: g.Org, User: g.User})
		}
		if g.OrgChanged && !slices.Contains(change.Orgs, g.Org) {
			change.Orgs = append(change.Orgs, g.Org)
		}
		for _, w := range g.Boards {
			fw := feed.Write{Board: w.Board, User: w.User, Removed: w.New == nil}
			if w.New != nil {
				fw.Value = w.New.Value
				fw.Reached = calendar.Instant(w.New.Reached)
			}
			change.Writes = append(change.Writes, fw)
		}
		change.Dropped = append(change.Dropped, g.Drops...)
		for _, body := range g.Events {
			m.outbox = append(m.outbox, string(body))
			change.Events = append(change.Events, feed.Event{Org: g.Org, User: g.User, Body: body})
		}
	}
	if applied {
		m.changes = append(m.changes, change)
		want.Change, want.Position = change, r.Position
	}
	return want
}

// drawGroups draws a commit. Each user is in one group at most; a version, a fence or an absent field is now and then wrong.
func (m *modelStore) drawGroups(t *rapid.T) []store.Group {
	var groups []store.Group
	fence := store.FenceKey(0, org)
	if rapid.IntRange(0, 5).Draw(t, "publish") == 0 {
		groups = append(groups, store.Group{Org: org, Doc: fence, Expect: m.docs[fence].Version, Content: []byte("f"), OrgChanged: true})
	}
	for _, u := range modelUsers {
		if rapid.IntRange(0, 2).Draw(t, "user") > 0 {
			groups = append(groups, m.drawGroup(t, u))
		}
	}
	for _, b := range modelBoards { // one that the commit drops is written by none of its groups
		if len(groups) == 0 || rapid.IntRange(0, 7).Draw(t, "drop") > 0 {
			continue
		}
		for i := range groups {
			groups[i].Boards = slices.DeleteFunc(groups[i].Boards, func(w store.BoardWrite) bool { return w.Board == b })
		}
		i := rapid.IntRange(0, len(groups)-1).Draw(t, "dropped by")
		groups[i].Drops = append(groups[i].Drops, b)
	}
	return groups
}

func (m *modelStore) drawGroup(t *rapid.T, u activity.User) store.Group {
	g := store.Group{Org: org, User: u}
	often := func(name string) bool { return rapid.IntRange(0, 7).Draw(t, name) > 0 }
	if often("guarded") {
		g.Doc, g.Expect, g.Content = state(u), m.docs[state(u)].Version, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "content")
		if !often("fresh") {
			g.Expect = "stale123"
		}
		if g.Expect != "" && !often("kept") {
			g.Delete, g.Content = true, nil
		}
	}
	if rapid.Bool().Draw(t, "fenced") {
		g.Fence = m.docs[store.FenceKey(0, org)].Version
		if !often("fence holds") {
			g.Fence = "fence123"
		}
	}
	g.ProfileChanged = rapid.Bool().Draw(t, "profile changed")
	log := store.LogKey(0, org, u)
	if often("absent") {
		g.AbsentIn, g.Absent = log, []string{rapid.SampledFrom(modelFields).Draw(t, "absent field")}
		if rapid.Bool().Draw(t, "record") {
			g.Writes = []store.Op{{Kind: store.OpHSet, Key: log, Args: []string{g.Absent[0], "record"}}}
		}
	}
	for range rapid.IntRange(0, 4).Draw(t, "writes") {
		g.Writes = append(g.Writes, drawOp(t, log, g.Doc != ""))
	}
	if g.Doc != "" && !g.Delete {
		for range rapid.IntRange(0, 3).Draw(t, "events") {
			g.Events = append(g.Events, fmt.Appendf(nil, `{"n":%d}`, rapid.IntRange(0, 1<<20).Draw(t, "event")))
		}
	}
	for _, b := range modelBoards {
		if rapid.Bool().Draw(t, "board") {
			g.Boards = append(g.Boards, m.drawBoard(t, b, u))
		}
	}
	return g
}

func drawOp(t *rapid.T, log store.Key, guarded bool) store.Op {
	field, member := rapid.SampledFrom(modelFields), rapid.SampledFrom(modelMember)
	number := func() string { return strconv.Itoa(rapid.IntRange(-3, 3).Draw(t, "number")) }
	switch rapid.IntRange(0, 6).Draw(t, "op") {
	case 0, 1:
		return store.Op{Kind: store.OpHSet, Key: log, Args: []string{field.Draw(t, "field"), number(), field.Draw(t, "field"), number()}}
	case 2:
		return store.Op{Kind: store.OpHDel, Key: log, Args: []string{field.Draw(t, "field")}}
	case 3:
		return store.Op{Kind: store.OpZAdd, Key: store.DueKey(0), Args: []string{number(), member.Draw(t, "member")}}
	case 4:
		return store.Op{Kind: store.OpZRem, Key: store.DueKey(0), Args: []string{member.Draw(t, "member")}}
	case 5:
		if guarded {
			return store.Op{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"n", number()}}
		}
		fallthrough
	default:
		return store.Op{Kind: store.OpDel, Key: rapid.SampledFrom([]store.Key{log, store.DueKey(0)}).Draw(t, "key")}
	}
}

func (m *modelStore) drawBoard(t *rapid.T, b feed.Board, u activity.User) store.BoardWrite {
	w := store.BoardWrite{Board: b, User: u, Ascending: b == modelBoards[1]}
	if was, ok := m.boards[b][u]; ok {
		w.Old = &was
	}
	if rapid.IntRange(0, 4).Draw(t, "stays") > 0 {
		w.New = &store.Standing{Value: rapid.Int64Range(-1<<53, 1<<53).Draw(t, "value"), Reached: rapid.Int64Range(0, 1<<48-1).Draw(t, "reached")}
	}
	return w
}

// compare reads everything back.
func (m *modelStore) compare(t *rapid.T, h *harness) {
	ctx := context.Background()
	equal := func(what string, want, got any) {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", what, diff)
		}
	}
	for _, u := range modelUsers {
		d := h.doc(state(u))
		want := m.doc(state(u))
		equal("document", [3]string{string(want.Key), string(want.Version), string(want.Content)}, [3]string{string(d.Key), string(d.Version), string(d.Content)})
		log := maps.Clone(m.hashes[store.LogKey(0, org, u)])
		if log == nil {
			log = map[string]string{}
		}
		equal("log", log, h.hash(store.LogKey(0, org, u)))
	}
	due, err := h.Due(ctx, 0, 100, 100)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, d := range due {
		got[d.Member] = float64(d.At)
	}
	equal("deadlines", m.due, got)
	for _, b := range modelBoards {
		want := m.boards[b]
		if want == nil {
			want = map[activity.User]store.Standing{}
		}
		equal("board", want, h.board(b, b == modelBoards[1]))
	}
	events, err := h.Events(ctx, 0, feed.Position{}, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	var outbox []string
	for _, e := range events {
		outbox = append(outbox, string(e.Body))
	}
	equal("outbox", m.outbox, outbox)
	equal("changes", m.changes, h.changes(feed.Position{}))
}

func TestCommit_AgreesWithPlainMaps(t *testing.T) {
	run := func(t *testing.T, options func(t *rapid.T) store.Options) {
		rapid.Check(t, func(rt *rapid.T) {
			o := options(rt)
			h := open(t, o)
			m := newModel()
			for i := range rapid.IntRange(1, 12).Draw(rt, "commits") {
				groups := m.drawGroups(rt)
				if len(groups) == 0 {
					continue
				}
				got := h.commit(groups...)
				if diff := cmp.Diff(m.commit(groups, got), got, cmp.Comparer(sameContent)); diff != "" {
					rt.Fatalf("commit %d (-want +got):\n%s", i, diff)
				}
			}
			m.compare(rt, h)
			if o.URL == "" {
				// And what the file says is the same.
				if err := h.Close(); err != nil {
					rt.Fatal(err)
				}
				h = open(t, o)
				m.compare(rt, h)
			}
			if err := h.Close(); err != nil {
				rt.Fatal(err)
			}
		})
	}
	t.Run("embedded", func(t *testing.T) {
		dir, n := t.TempDir(), 0
		run(t, func(*rapid.T) store.Options {
			n++
			return store.Options{DataDir: fmt.Sprintf("%s/%d", dir, n), Fsync: store.FsyncNo}
		})
	})
	t.Run("redis", func(t *testing.T) {
		server := testenv.StartRedis(t)
		admin := open(t, store.Options{URL: server.URL()})
		run(t, func(rt *rapid.T) store.Options {
			if err := admin.Client().FlushAll(context.Background()).Err(); err != nil {
				rt.Fatal(err)
			}
			return store.Options{URL: server.URL()}
		})
	})
}

// sameContent takes a document without content and one with an empty content for the same.
func sameContent(a, b store.Doc) bool {
	return a.Key == b.Key && a.Version == b.Version && string(a.Content) == string(b.Content)
}
