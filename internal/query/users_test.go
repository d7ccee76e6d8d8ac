package query

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	gocmp "github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/internal/profile"
)

const listDefinitions = `
orgs:
  - id: o
    users: {fields: {plan: string, seats: integer, trial: boolean}}
    rules:
      - {id: scores, when: {name: score}, value: count, cycles: [all]}
`

// listed is what the test remembers of a user.
type listed struct {
	id, name, username, email, country, tag, plan string
	seats                                         int
	created                                       time.Time
	blocked, hidden                               bool
}

// has is the search of the model: letters of one case only are compared without regard to it.
func (u *listed) has(search string) bool {
	return slices.ContainsFunc([]string{u.id, u.name, u.username, u.email}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), strings.ToLower(search))
	})
}

// usersPage reads one page and returns the ids.
func (g *rig) usersPage(q UserList) (ids []string, next string) {
	g.t.Helper()
	b, err := g.Users(g.t.Context(), org, q)
	must(g.t, err)
	var page struct {
		Users []struct{ ID string }
		Next  string
	}
	must(g.t, json.Unmarshal(b, &page))
	for _, u := range page.Users {
		ids = append(ids, u.ID)
	}
	return ids, page.Next
}

// walkUsers reads all pages.
func (g *rig) walkUsers(q UserList) (ids []string) {
	g.t.Helper()
	for {
		page, next := g.usersPage(q)
		if len(page) > q.Limit {
			g.t.Fatalf("%d users in a page of %d", len(page), q.Limit)
		}
		if ids = append(ids, page...); next == "" {
			return ids
		}
		q.Cursor = next
	}
}

// wantedUsers are those who pass, in order; exactly are those who come first.
func wantedUsers(all map[string]*listed, sort string, pass, exactly func(*listed) bool) (ids []string) {
	var us []*listed
	for _, u := range all {
		if pass(u) {
			us = append(us, u)
		}
	}
	slices.SortFunc(us, func(a, b *listed) int {
		if x, y := exactly(a), exactly(b); x != y {
			return map[bool]int{true: -1, false: 1}[x]
		}
		order := cmp.Or(a.created.Compare(b.created), cmp.Compare(a.id, b.id))
		if sort != OldestFirst {
			order = -order
		}
		return order
	})
	for _, u := range us {
		ids = append(ids, u.id)
	}
	return ids
}

// liveUsers does something random to somebody, and remembers it.
func (g *rig) liveUsers(r *rand.Rand, all map[string]*listed, now time.Time) {
	g.t.Helper()
	id := fmt.Sprint([]string{"u", "ü:", "Z"}[r.IntN(3)], r.IntN(250))
	u, known := all[id]
	if !known {
		u = &listed{id: id, created: now}
		all[id] = u
	}
	user, ctx := activity.User(id), g.t.Context()
	switch n := r.IntN(11); {
	case known && n == 0:
		must(g.t, g.ingest.Delete(ctx, org, user))
		delete(all, id)
	case known && n == 1:
		if u.blocked = !u.blocked; u.blocked {
			must(g.t, g.ingest.Block(ctx, org, user))
		} else {
			must(g.t, g.ingest.Unblock(ctx, org, user))
		}
	case known && n == 2:
		if u.hidden = !u.hidden; u.hidden {
			must(g.t, g.ingest.Hide(ctx, org, user))
		} else {
			must(g.t, g.ingest.Unhide(ctx, org, user))
		}
	case n < 5 && !u.blocked:
		g.send(id + " 1 2026-11-21T10:00:00Z")
	default:
		g.describeUser(r, u)
	}
}

func (g *rig) describeUser(r *rand.Rand, u *listed) {
	u.name = []string{"", "Ada", "ada L.", "Bob", "Ärger", "Zoë Longer Than It"}[r.IntN(6)]
	u.country, u.tag, u.plan, u.seats = []string{"", "AT", "DE"}[r.IntN(3)], []string{"vip", "new"}[r.IntN(2)], []string{"", "pro", "free"}[r.IntN(3)], r.IntN(3)
	u.username, u.email = []string{"", "a-" + u.id, "B-" + u.id}[r.IntN(3)], ""
	if r.IntN(2) == 0 {
		u.email = fmt.Sprintf("M%x@x.org", u.id)
	}
	c := ingest.UserChange{Create: true, Name: &u.name, Profile: profile.Change{Tags: &[]string{"x", u.tag},
		Texts: map[string]string{"country": u.country, "username": u.username, "email": u.email}}}
	c.Profile.Fields.Set = map[string]jsontext.Value{"plan": jsontext.Value(fmt.Sprintf("%q", u.plan)), "seats": jsontext.Value(fmt.Sprint(u.seats))}
	g.change(activity.User(u.id), c)
}

func TestUsers_AgainstAModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	g := newRig(t)
	g.publish(listDefinitions)
	all := map[string]*listed{}
	yes, no := true, false
	now, err := time.Parse(time.RFC3339, noon)
	must(t, err)
	nobody := func(*listed) bool { return false }
	for range 4 {
		for range 250 {
			now = now.Add(time.Duration(r.IntN(2)) * time.Millisecond)
			g.set(now.Format("2006-01-02T15:04:05.000Z07:00"))
			g.liveUsers(r, all, time.UnixMilli(int64(calendar.InstantOf(now))))
		}
		one := &listed{}
		for _, u := range all {
			if u.email != "" {
				one = u
			}
		}
		for _, sort := range []string{"", NewestFirst, OldestFirst} {
			for name, c := range map[string]struct {
				list          UserList
				pass, exactly func(*listed) bool
			}{
				"all":      {UserList{}, func(*listed) bool { return true }, nobody},
				"tag":      {UserList{Tag: "vip"}, func(u *listed) bool { return u.tag == "vip" }, nobody},
				"country":  {UserList{Country: "AT", Hidden: &no}, func(u *listed) bool { return u.country == "AT" && !u.hidden }, nobody},
				"blocked":  {UserList{Blocked: &yes}, func(u *listed) bool { return u.blocked }, nobody},
				"language": {UserList{Language: "de"}, nobody, nobody},
				"search":   {UserList{Search: "AD"}, func(u *listed) bool { return u.has("AD") }, nobody},
				"fields": {UserList{Fields: map[string]string{"plan": "pro", "seats": "1.0"}, Blocked: &no},
					func(u *listed) bool { return u.plan == "pro" && u.seats == 1 && !u.blocked }, nobody},
				"exact id":     {UserList{Search: "u1"}, func(u *listed) bool { return u.has("u1") }, func(u *listed) bool { return u.id == "u1" }},
				"exact e-mail": {UserList{Search: strings.ToUpper(one.email)}, func(u *listed) bool { return u.has(one.email) }, func(u *listed) bool { return u == one }},
			} {
				c.list.Sort, c.list.Limit = sort, 1+r.IntN(20)
				if diff := gocmp.Diff(wantedUsers(all, sort, c.pass, c.exactly), g.walkUsers(c.list)); diff != "" {
					t.Fatalf("%s by %q, %d a page (-want +got)\n%s", name, sort, c.list.Limit, diff)
				}
			}
		}
	}
}

// A page looks at so many users and no more, but finds at once whom the search names; and a cursor is good for its own list only.
func TestUsers_BoundedAndSigned(t *testing.T) {
	g := newRig(t)
	at, _, err := calendar.ParseInstant(noon)
	must(t, err)
	items := make([]ingest.Item, usersScan+1)
	for i := range items {
		items[i].Activity = activity.Activity{ID: "1", User: activity.User(fmt.Sprintf("u%05d", i)), Name: "score", At: at, AtGiven: true}
	}
	_, err = g.ingest.Submit(t.Context(), org, items, ingest.SubmitOptions{})
	must(t, err)
	g.change("u00000", ingest.UserChange{Profile: profile.Change{Texts: map[string]string{"number": "9000077", "external_id": "crm/1"}}})
	for _, search := range []string{"u00000", "9000077", "crm/1"} {
		if ids, next := g.usersPage(UserList{Limit: 10, Search: search}); !slices.Equal(ids, []string{"u00000"}) || next == "" {
			t.Errorf("%s: %v, next %q", search, ids, next)
		}
	}
	ids, next := g.usersPage(UserList{Limit: 10, Tag: "none"})
	if len(ids) > 0 || next == "" {
		t.Errorf("%d users, next %q", len(ids), next)
	}
	for _, q := range []UserList{{Tag: "other"}, {Tag: "none", Sort: OldestFirst}, {}} {
		q.Limit, q.Cursor = 10, next
		if _, err := g.Users(t.Context(), org, q); !errors.Is(err, ErrBadCursor) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if ids, next := g.usersPage(UserList{Limit: 10, Tag: "none", Cursor: next}); len(ids) > 0 || next != "" {
		t.Errorf("then %v, next %q", ids, next)
	}
	// Merged: the name goes.
	must(t, g.ingest.Merge(t.Context(), org, "u00001", "u00000"))
	if ids, _ := g.usersPage(UserList{Limit: 2, Sort: OldestFirst}); !slices.Equal(ids, []string{"u00000", "u00002"}) {
		t.Error(ids)
	}
}
