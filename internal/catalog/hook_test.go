package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const standard = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func parseOne(t *testing.T, definitions string) *Catalog {
	t.Helper()
	c, err := ParseOrg([]byte("id: o\n" + definitions))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSecrets_AreNotInTheSource(t *testing.T) {
	const plain = "it is 16 characters"
	c := parseOne(t, `
webhooks:
  - {id: one, url: "https://example.com/a", secret: `+standard+`}
  - {id: two, url: "https://example.com/a", secret: [`+standard+`, whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA], events: [streak.*, period.closed]}
  - {id: env, url: "http://example.com", secret_env: LAUREL_SECRET_A}
hooks:
  - {id: in, activity: {user: body.u, name: "'x'"}, verify: {secret: "`+plain+`", header: X-Hub-Signature-256, prefix: sha256=}}
`)
	shown := fmt.Sprintf("%s %v %+v %#v %s", c.Source, c.Secrets, c.Webhooks[0].Secrets, c.Webhooks[0].Secrets, c.Definitions(Webhooks))
	if strings.Contains(shown, standard[6:]) || strings.Contains(shown, plain) || strings.Contains(shown, "AAAA") {
		t.Errorf("a secret is shown: %s", shown)
	}
	if got := c.Webhooks[0].Secrets[0].Reveal(); got != standard {
		t.Errorf("revealed %q", got)
	}
	again, err := ParseOrg(c.Source)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash != c.Hash || again.Secrets[1].Hint != c.Secrets[0].Hint || again.Secrets[0].Reveal() != "" || again.Secrets[2].Hint == again.Secrets[1].Hint {
		t.Errorf("read again: %s, %v", again.Source, again.Secrets)
	}
	var paths []string
	for _, use := range again.Secrets {
		paths = append(paths, use.Path)
	}
	if diff := cmp.Diff([]string{"webhooks[0].secret", "webhooks[1].secret[0]", "webhooks[1].secret[1]", "hooks[0].verify.secret"}, paths); diff != "" {
		t.Error(diff)
	}
	put, err := c.Put(Webhooks, "one", []byte(`{"url":"https://example.com/b","secret":"`+c.Secrets[0].Hint+`"}`))
	if err != nil || put.Secrets[0].Hint != c.Secrets[0].Hint {
		t.Errorf("put with the hint: %v", err)
	}
}

func TestWebhook_Wants(t *testing.T) {
	c := parseOne(t, `
webhooks:
  - {id: a, url: "https://e.com", secret_env: LAUREL_SECRET_A, events: [streak.*, period.closed]}
  - {id: b, url: "https://e.com", secret_env: LAUREL_SECRET_A, events: [level.reached, "*"], active: false}
`)
	a, b := c.Webhook("a"), c.Webhook("b")
	for kind, want := range map[string]bool{"streak.lost": true, "streak": false, "streaks.x": false, "period.closed": true, "period.closed.x": false} {
		if a.Wants(kind) != want || !b.Wants(kind) {
			t.Errorf("%s: %t, %t", kind, a.Wants(kind), b.Wants(kind))
		}
	}
	if !a.Active || b.Active || c.Webhook("c") != nil || c.Hook("a") != nil {
		t.Error("active, or found, wrongly")
	}
}

// TestHooks_Faults: each is told with its line and place, and none shows a secret.
func TestHooks_Faults(t *testing.T) {
	for definition, want := range map[string]string{
		`{id: a}`: "webhooks[0]: url is missing",
		`{id: a, url: "ftp://e.com", secret_env: LAUREL_SECRET_A}`:                                `"ftp://e.com" does not fit`,
		`{id: a, url: "https://u:p@e.com", secret_env: LAUREL_SECRET_A}`:                          "webhooks[0].url: a URL with a user",
		`{id: a, url: "https://", secret_env: LAUREL_SECRET_A}`:                                   "does not fit",
		`{id: a, url: "https://:80", secret_env: LAUREL_SECRET_A}`:                                "this is no URL",
		`{id: a, url: "https://e.com#x", secret_env: LAUREL_SECRET_A}`:                            "a fragment is not sent",
		`{id: a, url: "https://e.com"}`:                                                           "webhooks[0]: one of secret and secret_env is missing",
		`{id: a, url: "https://e.com", secret: ` + standard + `, secret_env: LAUREL_SECRET_A}`:    "exclude each other",
		`{id: a, url: "https://e.com", secret: whsec_hunter2}`:                                    "webhooks[0].secret: a secret is whsec_",
		`{id: a, url: "https://e.com", secret: hunter2}`:                                          "webhooks[0].secret: a secret is whsec_",
		`{id: a, url: "https://e.com", secret: [` + standard + `, hunter2hunter2]}`:               "webhooks[0].secret[1]: a secret is whsec_",
		`{id: a, url: "https://e.com", secret: …hunter2}`:                                         "this begins as a hint, and is none",
		`{id: a, url: "https://e.com", secret: [hunter2, hunter2, hunter2]}`:                      "more than 2 items",
		`{id: a, url: "https://e.com", secret_env: HOME}`:                                         "a variable is LAUREL_SECRET_",
		`{id: a, url: "https://e.com", secret_env: LAUREL_SECRET_A, events: []}`:                  "at least 1 item",
		`{id: a, url: "https://e.com", secret_env: LAUREL_SECRET_A, events: [streak.]}`:           "a pattern is a type",
		`{id: a, url: "https://e.com", secret_env: LAUREL_SECRET_A, events: ["s*"]}`:              "a pattern is a type",
		`{id: a, activity: {user: body.u}}`:                                                       "hooks[0].activity: name is missing",
		`{id: a, activity: {user: body.u, name: commit}}`:                                         "hooks[0].activity.name: unknown name commit",
		`{id: a, activity: {user: "body[body.x]", name: "'c'"}}`:                                  "keys are written out",
		`{id: a, activity: {user: "header.authorization", name: "'c'"}}`:                          "may hold a key",
		`{id: a, activity: {user: "header.Cookie", name: "'c'"}}`:                                 "may hold a key",
		`{id: a, activity: {user: "query.key", name: "'c'"}}`:                                     "may hold a key",
		`{id: a, activity: {user: "query", name: "'c'"}}`:                                         "query is read by name",
		`{id: a, activity: {user: "body.u ?? 'x'", name: "'c'"}}`:                                 "?? has no use",
		`{id: a, activity: {user: "body?.u", name: "'c'"}}`:                                       "?. have no use",
		`{id: a, activity: {user: "filter(body, true)", name: "'c'"}}`:                            "hooks[0].activity.user",
		`{id: a, activity: {user: body.u, name: "'c'"}, when: "'x'"}`:                             "where must be true or false",
		`{id: a, activity: {user: body.u, name: "'c'"}, verify: {}}`:                              "hooks[0].verify: one of secret and secret_env",
		`{id: a, activity: {user: body.u, name: "'c'"}, verify: {secret: hunter2, header: X}}`:    "hooks[0].verify.secret: a secret for hmac-sha256",
		`{id: a, activity: {user: body.u, name: "'c'"}, verify: {secret: hunter2hunter2hunter2}}`: "a secret is whsec_",
	} {
		list := "webhooks"
		if strings.Contains(definition, "activity") {
			list = "hooks"
		}
		_, err := ParseOrg([]byte("id: o\n" + list + ":\n  - " + definition + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line 3: ") {
			t.Errorf("%s:\n got %v\nwant %s", definition, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), standard)) {
			t.Errorf("%s: a secret is shown: %v", definition, err)
		}
	}
}

func request(t *testing.T, body string) *Request {
	t.Helper()
	parsed, err := ParseBody([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	of := func(values map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	}
	return &Request{Body: parsed, Query: of(map[string]string{"user": "ann"}), Header: of(map[string]string{"x-event": "push"})}
}

func TestHook_Map(t *testing.T) {
	const body = `{"a":{"id":7,"big":12345678901234567890,"t":"x","on":true,"none":null},"list":[{"n":"c1"},2.5],"at":1763900000,"ms":1763900000123,"amount":"2.50"}`
	for name, x := range map[string]struct{ when, user, extra, want string }{
		"text":            {"", "body.a.t", "", `{"user":"x","name":"n"}`},
		"number":          {"", "body.a.id", "", `{"user":"7","name":"n"}`},
		"beyond 2^53":     {"", "body.a.big", "", `{"user":"12345678901234567890","name":"n"}`},
		"by key":          {"", `body["a"]["t"]`, "", `{"user":"x","name":"n"}`},
		"in a list":       {"", `body.list[0].n`, "", `{"user":"c1","name":"n"}`},
		"put together":    {"", `"gh:" + text(body.a.id)`, "", `{"user":"gh:7","name":"n"}`},
		"header":          {"", `header["X-Event"]`, "", `{"user":"push","name":"n"}`},
		"query":           {"", `query.user`, "", `{"user":"ann","name":"n"}`},
		"holds":           {`header["x-event"] == "push" and body.a.on`, "body.a.t", "", `{"user":"x","name":"n"}`},
		"does not":        {`body.a.id > 7`, "body.a.t", "", "skipped"},
		"when misses":     {`body.none == 1`, "body.a.t", "", "skipped"},
		"missing":         {"", "body.b.c", "", "user"},
		"null":            {"", "body.a.none", "", "user"},
		"object as user":  {"", "body.a", "", "user"},
		"boolean as user": {"", "body.a.on", "", "user"},
		"fraction":        {"", "body.list[1]", "", "user"},
		"past the end":    {"", "body.list[2]", "", "user"},
		"seconds":         {"", "body.a.t", "at: body.at", `{"user":"x","name":"n","at":"2025-11-23T12:13:20Z"}`},
		"milliseconds":    {"", "body.a.t", "at: body.ms", `{"user":"x","name":"n","at":"2025-11-23T12:13:20.123Z"}`},
		"value":           {"", "body.a.t", "value: body.a.id * 2", `{"user":"x","name":"n","value":14}`},
		"value in text":   {"", "body.a.t", "value: body.amount", `{"user":"x","name":"n","value":2.5}`},
		"no value":        {"", "body.a.t", "value: body.a.t", "value"},
		"divided by 0":    {"", "body.a.t", "value: body.a.id / 0", "value"},
		"meta":            {"", "body.a.t", "meta: {on: body.a.on, o: 'body.list[1]', gone: body.gone}", `{"user":"x","name":"n","meta":{"o":2.5,"on":true}}`},
		"id":              {"", "body.a.t", "id: body.a.id", `{"user":"x","name":"n","id":"7"}`},
	} {
		hook := fmt.Sprintf("hooks:\n  - {id: h, activity: {user: %q, name: \"'n'\"", x.user)
		if x.extra != "" {
			hook += ", " + x.extra
		}
		hook += "}"
		if x.when != "" {
			hook += fmt.Sprintf(", when: %q", x.when)
		}
		c := parseOne(t, hook+"}\n")
		got, err := c.Hook("h").Map(request(t, body), "")
		var fault *MapError
		text := "skipped"
		switch {
		case errors.As(err, &fault):
			text = fault.Field
		case err != nil:
			t.Fatal(err)
		case got != nil:
			text = same(t, got)
		}
		want := x.want
		if want[0] == '{' {
			want = same(t, []byte(want))
		}
		if text != want {
			t.Errorf("%s: %s (%v), not %s", name, text, err, want)
		}
	}
}

func same(t *testing.T, text []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func TestParseBody_Refuses(t *testing.T) {
	for _, body := range []string{"{", "{} {}", `{"a":1,"a":2}`, `{"a":1e999}`, `"` + "\xff" + `"`, strings.Repeat("[", 80) + strings.Repeat("]", 80)} {
		if _, err := ParseBody([]byte(body)); !errors.Is(err, ErrBadBody) {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

// FuzzHook_Map: no body makes anything but an item or a fault of it.
func FuzzHook_Map(f *testing.F) {
	f.Add(`{"u":"a","n":1,"m":{"x":[1]}}`)
	f.Add(`[1,2`)
	c, err := ParseOrg([]byte(`{"id":"o","hooks":[{"id":"h","activity":{"user":"body.u","name":"body.n + 'x'","at":"body.t","value":"body.v / body.w","meta":{"m":"body.m"}}}]}`))
	if err != nil {
		f.Fatal(err)
	}
	none := func(string) (string, bool) { return "", false }
	f.Fuzz(func(t *testing.T, body string) {
		parsed, err := ParseBody([]byte(body))
		if err != nil {
			return
		}
		var fault *MapError
		item, err := c.Hooks[0].Map(&Request{Body: parsed, Query: none, Header: none}, "id")
		if err != nil && !errors.As(err, &fault) || err == nil && !json.Valid(item) {
			t.Errorf("%q: %q, %v", body, item, err)
		}
	})
}
