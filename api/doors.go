package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"laurel/api/capillary"
	"laurel/api/nudj"
	"laurel/api/returning"
	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/catalog"
	"laurel/internal/registry"
)

// DoorReads are the reads of the vendor-shaped doors.
type DoorReads interface {
	nudj.Reads
	returning.Reads
	capillary.Reads
}

// face is how a vendor-shaped door differs from the native API in all of its routes: where a request has its key, and how it is told no. The methods of a nil
// one are the native API's.
type face struct {
	find func(*http.Request) (token, keyID string)
	// refuse makes the answer of a problem by its status, code and text.
	refuse func(status int, code, text string) (int, any)
	// challenge is what WWW-Authenticate says, and schemes are the names of the ways to authenticate in the OpenAPI document.
	challenge string
	schemes   []string
}

// credentials finds the key of a request, "" where there is none, and which id the key must have, "" for any.
func (f *face) credentials(r *http.Request) (token, keyID string) {
	if f != nil {
		return f.find(r)
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ""
	}
	return token, ""
}

// write sends a problem as the answer.
func (f *face) write(w http.ResponseWriter, p *problem) {
	if f == nil {
		p.write(w)
		return
	}
	status, body := f.refuse(p.Status, p.Code, cmp.Or(p.Detail, p.Title))
	h := w.Header()
	h.Del("ETag")
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", f.challenge)
	}
	if p.retry != "" {
		h.Set("Retry-After", p.retry)
	}
	_ = writeJSON(w, status, body)
}

func (f *face) security() (ways []map[string][]string) {
	schemes := []string{"key"}
	if f != nil {
		schemes = f.schemes
	}
	for _, s := range schemes {
		ways = append(ways, map[string][]string{s: {}})
	}
	return ways
}

// refusals describes what a door answers for the codes of a route: by the statuses and texts that it has for them.
func (d *describer) refusals(op *huma.Operation, f *face, byStatus map[int][]string) error {
	told := map[int][]any{}
	for _, native := range slices.Sorted(maps.Keys(byStatus)) {
		for _, code := range slices.Sorted(slices.Values(byStatus[native])) {
			status, body := f.refuse(native, code, d.codes[code].title)
			if !slices.ContainsFunc(told[status], func(b any) bool { return reflect.DeepEqual(b, body) }) {
				told[status] = append(told[status], body)
			}
		}
	}
	for status, bodies := range told {
		media := &huma.MediaType{Schema: d.schemas.Schema(reflect.TypeOf(bodies[0]), true, ""), Examples: map[string]*huma.Example{}}
		for i, body := range bodies {
			text, err := json.Marshal(body)
			if err != nil {
				return err
			}
			var value any
			if err := json.Unmarshal(text, &value); err != nil {
				return err
			}
			media.Examples["example"+strconv.Itoa(i+1)] = &huma.Example{Value: value}
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{"application/json": media}}
	}
	return nil
}

// definitions are the catalogs as doors see them.
type definitions struct{ *registry.Registry }

// Catalog implements returning.Catalogs and capillary.Orgs.
func (d definitions) Catalog(org activity.Org) *catalog.Catalog {
	if e, ok := d.Get(org); ok {
		return e.Catalog
	}
	return nil
}

// Edit implements returning.Catalogs.
func (d definitions) Edit(ctx context.Context, org activity.Org, change registry.Change) error {
	_, err := d.Registry.Edit(ctx, org, "", true, change)
	return err
}

// decodeDoor reads a door's body into v. Its clients are other people's, so that members that are not known are passed over, and the type that they say it has
// does not matter; what is not JSON is refused here too.
func (a *API) decodeDoor(r *request, v any) error {
	return a.withBody(r, func(body []byte) error {
		err := json.Unmarshal(body, v)
		var semantic *json.SemanticError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &semantic):
			return badRequest(path(semantic.JSONPointer), "This is not of the expected type: "+cmp.Or(path(semantic.JSONPointer), "the body")+".")
		}
		return syntaxFault(body, err)
	})
}

// asked reads a door's body, calls the door, and writes what it says.
func asked[In, Out any](a *API, call func(context.Context, activity.Org, *In) (*Out, error)) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		in := new(In)
		if err := a.decodeDoor(r, in); err != nil {
			return err
		}
		out, err := call(r.Context(), r.org, in)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, out)
	}
}

// doorRoutes are those of all doors.
func (a *API) doorRoutes() []route {
	return slices.Concat(a.nudjRoutes(), a.returningRoutes(), a.capillaryRoutes())
}

func (a *API) nudjRoutes() []route {
	door := &nudj.Door{Reads: a.Reads}
	f := &face{find: nudj.Credentials, refuse: nudj.Refuse, challenge: "ApiKey", schemes: []string{"apiToken"}}
	serve := func(w http.ResponseWriter, r *request) error {
		q := r.query()
		details, err := door.Details(r.Context(), r.org, func(name string) (string, bool) { return q.Get(name), q.Has(name) })
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, details)
	}
	return []route{{method: http.MethodGet, pattern: nudj.Path, scope: auth.UsersRead, face: f, serve: serve, doc: docNudj()}}
}

func (a *API) capillaryRoutes() (routes []route) {
	door := &capillary.Door{Reads: a.Reads, Orgs: definitions{a.Registry}}
	f := &face{find: capillary.Credentials, refuse: capillary.Refuse, challenge: `Basic realm="laurel", Bearer`, schemes: []string{"keyPair", "key"}}
	serve := func(w http.ResponseWriter, r *request) error {
		in := capillary.Request{Scope: r.Header.Get(capillary.ScopeHeader), OrgsList: strings.Join(r.Header.Values(capillary.OrgsHeader), ",")}
		var err error
		if in.User, err = capillary.ParseUser(r.PathValue("userId")); err != nil {
			return err
		}
		if err := a.decodeDoor(r, &in.Wanted); err != nil {
			return err
		}
		answer, err := door.Ranks(r.Context(), r.org, &in)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, answer)
	}
	for i, pattern := range capillary.Paths() {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			routes = append(routes, route{method: method, pattern: pattern, scope: auth.UsersRead, face: f, serve: serve, doc: docCapillary(method, i > 0)})
		}
	}
	return routes
}
