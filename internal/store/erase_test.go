package store_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// deletion is a group that deletes all that appendTo wrote of a user.
func deletion(u activity.User, expect store.Version) store.Group {
	return store.Group{Org: org, User: u, Doc: state(u), Expect: expect, Delete: true,
		Writes: []store.Op{{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"deleted", "1"}}},
		Boards: []store.BoardWrite{place(weekly(1), u, &store.Standing{Value: 1, Reached: 2}, nil)}}
}

func TestCommit_DeletesADocument(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		first := h.commit(write("ann", "", "1"), write("bob", "", "2"))
		wants(t, h.commit(deletion("ann", "AAAAAAAA"), write("bob", first.Version, "3")), store.Stale, store.Applied)
		r := h.commit(deletion("ann", first.Version), write("eve", "", "4"))
		wants(t, r, store.Applied, store.Applied)
		users := []feed.UserVersion{{Org: org, User: "ann"}, {Org: org, User: "eve", Version: string(r.Version)}}
		if diff := cmp.Diff(users, r.Change.Users); diff != "" {
			t.Errorf("users of the change (-want +got):\n%s", diff)
		}
		if n, err := h.Client().Exists(context.Background(), string(state("ann"))).Result(); n != 0 || err != nil {
			t.Errorf("%d documents, %v", n, err)
		}
		wants(t, h.commit(deletion("ann", first.Version)), store.Stale)
		wants(t, h.commit(write("ann", first.Version, "cached")), store.Stale)
		wants(t, h.commit(write("ann", "", "5")), store.Applied)
		for _, g := range []store.Group{{Org: org, User: "ann", Doc: state("ann"), Delete: true}, {Org: org, User: "ann", Delete: true, Expect: first.Version},
			{Org: org, User: "ann", Doc: state("ann"), Expect: first.Version, Delete: true, Content: []byte("x")}} {
			if _, err := h.Commit(context.Background(), 0, []store.Group{g}); err == nil {
				t.Errorf("%+v was taken", g)
			}
		}
	})
}

// A document that is nobody's goes without a word to those who follow users.
func TestCommit_DeletesADocumentOfNoUser(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		key := store.ClaimKey(0, org, "email", "a@b.c")
		first := h.commit(store.Group{Org: org, Doc: key, Content: []byte("ann")})
		r := h.commit(store.Group{Org: org, Doc: key, Expect: first.Version, Delete: true})
		wants(t, r, store.Applied)
		if len(r.Change.Users) > 0 || h.doc(key).Version != "" {
			t.Errorf("followers were told %+v, and %+v is left", r.Change, h.doc(key))
		}
	})
}

// TestCommit_LostReplyOfADeletion: the second try finds no document, and must know its own work from another's.
func TestCommit_LostReplyOfADeletion(t *testing.T) {
	p := newProxy(t, testenv.StartRedis(t).Addr)
	h := open(t, store.Options{URL: "redis://" + p.l.Addr().String()})
	for name, lose := range map[string]int32{"reply": loseReply, "request": loseRequest} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			ann, gone := h.commit(appendTo("ann", "")), h.commit(appendTo("gone", ""))
			other := h.commit(deletion("gone", gone.Version))
			p.lose.Store(lose)
			r := h.commit(deletion("ann", ann.Version), deletion("gone", gone.Version))
			wants(t, r, store.Applied, store.Stale)
			if diff := cmp.Diff([]feed.Change{r.Change}, h.changes(other.Position)); diff != "" {
				t.Errorf("the result's change against the stream (-want +got):\n%s", diff)
			}
			if len(h.board(weekly(1), false)) != 0 || h.doc(state("ann")).Version != "" {
				t.Error("something is left")
			}
		})
	}
}

func mentions(t *testing.T, h *harness, text string) []string {
	t.Helper()
	return testenv.Mentions(t, h.Client(), h.options.DataDir, text)
}

// running runs the store until stop.
func running(t *testing.T, h *harness) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var g sync.WaitGroup
	g.Go(func() {
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return func() { cancel(); g.Wait() }
}

// TestRun_LeavesNothingOfADeletedUser: the old change entries go though nothing more is written, and the file is written anew.
func TestRun_LeavesNothingOfADeletedUser(t *testing.T) {
	onBothWith(t, store.Options{ChangesAge: 50 * time.Millisecond}, func(t *testing.T, h *harness) {
		const user = "somebody@example.com"
		first := h.commit(appendTo("stays", ""), withEvents(user, "", `{"type":"streak.started","user":"`+user+`"}`))
		g := deletion(user, first.Version)
		g.Writes = removal(t, h, user)
		last := h.commit(g)
		if len(mentions(t, h, user)) == 0 {
			t.Fatal("the search is broken")
		}
		forgets(t, h, user)
		if len(mentions(t, h, "stays")) == 0 || h.tail() != last.Position {
			t.Error("more is gone than the user")
		}
		if _, err := h.Changes(context.Background(), 0, first.Position, 10, 0); err != feed.ErrTrimmed {
			t.Errorf("a follower before the entries: %v", err)
		}
		if cs, err := h.Changes(context.Background(), 0, last.Position, 10, 0); len(cs) > 0 || err != nil {
			t.Errorf("a follower at the end: %v, %v", cs, err)
		}
		next := h.commit(write("eve", "", ""))
		if next.Change.Prev != last.Position {
			t.Errorf("the chain breaks: %v", next.Change.Prev)
		}
	})
}

// TestRun_ForgetsAfterARestartToo: that a deletion's bytes are in the file is known from the file: as it was appended to, also where the entry has left the
// stream, and as it was written anew.
func TestRun_ForgetsAfterARestartToo(t *testing.T) {
	for _, form := range []string{"appended", "trimmed", "rewritten"} {
		const user = "somebody@example.com"
		dir := t.TempDir()
		now := time.Now().Add(-2 * time.Hour)
		o := store.Options{DataDir: dir, ChangesBytes: 1, Clock: func() time.Time { return now }}
		h := open(t, o)
		first := h.commit(appendTo(user, ""))
		g := deletion(user, first.Version)
		g.Writes = []store.Op{{Kind: store.OpDel, Key: store.OutboxKey(0)}}
		if form != "rewritten" {
			h.commit(g)
			for i := range 20 {
				if form == "trimmed" {
					h.commit(write(activity.User('a'+rune(i)), "", ""))
				}
			}
		} else {
			second := h.commit(write("other", "", ""))
			h.commit(deletion("other", second.Version))
			now = now.Add(70 * time.Minute) // the other one's deletion has the file written anew; the user's entries are younger
			second = h.commit(write(user, first.Version, ""))
			g.Expect = second.Version
			h.commit(g)
			forgets(t, h, "other")
		}
		if len(mentions(t, h, user)) == 0 {
			t.Fatal("gone too early")
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(70 * time.Minute)
		t.Log(form)
		forgets(t, open(t, o), user)
	}
}

// forgets runs the store until nothing names a user.
func forgets(t *testing.T, h *harness, user string) {
	t.Helper()
	defer running(t, h)()
	for deadline := time.Now().Add(2 * time.Minute); len(mentions(t, h, user)) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s is still named in %q", user, mentions(t, h, user))
		}
	}
}
