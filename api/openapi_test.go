package api

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is as much of OpenAPI as the tests look at.
type document struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Title, Version string
	}
	Paths      map[string]map[string]docOperation
	Components struct{ Schemas map[string]any }
}

type docOperation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Tags        []string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   any
	}
	RequestBody *docBody           `json:"requestBody"`
	Responses   map[string]docBody `json:"responses"`
	Security    []map[string][]string
}

type docBody struct {
	Description string
	Content     map[string]struct {
		Schema   any
		Example  any
		Examples map[string]struct{ Value any }
	}
}

func readDocument(t testing.TB, g *rig) document {
	t.Helper()
	w := httptest.NewRecorder()
	g.api.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	var doc document
	must(t, json.Unmarshal(w.Body.Bytes(), &doc, json.MatchCaseInsensitiveNames(true)))
	return doc
}

func TestOpenAPI_IsTheRouteTable(t *testing.T) {
	g := newRig(t)
	doc := readDocument(t, g)
	var described, served []string
	for path, item := range doc.Paths {
		for method := range item {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, rt := range g.api.routes {
		served = append(served, rt.method+" "+openPath(rt.pattern))
		request := httptest.NewRequest(rt.method, strings.NewReplacer("{$}", "", "{", "", "}", "").Replace(rt.pattern), nil)
		if _, pattern := g.api.mux.Handler(request); pattern != rt.method+" "+rt.pattern {
			t.Errorf("%s %s is served by %q", rt.method, rt.pattern, pattern)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if diff := cmp.Diff(served, described); diff != "" {
		t.Errorf("served and described differ:\n%s", diff)
	}
}

func TestOpenAPI_IsWhole(t *testing.T) {
	doc := readDocument(t, newRig(t))
	if doc.OpenAPI != "3.1.0" || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("head is %s %+v", doc.OpenAPI, doc.Info)
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths {
		for method, op := range item {
			where := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s: id %q (twice: %v), summary %q, tags %v", where, op.OperationID, ids[op.OperationID], op.Summary, op.Tags)
			}
			ids[op.OperationID] = true
			checkParameters(t, where, path, op)
			checkResponses(t, where, op)
			if method != "get" && method != "delete" && op.RequestBody != nil && len(op.RequestBody.Content) == 0 {
				t.Errorf("%s has a body of no type", where)
			}
		}
	}
}

func checkParameters(t *testing.T, where, path string, op docOperation) {
	t.Helper()
	for _, p := range op.Parameters {
		if p.Name == "" || p.Schema == nil || p.In == "path" && (!p.Required || !strings.Contains(path, "{"+p.Name+"}")) {
			t.Errorf("%s: parameter %+v", where, p)
		}
	}
	if got, want := countIn(op, "path"), strings.Count(path, "{"); got != want {
		t.Errorf("%s has %d path parameters, want %d", where, got, want)
	}
}

func countIn(op docOperation, in string) (n int) {
	for _, p := range op.Parameters {
		if p.In == in {
			n++
		}
	}
	return n
}

func checkResponses(t *testing.T, where string, op docOperation) {
	t.Helper()
	good := 0
	for status, r := range op.Responses {
		if r.Description == "" {
			t.Errorf("%s %s has no description", where, status)
		}
		if status < "400" {
			good++
			continue
		}
		want := []string{"application/problem+json"}
		if op.Tags[0] == "doors" {
			want = []string{"application/json"}
		}
		if types := slices.Collect(maps.Keys(r.Content)); !cmp.Equal(types, want) {
			t.Errorf("%s %s has the types %v", where, status, types)
		}
	}
	if good == 0 || op.Responses["500"].Description == "" || len(op.Security) > 0 && op.Responses["401"].Description == "" {
		t.Errorf("%s lacks responses: has %v", where, slices.Sorted(maps.Keys(op.Responses)))
	}
}

// Every schema compiles, every reference leads somewhere, and every example is what its schema says.
func TestOpenAPI_ExamplesFitTheirSchemas(t *testing.T) {
	g := newRig(t)
	doc := readDocument(t, g)
	for name := range doc.Components.Schemas {
		if _, err := g.schema.Compile("mem:///openapi.json#/components/schemas/" + name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
	examples := 0
	for path, item := range doc.Paths {
		for method, op := range item {
			at := fmt.Sprintf("/paths/%s/%s", escape(path), method)
			if op.RequestBody != nil {
				examples += checkExamples(t, g, at+"/requestBody", *op.RequestBody)
			}
			for status, r := range op.Responses {
				examples += checkExamples(t, g, at+"/responses/"+status, r)
			}
		}
	}
	if examples < 100 {
		t.Errorf("only %d examples", examples)
	}
}

func checkExamples(t *testing.T, g *rig, at string, body docBody) (n int) {
	t.Helper()
	for media, c := range body.Content {
		values := []any{}
		if c.Example != nil {
			values = append(values, c.Example)
		}
		for _, e := range c.Examples {
			values = append(values, e.Value)
		}
		schema, err := g.schema.Compile("mem:///openapi.json#" + at + "/content/" + escape(media) + "/schema")
		must(t, err)
		for _, v := range values {
			n++
			text, err := json.Marshal(v)
			must(t, err)
			instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			must(t, err)
			if err := schema.Validate(instance); err != nil {
				t.Errorf("%s: example does not fit: %v", at, err)
			}
		}
	}
	return n
}

// The document is the same at every start, so that it can be kept and compared.
func TestOpenAPI_IsDeterministic(t *testing.T) {
	a, b := newRig(t), newRig(t)
	if !bytes.Equal(a.api.openapi, b.api.openapi) {
		t.Error("two servers describe themselves differently")
	}
	if r := a.call("GET", "/openapi.json", "", header("Authorization", "")); r.Code != http.StatusOK || r.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", r.Code, r.Header())
	}
}
