package api

import (
	"encoding/json" // the schema library writes itself by this one
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/api/nudj"
	"laurel/internal/ingest"
	"laurel/internal/query"
)

// operation describes a route: what the OpenAPI document says beyond the route itself.
type operation struct {
	id, tag, summary string
	description      string
	query, headers   []param
	body             *content
	responses        []response
	// errors are the codes beyond those that every route of its sort may answer.
	errors []string
}

// param is a query parameter or a header.
type param struct {
	name, description string
	schema            huma.Schema
	required          bool
}

// content is a body: of's type gives its schema. With list it may also be an array of that and, as NDJSON, a line for each.
type content struct {
	of       any
	list     bool
	optional bool
	types    []string // media types; nil: application/json
	example  string   // JSON
}

// response is a good answer.
type response struct {
	status      int
	description string
	content     *content // nil: no body
	headers     []string
}

// OpenAPI is the document that GET /openapi.json serves.
func OpenAPI(version string) ([]byte, error) {
	nobody := Options{Version: version, Reads: (*query.Reader)(nil), Writes: (*ingest.Service)(nil)} // the route table takes their methods, and calls none
	a := &API{Options: nobody, problems: newProblems()}
	a.routes = a.table()
	return a.describe()
}

// describe makes the OpenAPI document of the route table.
func (a *API) describe() ([]byte, error) {
	d := &describer{schemas: huma.NewMapRegistry("#/components/schemas/", schemaName), codes: a.problems.codes}
	d.schemas.RegisterTypeAlias(reflect.TypeFor[jsontext.Value](), reflect.TypeFor[any]())
	d.schemas.RegisterTypeAlias(reflect.TypeFor[query.Score](), reflect.TypeFor[float64]())
	d.schemas.RegisterTypeAlias(reflect.TypeFor[query.StreakPeriod](), reflect.TypeFor[streakHistoryDoc]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "Laurel", Version: a.Version, Description: introduction},
		Tags: []*huma.Tag{{Name: "activities", Description: "What users did"}, {Name: "leaderboards", Description: "Ranked users of a rule in a period"},
			{Name: "events", Description: "What happened, in order"},
			{Name: "users", Description: "One user's standing"}, {Name: "streaks", Description: "What streaks are kept by"}, {Name: "catalog", Description: "The org's definitions"},
			{Name: "keys", Description: "API keys"}, {Name: "doors", Description: "The same users and streaks in the shapes of other servers: docs/DOORS.md"}, {Name: "live", Description: "Views that follow, and pages"}},
		Components: &huma.Components{Schemas: d.schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
			"key":      {Type: "http", Scheme: "bearer", Description: "An API key: sk_… on servers, pk_… in browsers; or a signed token of POST /v1/tokens, for boards and the GETs of its own user."},
			"keyPair":  {Type: "http", Scheme: "basic", Description: "A key's id and the key, at the Capillary-shaped door."},
			"apiToken": {Type: "apiKey", In: "header", Name: nudj.Header, Description: "An API key, at the Nudj-shaped door."}}},
		Paths: map[string]*huma.PathItem{},
	}
	for _, rt := range a.routes {
		op, err := d.operation(rt)
		if err != nil {
			return nil, fmt.Errorf("describe %s %s: %w", rt.method, rt.pattern, err)
		}
		doc.AddOperation(op)
	}
	return json.Marshal(doc)
}

const introduction = `Send activities, read leaderboards and streaks. Times come out in UTC with milliseconds and go in as RFC 3339 with an ` +
	`offset. Every error is a problem document (RFC 9457) with a stable code. A key for several orgs needs the header Laurel-Org.`

// describer collects the schemas that the operations mention.
type describer struct {
	schemas huma.Registry
	codes   map[string]codeInfo
}

// schemaName drops the suffixes that tell wire types from domain types in Go.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for _, suffix := range []string{"Wire", "Doc"} {
		name = strings.TrimSuffix(name, suffix)
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if door, some := strings.CutPrefix(t.PkgPath(), "laurel/api/"); some { // names of one door may be those of another
		name = strings.ToUpper(door[:1]) + door[1:] + name
	}
	return name
}

func (d *describer) operation(rt route) (*huma.Operation, error) {
	op := &huma.Operation{Method: rt.method, Path: openPath(rt.pattern), OperationID: rt.doc.id, Tags: []string{rt.doc.tag},
		Summary: rt.doc.summary, Description: rt.doc.description, Responses: map[string]*huma.Response{}, Security: []map[string][]string{}}
	if rt.scope != "" {
		scope := string(rt.scope)
		if rt.orScope != "" {
			scope += " or " + string(rt.orScope)
		}
		op.Description = strings.TrimSpace(op.Description + "\n\nScope: " + scope + ".")
		op.Security = rt.face.security()
	}
	d.parameters(op, rt)
	if body := rt.doc.body; body != nil {
		media, err := d.media(body)
		if err != nil {
			return nil, err
		}
		op.RequestBody = &huma.RequestBody{Required: !body.optional, Content: media}
	}
	for _, r := range rt.doc.responses {
		if err := d.response(op, r); err != nil {
			return nil, err
		}
	}
	return op, d.failures(op, rt)
}

// openPath is a ServeMux pattern as OpenAPI writes it.
func openPath(pattern string) string {
	return strings.NewReplacer("{$}", "", "...}", "}").Replace(pattern)
}

// parameters describes those of the path, which follow from the pattern, and those of the query and the headers.
func (d *describer) parameters(op *huma.Operation, rt route) {
	for _, m := range regexp.MustCompile(`\{(\w+)(?:\.\.\.)?\}`).FindAllStringSubmatch(rt.pattern, -1) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: m[1], In: "path", Required: true, Description: pathParam(rt.pattern, m[1]),
			Schema: &huma.Schema{Type: huma.TypeString, MinLength: ptr(1)}})
	}
	add := func(in string, params []param) {
		for _, p := range params {
			op.Parameters = append(op.Parameters, &huma.Param{Name: p.name, In: in, Required: p.required, Description: p.description, Schema: &p.schema})
		}
	}
	add("query", rt.doc.query)
	add("header", rt.doc.headers)
	if rt.scope != "" {
		add("header", []param{{name: "Laurel-Org", description: "The org, for a key of several", schema: huma.Schema{Type: huma.TypeString}}})
	}
}

func pathParam(pattern, name string) string {
	switch name {
	case "user":
		return "The user's id; percent-encode what is not plain, / as %2F"
	case "group":
		return "The target group's id"
	case "rule":
		return "The rule's id"
	case "period":
		return "A cycle (its current period), a label such as 2026-W47, or cycle~N (N periods before)"
	}
	if strings.HasPrefix(pattern, "/ui/") || strings.HasPrefix(pattern, "/console/") || strings.HasPrefix(pattern, "/widgets/") {
		return map[string]string{"path": "Where in it", "version": "v1", "file": "Such as leaderboard.js"}[name]
	}
	before, _, _ := strings.Cut(pattern, "/{")
	collection := before[strings.LastIndexByte(before, '/')+1:]
	if collection == "behaviours" {
		return "Its name, percent-encoded"
	}
	return "The id of one of " + collection
}

// response adds one good answer to op.
func (d *describer) response(op *huma.Operation, r response) error {
	out := &huma.Response{Description: r.description}
	if r.content != nil {
		media, err := d.media(r.content)
		if err != nil {
			return err
		}
		out.Content = media
	}
	for _, h := range r.headers {
		if out.Headers == nil {
			out.Headers = map[string]*huma.Param{}
		}
		out.Headers[h] = &huma.Header{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.Responses[strconv.Itoa(r.status)] = out
	return nil
}

// failures adds a problem document for every status that the route's codes have.
func (d *describer) failures(op *huma.Operation, rt route) error {
	list := append([]string{"internal"}, rt.doc.errors...)
	if rt.scope != "" {
		list = append(list, "unauthorized", "forbidden", "org_required", "unavailable")
	}
	if rt.doc.body != nil {
		list = append(list, "bad_json", "bad_request", "too_large", "unsupported_media_type")
	}
	byStatus := map[int][]string{}
	for _, code := range list {
		info, ok := d.codes[code]
		if !ok {
			return fmt.Errorf("unknown code %s", code)
		}
		if !slices.Contains(byStatus[info.status], code) {
			byStatus[info.status] = append(byStatus[info.status], code)
		}
	}
	if rt.face != nil {
		return d.refusals(op, rt.face, byStatus)
	}
	schema := d.schemas.Schema(reflect.TypeFor[problem](), true, "Problem")
	for status, codes := range byStatus {
		slices.Sort(codes)
		examples := map[string]*huma.Example{}
		for _, code := range codes {
			examples[code] = &huma.Example{Value: map[string]any{"type": "urn:laurel:problem:" + code, "title": d.codes[code].title,
				"status": status, "code": code}}
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status) + ": " + strings.Join(codes, ", "),
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Examples: examples}}}
	}
	return nil
}

// media describes a body for each of its media types.
func (d *describer) media(c *content) (map[string]*huma.MediaType, error) {
	var example any
	if c.example != "" {
		if err := json.Unmarshal([]byte(c.example), &example); err != nil {
			return nil, fmt.Errorf("example: %w", err)
		}
	}
	schema := &huma.Schema{}
	if c.of != nil {
		schema = d.schemas.Schema(reflect.TypeOf(c.of), true, "")
	}
	if c.list {
		many := &huma.Schema{Type: huma.TypeArray, Items: schema, MaxItems: ptr(MaxItems)}
		line := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "One activity a line"}}
		return map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{OneOf: []*huma.Schema{schema, many}}, Example: example},
			"application/x-ndjson": line}, nil
	}
	out := map[string]*huma.MediaType{}
	for _, name := range c.types {
		out[name] = &huma.MediaType{Schema: schema, Example: example}
	}
	if len(c.types) == 0 {
		out["application/json"] = &huma.MediaType{Schema: schema, Example: example}
	}
	return out, nil
}

func ptr[T any](v T) *T { return &v }

// The schemas of parameters.
func integer(low, high int, absent any) huma.Schema {
	return huma.Schema{Type: huma.TypeInteger, Minimum: ptr(float64(low)), Maximum: ptr(float64(high)), Default: absent}
}

func text() huma.Schema { return huma.Schema{Type: huma.TypeString} }

func instantText() huma.Schema { return huma.Schema{Type: huma.TypeString, Format: "date-time"} }

// minRevision is the parameter of every read that can wait for a write.
func minRevision() param {
	return param{name: "min_revision", description: "Wait a bounded time until this revision, from another answer, is visible", schema: text()}
}
