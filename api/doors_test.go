package api

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
)

// doorNow is a Saturday, ten minutes after the last activity that the references' examples show.
const doorNow = "2022-11-25T21:55:05.000+05:30"

// newDoorRig is a server with the orgs of testdata/doors/catalog.yaml, in which texts may be replaced; the key of each is sk_ and its name.
func newDoorRig(t testing.TB, replace ...string) *rig {
	t.Helper()
	g := newRig(t)
	g.setClock(doorNow) // before there are periods that could be closed
	_, err := g.api.Registry.Apply(t.Context(), []byte(strings.NewReplacer(replace...).Replace(string(doorFile(t, "catalog.yaml")))))
	must(t, err)
	for _, org := range []string{"brand", "east", "west", "rival"} {
		must(t, g.api.Keys.Bootstrap(t.Context(), "sk_"+org, []activity.Org{activity.Org(org)}))
	}
	g.key = "sk_brand"
	return g
}

func doorFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "doors", name))
	must(t, err)
	return b
}

// as calls with the key of an org.
func as(org string) func(*http.Request) { return header("Authorization", "Bearer sk_"+org) }

// did is an activity by its name, user and time, with what else it has.
func did(id, user, name, at, more string) string {
	return fmt.Sprintf(`{"id":%q,"user":%q,"name":%q,"at":%q%s}`, id, user, name, at, more)
}

// sameShape says where a text differs from an example in the names of members, their order, or types. Only the first item of an array of the example counts,
// and "<unknown>" stands for anything; members of optional may be missing.
func sameShape(t *testing.T, at string, example, got jsontext.Value, optional ...string) {
	t.Helper()
	if string(example) == `"<unknown>"` {
		return
	}
	if example.Kind() != got.Kind() && (example.Kind() != 't' && example.Kind() != 'f' || got.Kind() != 't' && got.Kind() != 'f') {
		t.Errorf("%s is %s, the example has %s", at, got, example)
		return
	}
	switch example.Kind() {
	case '[':
		var want, have []jsontext.Value
		must(t, json.Unmarshal(example, &want))
		must(t, json.Unmarshal(got, &have))
		for i, item := range have {
			if len(want) > 0 {
				sameShape(t, fmt.Sprintf("%s[%d]", at, i), want[0], item, optional...)
			}
		}
	case '{':
		wantNames, want := membersOf(t, example)
		haveNames, have := membersOf(t, got)
		wantNames = slices.DeleteFunc(wantNames, func(name string) bool { return have[name] == nil && slices.Contains(optional, name) })
		if diff := cmp.Diff(wantNames, haveNames); diff != "" {
			t.Errorf("%s has other members (-example +got):\n%s", at, diff)
			return
		}
		for _, name := range wantNames {
			sameShape(t, at+"."+name, want[name], have[name], optional...)
		}
	}
}

// membersOf are those of an object, and their names in order.
func membersOf(t *testing.T, object jsontext.Value) (names []string, values map[string]jsontext.Value) {
	t.Helper()
	values = map[string]jsontext.Value{}
	d := jsontext.NewDecoder(bytes.NewReader(object))
	_, err := d.ReadToken()
	must(t, err)
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		must(t, err)
		name := token.String()
		v, err := d.ReadValue()
		must(t, err)
		names, values[name] = append(names, name), v.Clone()
	}
	return names, values
}

// noNull says that a body has no null anywhere.
func noNull(t *testing.T, body []byte) {
	t.Helper()
	for d := jsontext.NewDecoder(bytes.NewReader(body)); ; {
		token, err := d.ReadToken()
		if err != nil {
			return
		}
		if token.Kind() == 'n' {
			t.Errorf("there is a null in %s", body)
		}
	}
}

// curl is a request as a curl of the references sends it: no more headers than these.
func (g *rig) curl(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.api.ServeHTTP(w, r)
	return w
}

// decoded is a JSON object as tests compare it.
func decoded(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	must(t, json.Unmarshal([]byte(text), &v))
	return v
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return b
}
