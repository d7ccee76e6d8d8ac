package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUsers_Profile(t *testing.T) {
	g := newRig(t)
	const ada = "/v1/users/ada"
	for _, step := range []struct {
		method, body        string
		profile, attributes any
	}{
		{"PUT", `{"name":"Ada L.","picture":"https://x.example/a.png","attributes":{"country":"AT","team":"red"}}`,
			map[string]any{"name": "Ada L.", "picture": "https://x.example/a.png"}, map[string]any{"country": "AT", "team": "red"}},
		{"PATCH", `{}`, map[string]any{"name": "Ada L.", "picture": "https://x.example/a.png"}, map[string]any{"country": "AT", "team": "red"}},
		{"PATCH", `{"picture":null,"attributes":{"team":null,"level":"3"}}`, map[string]any{"name": "Ada L."}, map[string]any{"country": "AT", "level": "3"}},
		{"PATCH", `{"timezone":"Europe/Vienna","name":"Ada","attributes":{"country":"DE"}}`, map[string]any{"name": "Ada"},
			map[string]any{"country": "DE", "level": "3"}},
		{"PATCH", `{"attributes":null}`, map[string]any{"name": "Ada"}, nil},
		{"PUT", `{"attributes":{"country":"FR"}}`, nil, map[string]any{"country": "FR"}},
		{"PUT", `{}`, nil, nil},
	} {
		for _, r := range []reply{g.call(step.method, ada, step.body).wants(t, 200, ""), g.call("GET", ada, "").wants(t, 200, "")} {
			if diff := cmp.Diff([]any{step.profile, step.attributes}, []any{r.at("profile"), r.at("attributes")}); diff != "" {
				t.Errorf("%s %s (-want +got)\n%s", step.method, step.body, diff)
			}
		}
	}
	if r := g.call("GET", ada, ""); r.at("timezone") != "Europe/Vienna" {
		t.Errorf("the zone did not stay: %s", r.Body)
	}
}

func TestUsers_ProfileRefused(t *testing.T) {
	g := newRig(t)
	var many, more []string
	for i := range 17 {
		many = append(many, fmt.Sprintf(`"a%d":"x"`, i))
		more = append(more, fmt.Sprintf(`"b%d":"x"`, i))
	}
	g.call("PUT", "/v1/users/ada", `{"attributes":{`+strings.Join(many[:16], ",")+`}}`).wants(t, 200, "")
	before := g.call("GET", "/v1/users/ada", "").Body.String()
	for body, field := range map[string]string{
		`{"name":"` + strings.Repeat("é", 65) + `"}`: "name",
		`{"name":"a\nb"}`:                   "name",
		`{"name":"a\u0085b"}`:               "name",
		`{"picture":"javascript:alert(1)"}`: "picture",
		`{"picture":"/a.png"}`:              "picture",
		`{"picture":"https://x/` + strings.Repeat("a", 1024) + `"}`: "picture",
		`{"attributes":{"Country":"AT"}}`:                           "attributes",
		`{"attributes":{"9":"AT"}}`:                                 "attributes",
		`{"attributes":{"":"AT"}}`:                                  "attributes",
		`{"attributes":{"country":"a\tb"}}`:                         "attributes.country",
		`{"attributes":{"country":7}}`:                              "attributes.country",
		`{"attributes":{` + more[0] + `}}`:                          "attributes",
		`{"attributes":{` + strings.Join(more, ",") + `}}`:          "attributes",
		`{"attributes":"AT"}`:                                       "attributes",
	} {
		if r := g.call("PATCH", "/v1/users/ada", body).wants(t, 400, "bad_request"); r.body["field"] != field {
			t.Errorf("%s: field %v, want %s", body, r.body["field"], field)
		}
	}
	if after := g.call("GET", "/v1/users/ada", "").Body.String(); after != before {
		t.Errorf("a refused change changed something: %s", after)
	}
	g.call("PATCH", "/v1/users/nobody", `{"name":"x"}`).wants(t, 404, "user_not_found")
}
