package ws

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/query"
)

// profiledView is a view with one subscriber that last showed some users.
func profiledView(l *lane, users ...activity.User) *view {
	v := newView(viewKey{org: "o", profiles: true}, query.View{}, l)
	v.addLocked(&subscription{})
	v.rendered = &query.Frame{}
	for _, u := range users {
		v.rendered.Rows = append(v.rendered.Rows, query.Row{User: u})
	}
	l.views[v], l.profiled[v] = struct{}{}, struct{}{}
	return v
}

func key(u activity.User) feed.UserKey { return feed.UserKey{Org: "o", User: u} }

// Only the views that show someone whose profile changed are rendered.
func TestRenamed_OnlyWhoIsShown(t *testing.T) {
	l := newLane(time.Second)
	shows, other := profiledView(l, "ann", "bob"), profiledView(l, "eve")
	l.renameLocked([]feed.UserKey{key("bob"), {Org: "p", User: "eve"}}, time.Now())
	got := l.takeAll(0)
	if len(got) != 1 || got[0] != shows || other.collected || shows.woken.IsZero() {
		t.Errorf("%d views", len(got))
	}
	shows.collected = false
	if got := l.takeAll(0); len(got) != 0 {
		t.Errorf("again %d views", len(got))
	}
}

// Beyond the bound nothing is remembered of users, and all views of the org are rendered.
func TestRenamed_Bound(t *testing.T) {
	l := newLane(time.Second)
	v := profiledView(l, "last")
	var users []feed.UserKey
	for i := range maxRenamed {
		users = append(users, key(activity.User(strconv.Itoa(i))))
	}
	l.renameLocked(append(users, key("last")), time.Now())
	if len(l.renamed) != maxRenamed {
		t.Errorf("%d are remembered", len(l.renamed))
	}
	if got := l.takeAll(0); len(got) != 1 || got[0] != v {
		t.Errorf("%d views", len(got))
	}
}

// Without a view that shows profiles none is remembered.
func TestRenamed_Nobody(t *testing.T) {
	l := newLane(time.Second)
	l.renameLocked([]feed.UserKey{key("ann")}, time.Now())
	if len(l.renamed) != 0 {
		t.Error("remembered for nobody")
	}
}

// A view of a segment follows the writes of that segment's board.
func TestSegment_FollowsItsBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Tick = 100 * time.Millisecond })
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"secret"}`)
		say(t, ws, `{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":3,"segment":"AT"}}`)
		for _, write := range []string{"ordinal", "ordinal@DE", "ordinal@AT"} {
			f.hub.Wake(f.source.set(write, activity.User("in "+write), 4))
			pass(time.Second)
		}
		got := messages()
		if len(got) != 3 || len(decode(t, got[2]).Upsert) != 1 || decode(t, got[2]).Upsert[0].User != "in ordinal@AT" {
			t.Errorf("got %v", got)
		}
		_ = ws.Close()
		_ = end()
	})
}
