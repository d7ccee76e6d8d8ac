package ws

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/query"
)

const (
	r1 = `{"label":"r1","start":"1970-01-01T00:00:10.000Z","end":"1970-01-01T00:00:20.000Z","closed":false}`
	r2 = `{"label":"r2","start":"1970-01-01T00:00:20.000Z","end":"1970-01-01T00:00:30.000Z","closed":false}`
)

// stable removes the epoch, which is random.
func stable(t *testing.T, message string) string {
	before, rest, found := strings.Cut(message, `"epoch":"`)
	if !found {
		t.Fatalf("no epoch in %s", message)
	}
	_, after, _ := strings.Cut(rest, `"`)
	return before + `"epoch":""` + after
}

func (c *client) wantSnapshot(message string) {
	c.t.Helper()
	if got := stable(c.t.(*testing.T), c.expect("snapshot")); got != message {
		c.t.Fatalf("got\n%s, want\n%s", got, message)
	}
}

func TestProtocol_Top(t *testing.T) {
	f := newFixture(t, nil)
	c := greet(t, f.serve(), "secret")
	c.send(`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":2}}`)
	c.wantSnapshot(`{"type":"snapshot","id":"a","epoch":"","seq":1,"as_of":"1970-01-01T00:00:10.000Z","period":` + r1 + `,"total":0,"rows":[]}`)

	f.hub.Wake(f.source.set("ordinal", "ann", 5))
	c.want(`{"type":"delta","id":"a","prev":1,"seq":2,"as_of":"1970-01-01T00:00:10.001Z","total":1,` +
		`"upsert":[{"rank":1,"user":"ann","score":5,"reached_at":"1970-01-01T00:00:10.001Z"}],"remove":[]}`)

	f.hub.Wake(f.source.set("ordinal", "bob", 7)) // moves ann: both are upserts
	c.want(`{"type":"delta","id":"a","prev":2,"seq":3,"as_of":"1970-01-01T00:00:10.002Z","total":2,"upsert":[` +
		`{"rank":1,"user":"bob","score":7,"reached_at":"1970-01-01T00:00:10.002Z"},` +
		`{"rank":2,"user":"ann","score":5,"reached_at":"1970-01-01T00:00:10.001Z"}],"remove":[]}`)

	f.hub.Wake(f.source.set("ordinal", "cid", 1)) // below the view: the total is shown too
	c.want(`{"type":"delta","id":"a","prev":3,"seq":4,"as_of":"1970-01-01T00:00:10.003Z","total":3,"upsert":[],"remove":[]}`)

	f.hub.Wake(f.source.set("ordinal", "cid", 9))
	c.want(`{"type":"delta","id":"a","prev":4,"seq":5,"as_of":"1970-01-01T00:00:10.004Z","total":3,"upsert":[` +
		`{"rank":1,"user":"cid","score":9,"reached_at":"1970-01-01T00:00:10.004Z"},` +
		`{"rank":2,"user":"bob","score":7,"reached_at":"1970-01-01T00:00:10.002Z"}],"remove":["ann"]}`)
}

func TestProtocol_PeriodRollsOver(t *testing.T) {
	f := newFixture(t, nil)
	f.source.set("ordinal", "ann", 5)
	c := greet(t, f.serve(), "secret")
	c.send(`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":2}}`)
	c.expect("snapshot")
	f.at(2 * roundMS)
	c.want(`{"type":"period","id":"a","ended":` + r1 + `,"started":` + r2 + `}`)
	c.wantSnapshot(`{"type":"snapshot","id":"a","epoch":"","seq":2,"as_of":"1970-01-01T00:00:10.001Z","period":` + r2 + `,"total":0,"rows":[]}`)
}

func TestProtocol_ClosedPeriodIsSentAsSnapshot(t *testing.T) {
	f := newFixture(t, nil)
	c := greet(t, f.serve(), "secret")
	c.send(`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"r1","limit":2}}`)
	c.expect("snapshot")
	f.at(2*roundMS + 3_000)
	if m := c.expect("snapshot"); !strings.Contains(m, `"closed":true`) {
		t.Fatal(m)
	}
}

func TestProtocol_ClockThatIsSetBack(t *testing.T) {
	f := newFixture(t, nil)
	f.at(2 * roundMS)
	c := greet(t, f.serve(), "secret")
	c.send(`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":2}}`)
	c.expect("snapshot")
	f.at(roundMS)
	c.want(`{"type":"period","id":"a","ended":` + r2 + `,"started":` + r1 + `}`)
}

func TestProtocol_AroundAndUsers(t *testing.T) {
	f := newFixture(t, nil)
	for user, value := range map[activity.User]int64{"u-ann": 5, "u-bob": 4, "u-cid": 3, "u-dan": 2} {
		f.source.set("ordinal", user, value)
	}
	c := greet(t, f.serve(), "secret")
	c.send(`[{"type":"subscribe","id":"a","view":{"kind":"around","rule":"ordinal","period":"round","user":"u-cid","span":1}},
		{"type":"subscribe","id":"u","view":{"kind":"users","rule":"ordinal","period":"round","users":["u-dan","u-eve","u-ann","u-dan"]}},
		{"type":"subscribe","id":"n","view":{"kind":"around","rule":"ordinal","period":"round","user":"u-eve","span":1}}]`)
	got := map[string][]string{}
	for range 3 {
		m := decode(t, c.expect("snapshot"))
		for _, row := range m.Rows {
			got[m.ID] = append(got[m.ID], row.User)
		}
		if m.Total != 4 {
			t.Errorf("total of %s is %d", m.ID, m.Total)
		}
	}
	wantEqual(t, got, map[string][]string{"a": {"u-bob", "u-cid", "u-dan"}, "u": {"u-ann", "u-dan"}})
}

func TestProtocol_User(t *testing.T) {
	f := newFixture(t, nil)
	f.source.setMember("ann", "coins", 3)
	f.source.setMember("ann", "level", 1)
	c := greet(t, f.serve(), "visitor")
	c.send(`{"type":"subscribe","id":"me","view":{"kind":"user","user":"ann"}}`)
	c.wantSnapshot(`{"type":"snapshot","id":"me","epoch":"","seq":1,"as_of":"1970-01-01T00:00:10.002Z","user":{"coins":3,"level":1,"minute":0}}`)
	f.hub.Wake(f.source.setMember("ann", "coins", 4))
	c.want(`{"type":"delta","id":"me","prev":1,"seq":2,"as_of":"1970-01-01T00:00:10.003Z","user":{"coins":4}}`)
	f.hub.Wake(f.source.setMember("ann", "level", -1))
	c.want(`{"type":"delta","id":"me","prev":2,"seq":3,"as_of":"1970-01-01T00:00:10.004Z","user":{},"unset":["level"]}`)

	f.source.setMember("ann", "coins", 5)
	f.hub.Wake(feed.Change{Users: []feed.UserVersion{{Org: "o", User: "ann"}},
		Events: []feed.Event{{Org: "o", User: "ann", Body: []byte(`{"type":"level.reached","level":2}`)}}})
	kinds := map[string]string{}
	for range 2 {
		m := c.next()
		kinds[kindOf(t, m)] = m
	}
	wantEqual(t, kinds["event"], `{"type":"event","id":"me","event":{"type":"level.reached","level":2}}`)

	f.at(60_000) // the passing of time shows too
	if m := decode(t, c.expect("delta")); string(m.User["minute"]) != "1" {
		t.Fatalf("%+v", m)
	}
}

func TestProtocol_UserFollowsTheWritesOfOthers(t *testing.T) {
	f := newFixture(t, nil)
	f.hub.Wake(f.source.set("ordinal", "ann", 5))
	c := greet(t, f.serve(), "visitor")
	c.send(`{"type":"subscribe","id":"me","view":{"kind":"user","user":"ann"}}`)
	c.expect("snapshot")
	f.hub.Wake(f.source.set("ordinal", "bob", 9))
	if m := decode(t, c.expect("delta")); string(m.User["rank"]) != "2" {
		t.Fatalf("%+v", m)
	}
}

func TestProtocol_Since(t *testing.T) {
	f := newFixture(t, nil)
	server := f.serve()
	view := `"view":{"kind":"top","rule":"ordinal","period":"round","limit":2}`
	first := greet(t, server, "secret")
	first.send(`{"type":"subscribe","id":"a",` + view + `}`)
	held := decode(t, first.expect("snapshot"))
	since := `"since":{"epoch":"` + held.Epoch + `","seq":1}`
	_ = first.ws.Close()

	again := greet(t, server, "secret")
	again.send(`{"type":"subscribe","id":"b",` + view + `,` + since + `}`)
	again.want(`{"type":"resumed","id":"b","seq":1}`)
	f.hub.Wake(f.source.set("ordinal", "ann", 5))
	if m := decode(t, again.expect("delta")); m.Prev != 1 {
		t.Fatalf("%+v", m)
	}
	again.send(`{"type":"subscribe","id":"c",` + view + `,` + since + `}`)
	again.expect("snapshot")
	again.send(`{"type":"subscribe","id":"d",` + view + `,"since":{"epoch":"another","seq":2}}`)
	again.expect("snapshot")
}

func TestProtocol_AllOfATickIsOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		defer f.run()()
		ws := pipeDial(t, f.hub)
		defer func() { _ = ws.Close() }()
		read := func() []jsontext.Value { // the next message but pings
			for {
				_, b, err := ws.ReadMessage()
				if err != nil {
					t.Fatal(err)
				}
				if list := split(t, b); kindOf(t, string(list[0])) != "ping" {
					return list
				}
			}
		}
		say(t, ws, `{"type":"hello","token":"secret"}`)
		read()
		say(t, ws, `[{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":1}},
			{"type":"subscribe","id":"b","view":{"kind":"top","rule":"ordinal","period":"round","limit":2}},
			{"type":"subscribe","id":"c","view":{"kind":"top","rule":"standard","period":"round"}}]`)
		for snapshots := 0; snapshots < 3; {
			snapshots += len(read())
		}
		pass(time.Second) // each may be written again
		change := f.source.set("ordinal", "ann", 5)
		change.Writes = append(change.Writes, f.source.set("standard", "ann", 5).Writes...)
		f.hub.Wake(change)
		if list := read(); len(list) != 3 {
			t.Fatalf("%s", list)
		}
	})
}

func TestProtocol_Unsubscribe(t *testing.T) {
	f := newFixture(t, nil)
	c := greet(t, f.serve(), "secret")
	view := `"view":{"kind":"top","rule":"ordinal","period":"round"}`
	c.send(`{"type":"subscribe","id":"a",` + view + `}`)
	c.expect("snapshot")
	c.send(`{"type":"subscribe","id":"a",` + view + `}`)
	c.wantError("id_in_use", "a")
	c.send(`{"type":"unsubscribe","id":"a"}`)
	c.send(`{"type":"unsubscribe","id":"a"}`)
	c.wantError("not_subscribed", "a")
	f.hub.Wake(f.source.set("ordinal", "ann", 5))
	c.send(`{"type":"subscribe","id":"a",` + view + `}`) // the id is free again; no delta came in between
	c.expect("snapshot")
	if n := f.gauge("subscriptions"); n != 1 {
		t.Errorf("%d subscriptions are counted, want 1", n)
	}
}

func TestProtocol_ViewThatEnds(t *testing.T) {
	f := newFixture(t, nil)
	c := greet(t, f.serve(), "secret")
	c.send(`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
	c.expect("snapshot")
	f.source.failWith(fmt.Errorf("render: %w", query.ErrRuleNotFound))
	f.hub.Wake(feed.Change{Orgs: []activity.Org{"o"}}) // the catalog lost the rule
	c.want(`{"type":"error","id":"a","code":"rule_not_found","detail":"no such rule"}`)
	f.source.failWith(nil)
	c.send(`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
	c.expect("snapshot")
}

func TestProtocol_SourceThatFailsForAWhile(t *testing.T) {
	f := newFixture(t, nil)
	f.source.failWith(errLoading)
	c := greet(t, f.serve(), "secret")
	c.send(`[{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round"}},{"type":"unsubscribe","id":"x"}]`)
	c.wantError("not_subscribed", "x") // and no snapshot
	f.source.failWith(nil)
	c.expect("snapshot")
}

func TestProtocol_SlowUserViewsDoNotHoldUpBoards(t *testing.T) {
	f := newFixture(t, nil)
	f.source.slow = make(chan struct{})
	c := greet(t, f.serve(), "secret")
	c.send(`{"type":"subscribe","id":"u","view":{"kind":"user","user":"ann"}}`)
	c.send(`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
	if m := decode(t, c.expect("snapshot")); m.ID != "a" {
		t.Fatalf("%+v", m)
	}
	f.hub.Wake(f.source.set("ordinal", "ann", 5))
	c.expect("delta")
	close(f.source.slow)
	if m := decode(t, c.expect("snapshot")); m.ID != "u" {
		t.Fatalf("%+v", m)
	}
}

func TestProtocol_Errors(t *testing.T) {
	f := newFixture(t, nil)
	c := greet(t, f.serve(), "secret")
	top := `{"kind":"top","rule":"ordinal","period":"round"}`
	for name, tt := range map[string]struct{ message, code, id string }{
		"no JSON":               {`{"type":`, "bad_json", ""},
		"empty":                 {``, "bad_json", ""},
		"trailing data":         {`{"type":"pong"} x`, "bad_json", ""},
		"broken array":          {`[{"type":"pong"},`, "bad_json", ""},
		"no object":             {`5`, "bad_json", ""},
		"repeated member":       {`{"type":"pong","type":"pong"}`, "bad_json", ""},
		"unknown member":        {`{"type":"unsubscribe","id":"a","x":1}`, "bad_json", "a"},
		"other case":            {`{"type":"unsubscribe","ID":"a"}`, "bad_json", ""},
		"wrong type":            {`{"type":"subscribe","id":"a","view":5}`, "bad_json", "a"},
		"unknown view member":   {`{"type":"subscribe","id":"a","view":{"kind":"top","x":1}}`, "bad_json", "a"},
		"no type":               {`{}`, "bad_request", ""},
		"unknown type":          {`{"type":"publish","id":"a"}`, "unsupported", "a"},
		"no id":                 {`{"type":"subscribe","view":` + top + `}`, "bad_request", ""},
		"long id":               {`{"type":"subscribe","id":"` + strings.Repeat("a", 65) + `","view":` + top + `}`, "bad_request", ""},
		"no view":               {`{"type":"subscribe","id":"a"}`, "bad_request", "a"},
		"no kind":               {`{"type":"subscribe","id":"a","view":{}}`, "bad_request", "a"},
		"unknown kind":          {`{"type":"subscribe","id":"a","view":{"kind":"all"}}`, "bad_request", "a"},
		"member of other kind":  {`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","span":3}}`, "bad_request", "a"},
		"member missing":        {`{"type":"subscribe","id":"a","view":{"kind":"around","rule":"ordinal","period":"round"}}`, "bad_request", "a"},
		"limit too large":       {`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":1001}}`, "bad_request", "a"},
		"limit negative":        {`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":-1}}`, "bad_request", "a"},
		"span too large":        {`{"type":"subscribe","id":"a","view":{"kind":"around","rule":"ordinal","period":"round","user":"u","span":101}}`, "bad_request", "a"},
		"too many users":        {`{"type":"subscribe","id":"a","view":{"kind":"users","rule":"ordinal","period":"round","users":["u"` + strings.Repeat(`,"u"`, 100) + `]}}`, "limit", "a"},
		"max_hz":                {`{"type":"subscribe","id":"a","view":` + top + `,"max_hz":0}`, "bad_request", "a"},
		"unknown rule":          {`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"x","period":"round"}}`, "rule_not_found", "a"},
		"bad period":            {`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"x"}}`, "bad_period", "a"},
		"period gone":           {`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"gone"}}`, "period_gone", "a"},
		"unknown user":          {`{"type":"subscribe","id":"a","view":{"kind":"user","user":"nobody"}}`, "user_not_found", "a"},
		"store away":            {`{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"down"}}`, "unavailable", "a"},
		"token of another org":  {`{"type":"hello","token":"other"}`, "forbidden", ""},
		"refresh that is wrong": {`{"type":"hello","token":"wrong"}`, "unauthorized", ""},
		"token of nobody":       {`{"type":"token"}`, "unauthorized", ""},
		"token of a user":       {`{"type":"token","token":"visitor"}`, "forbidden", ""},
		"other member of token": {`{"type":"token","token":"secret","org":"o"}`, "bad_json", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			c.send(tt.message)
			c.wantError(tt.code, tt.id)
		})
	}
	c.t = t
	c.send(`{"type":"subscribe","id":"a","view":` + top + `}`) // none of it has hurt the connection
	c.expect("snapshot")
}

func TestProtocol_PublicKeysDoNotWatchUsers(t *testing.T) {
	f := newFixture(t, nil)
	server := f.serve()
	public, visitor := greet(t, server, "public"), greet(t, server, "visitor")
	ann := `{"type":"subscribe","id":"a","view":{"kind":"user","user":"ann"}}`
	public.send(ann)
	public.wantError("forbidden", "a")
	public.send(`{"type":"subscribe","id":"a","view":{"kind":"around","rule":"ordinal","period":"round","user":"ann","span":1}}`)
	public.expect("snapshot")
	visitor.send(`{"type":"subscribe","id":"b","view":{"kind":"user","user":"bob"}}`)
	visitor.wantError("forbidden", "b")
	visitor.send(ann)
	visitor.expect("snapshot")
}
