package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	ownSecret  = "It's a Secret to Everybody"
)

// TestWebhooks_SecretsAreNeverShown: no route gives one back, whatever is asked.
func TestWebhooks_SecretsAreNeverShown(t *testing.T) {
	g := newRig(t)
	shown := g.call("POST", "/v1/catalog/webhooks", `{"id":"shop","url":"https://shop.example","secret":"`+hookSecret+`"}`).wants(t, 201, "")
	hint, _ := shown.at("secret").(string)
	if !strings.HasPrefix(hint, "…") {
		t.Fatalf("made: %s", shown.Body)
	}
	texts := shown.Body.String()
	g.call("POST", "/v1/catalog/hooks", `{"id":"in","activity":{"user":"body.u","name":"'commit'"},"verify":{"secret":"`+ownSecret+`","header":"X-Sign"}}`).wants(t, 201, "")
	for _, path := range []string{"/v1/catalog", "/v1/catalog/webhooks", "/v1/catalog/webhooks/shop", "/v1/catalog/hooks", "/v1/catalog/hooks/in", "/v1/webhooks", "/v1/webhooks/shop"} {
		texts += g.call("GET", path, "").wants(t, 200, "").Body.String()
	}
	texts += g.call("PUT", "/v1/catalog/webhooks/shop", `{"url":"x","secret":"`+hookSecret+`x"}`).wants(t, 422, "bad_catalog").Body.String()
	texts += g.call("PUT", "/v1/catalog/hooks/in", `{"activity":{"user":"body.u"},"verify":{"secret":["`+ownSecret+`"],"header":7}}`).wants(t, 422, "bad_catalog").Body.String()
	if strings.Contains(texts, hookSecret) || strings.Contains(texts, "Everybody") {
		t.Errorf("a secret is shown: %s", texts)
	}
	// What was read is written again, with a change, and the secret stays.
	whole := g.call("GET", "/v1/catalog", "")
	g.call("PUT", "/v1/catalog", strings.Replace(whole.Body.String(), "shop.example", "other.example", 1), header("If-Match", whole.Header().Get("ETag"))).wants(t, 200, "")
	if got := g.call("GET", "/v1/webhooks/shop", "").wants(t, 200, ""); got.at("secret_hints.0") != hint || got.at("url") != "https://other.example" || got.at("state") != "idle" {
		t.Errorf("%s", got.Body)
	}
	r := g.call("PUT", "/v1/catalog/webhooks/new", `{"url":"https://shop.example","secret":"…AAAAAAAA"}`).wants(t, 422, "bad_catalog")
	if r.at("errors.0.field") != "secret" {
		t.Errorf("a hint of nothing: %s", r.Body)
	}
}

func TestWebhooks_TestAndEnable(t *testing.T) {
	g := newRig(t)
	var got string
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hook, err := standardwebhooks.NewWebhook(hookSecret)
		must(t, err)
		if err := hook.Verify(body, r.Header); err != nil {
			t.Error(err)
		}
		got = string(body)
	}))
	defer receiver.Close()
	g.call("PUT", "/v1/catalog/webhooks/shop", `{"url":"`+receiver.URL+`","secret":"`+hookSecret+`"}`).wants(t, 201, "")
	if r := g.call("POST", "/v1/webhooks/shop/test", "").wants(t, 200, ""); r.at("delivered") != true || !strings.Contains(got, `"type":"webhook.test"`) {
		t.Errorf("%s, received %s", r.Body, got)
	}
	g.call("POST", "/v1/webhooks/shop/enable", "").wants(t, 200, "")
	g.call("POST", "/v1/webhooks/shop/enable", `{"from":"now"}`).wants(t, 200, "")
	g.call("POST", "/v1/webhooks/shop/enable", `{"from":"then"}`).wants(t, 400, "bad_request")
	g.call("POST", "/v1/webhooks/none/test", "").wants(t, 404, "definition_not_found")
	g.call("GET", "/v1/webhooks/none", "").wants(t, 404, "definition_not_found")
}

// TestWebhooks_NeedUsersRead: who may not read users' events cannot have them sent either.
func TestWebhooks_NeedUsersRead(t *testing.T) {
	g := newRig(t)
	key := g.call("POST", "/v1/keys", `{"name":"c","kind":"sk","scopes":["catalog:read","catalog:write"]}`).wants(t, 201, "").at("key").(string)
	as := []func(*http.Request){bearer(key)}
	const hook = `{"url":"https://shop.example","secret_env":"LAUREL_SECRET_A"}`
	g.call("PUT", "/v1/catalog/webhooks/shop", hook, as...).wants(t, 403, "forbidden")
	g.call("PUT", "/v1/catalog/webhooks/shop", hook).wants(t, 201, "")
	whole := g.call("GET", "/v1/catalog", "", as...)
	with := append(as, header("If-Match", whole.Header().Get("ETag")))
	g.call("PUT", "/v1/catalog", strings.Replace(whole.Body.String(), "shop.example", "evil.example", 1), with...).wants(t, 403, "forbidden")
	g.call("PUT", "/v1/catalog", strings.Replace(whole.Body.String(), `"target":1`, `"target":2`, 1), with...).wants(t, 200, "")
	g.call("DELETE", "/v1/catalog/webhooks/shop", "", as...).wants(t, 204, "")
}

func TestHooks_MakeActivities(t *testing.T) {
	g := newRig(t)
	g.call("PUT", "/v1/catalog/hooks/gh", `{"when":"header[\"X-GitHub-Event\"] == \"push\"",
		"activity":{"user":"body.sender.login","name":"'commit'","id":"body.after","at":"body.at","meta":{"added":"body.added"}}}`).wants(t, 201, "")
	body := `{"sender":{"login":"ada"},"after":"c1","at":"` + now + `","added":42,"rest":[1,{"x":null}]}`
	push := header("X-GitHub-Event", "push")
	made := g.call("POST", "/v1/hooks/gh", body, push).wants(t, 201, "")
	if made.at("activity.user") != "ada" || made.at("activity.meta.added") != 42. || made.at("id") != "c1" {
		t.Errorf("%s", made.Body)
	}
	if again := g.call("POST", "/v1/hooks/gh", body, push).wants(t, 200, ""); again.at("status") != "duplicate" {
		t.Errorf("%s", again.Body)
	}
	g.call("POST", "/v1/hooks/gh", strings.Replace(body, "42", "43", 1), push).wants(t, 409, "id_conflict")
	if skipped := g.call("POST", "/v1/hooks/gh", body).wants(t, 200, ""); skipped.at("status") != "skipped" {
		t.Errorf("%s", skipped.Body)
	}
	for text, want := range map[string]struct {
		status      int
		code, field string
	}{
		`{"sender":{},"after":"c2"}`:                                          {422, "hook_unmapped", "user"},
		`{"sender":{"login":"ada"},"after":"c2"}`:                             {422, "hook_unmapped", "at"},
		`{"sender":{"login":"ada"},"after":"c2","at":"soon"}`:                 {422, "bad_time", "at"},
		`{"sender":{"login":""},"after":"c2","at":"` + now + `"}`:             {422, "bad_user", "user"},
		`{"sender":{"login":"ada"},"after":"c2","at":"2020-01-01T00:00:00Z"}`: {422, "too_old", "at"},
		`{`:             {400, "bad_json", ""},
		`{"a":1,"a":2}`: {400, "bad_json", ""},
		`"` + strings.Repeat("x", maxHookBody) + `"`: {413, "too_large", ""},
	} {
		r := g.call("POST", "/v1/hooks/gh", text, push)
		if field, _ := r.at("field").(string); r.Code != want.status || r.at("code") != want.code || field != want.field {
			t.Errorf("%.80s: %d %s", text, r.Code, r.Body)
		}
	}
	g.call("POST", "/v1/hooks/none", body).wants(t, 404, "definition_not_found")
	g.call("PUT", "/v1/catalog/hooks/q", `{"activity":{"user":"query.u","name":"'commit'"}}`).wants(t, 201, "")
	first := g.call("POST", "/v1/hooks/q?u=bob", "", header("Webhook-Id", "m1")).wants(t, 201, "")
	second := g.call("POST", "/v1/hooks/q?u=bob", "", header("Webhook-Id", "m1")).wants(t, 200, "")
	if first.at("id") != "m1" || second.at("status") != "duplicate" {
		t.Errorf("%s %s", first.Body, second.Body)
	}
	g.call("PUT", "/v1/catalog/hooks/q", `{"active":false,"activity":{"user":"query.u","name":"'commit'"}}`).wants(t, 200, "")
	g.call("POST", "/v1/hooks/q?u=bob", "").wants(t, 404, "definition_not_found")
}

func TestHooks_Verify(t *testing.T) {
	g := newRig(t)
	g.call("PUT", "/v1/catalog/hooks/std", `{"activity":{"user":"body.u","name":"'commit'"},"verify":{"secret":"`+hookSecret+`"}}`).wants(t, 201, "")
	g.call("PUT", "/v1/catalog/hooks/own", `{"activity":{"user":"body.u","name":"'commit'"},"verify":{"secret":"`+ownSecret+`","header":"X-Hub-Signature-256","prefix":"sha256="}}`).wants(t, 201, "")
	g.call("PUT", "/v1/catalog/hooks/env", `{"activity":{"user":"body.u","name":"'commit'"},"verify":{"secret_env":"LAUREL_SECRET_NOT_SET"}}`).wants(t, 201, "")
	const body = `{"u":"ada"}`
	hook, err := standardwebhooks.NewWebhook(hookSecret)
	must(t, err)
	at := time.Now()
	signature, err := hook.Sign("m7", at, []byte(body))
	must(t, err)
	signed := []func(*http.Request){header("Webhook-Id", "m7"), header("Webhook-Timestamp", itoa(int(at.Unix()))), header("Webhook-Signature", signature)}
	g.call("POST", "/v1/hooks/std", body).wants(t, 401, "bad_signature")
	g.call("POST", "/v1/hooks/std", body+" ", signed...).wants(t, 401, "bad_signature")
	if r := g.call("POST", "/v1/hooks/std", body, signed...).wants(t, 201, ""); r.at("id") != "m7" {
		t.Errorf("%s", r.Body)
	}
	mac := hmac.New(sha256.New, []byte(ownSecret))
	mac.Write([]byte(body))
	g.call("POST", "/v1/hooks/own", body, header("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))).wants(t, 201, "")
	g.call("POST", "/v1/hooks/own", body, header("X-Hub-Signature-256", "sha256=00")).wants(t, 401, "bad_signature")
	g.call("POST", "/v1/hooks/env", body, signed...).wants(t, 503, "no_secret")
}

// TestHooks_Keys: in the URL only a key that is good for nothing else; and such a key opens nothing else.
func TestHooks_Keys(t *testing.T) {
	g := newRig(t)
	g.call("PUT", "/v1/catalog/hooks/h", `{"activity":{"user":"body.u","name":"'commit'"}}`).wants(t, 201, "")
	make := func(scopes string) string {
		return g.call("POST", "/v1/keys", `{"name":"h","kind":"sk","scopes":[`+scopes+`]}`).wants(t, 201, "").at("key").(string)
	}
	only, more := make(`"hooks:write"`), make(`"hooks:write","users:read"`)
	none := header("Authorization", "")
	g.call("POST", "/v1/hooks/h?key="+only, `{"u":"ada"}`, none).wants(t, 201, "")
	g.call("POST", "/v1/hooks/h?key="+more, `{"u":"ada"}`, none).wants(t, 403, "forbidden")
	g.call("POST", "/v1/hooks/h?key="+g.key, `{"u":"ada"}`, none).wants(t, 403, "forbidden")
	g.call("POST", "/v1/hooks/h?key=sk_wrong", `{"u":"ada"}`, none).wants(t, 401, "unauthorized")
	g.call("POST", "/v1/hooks/h", `{"u":"ada"}`, none).wants(t, 401, "unauthorized")
	g.call("POST", "/v1/hooks/h", `{"u":"ada"}`, bearer(only)).wants(t, 201, "")
	g.call("POST", "/v1/hooks/h", `{"u":"ada"}`, bearer(more)).wants(t, 201, "")
	g.call("POST", "/v1/activities", `{"user":"ada","name":"commit"}`, bearer(only)).wants(t, 403, "forbidden")
	g.call("GET", "/v1/leaderboards?key="+only, "", none).wants(t, 401, "unauthorized")
}
