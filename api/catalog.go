package api

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"laurel/internal/auth"
	"laurel/internal/catalog"
	"laurel/internal/registry"
	"laurel/internal/store"
)

func (a *API) catalogRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/v1/catalog", scope: auth.CatalogRead, serve: a.getCatalog, doc: docGetCatalog()},
		{method: http.MethodPut, pattern: "/v1/catalog", scope: auth.CatalogWrite, serve: a.putCatalog, doc: docPutCatalog()},
		{method: http.MethodGet, pattern: "/v1/catalog/schema", serve: a.getSchema, doc: docGetSchema()},
	}
}

func (a *API) getCatalog(w http.ResponseWriter, r *request) error {
	e, ok := a.Registry.Get(r.org)
	if !ok {
		return registry.ErrOrgNotFound
	}
	return writeVersion(w, r, e.Version, e.Catalog.Source)
}

// writeVersion writes the catalog, or a part of it, under the version of the whole, or 304 where the client has that one.
func writeVersion(w http.ResponseWriter, r *request, v store.Version, text []byte) error {
	tag := versionTag(v)
	w.Header().Set("ETag", tag)
	if hasTag(r.Header["If-None-Match"], tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeBytes(w, http.StatusOK, text)
}

// putCatalog publishes a whole new catalog, if nobody published another since the caller read the one it started from.
func (a *API) putCatalog(w http.ResponseWriter, r *request) error {
	match := r.Header.Get("If-Match")
	if match == "" {
		return &fault{code: "precondition_required", detail: "Send the ETag of the catalog that you changed as If-Match."}
	}
	if _, err := formatOf(r, formatJSON, formatYAML); err != nil {
		return err
	}
	var c *catalog.Catalog
	err := a.withBody(r, func(body []byte) (err error) {
		c, err = catalog.ParseOrg(append([]byte(nil), body...))
		return err
	})
	if err != nil {
		return catalogFault(err, "")
	}
	if c.Org != r.org {
		return &fault{code: "bad_catalog", field: "id", detail: "The catalog is of another org than the key."}
	}
	if err := a.mayPublish(r, c); err != nil {
		return err
	}
	version, anyVersion := parseMatch(match)
	e, err := a.Registry.Publish(r.Context(), c, version, anyVersion)
	if err != nil {
		return catalogFault(err, "")
	}
	w.Header().Set("ETag", versionTag(e.Version))
	return writeBytes(w, http.StatusOK, e.Catalog.Source)
}

// mayPublish refuses a catalog with other webhooks than there are to a key that may not define any.
func (a *API) mayPublish(r *request, c *catalog.Catalog) error {
	var old *catalog.Catalog
	if e, ok := a.Registry.Get(r.org); ok {
		old = e.Catalog
	}
	return mayDefine(r, old, c)
}

// getSchema serves the JSON Schema of a catalog file; it holds no secret, so that an editor can use it.
func (a *API) getSchema(w http.ResponseWriter, _ *request) error {
	w.Header().Set("Content-Type", "application/schema+json")
	return writeBytes(w, http.StatusOK, catalog.Schema())
}

// catalogFault turns the faults of a catalog into one problem that lists them all. Where a definition came alone, whose place in the catalog is given, fields
// are those of the definition.
func catalogFault(err error, place string) error {
	var faults catalog.Faults
	if !errors.As(err, &faults) {
		return err
	}
	out := &fault{code: "bad_catalog", detail: "Nothing was changed; errors lists every fault."}
	for _, f := range faults {
		told := fieldError{Detail: f.Detail, Field: f.Path, Line: f.Line}
		if place != "" {
			told.Path = f.Path
			told.Field, _ = f.Within(place)
		}
		out.errors = append(out.errors, told)
	}
	return out
}

// versionTag writes a version as an ETag. Versions are encoded, because a quote would end the tag.
func versionTag(v store.Version) string {
	return `"` + base64.RawURLEncoding.EncodeToString([]byte(v)) + `"`
}

// parseMatch reads If-Match: one strong tag, or * for whatever is there. What this server never gave out matches nothing.
func parseMatch(header string) (v store.Version, anyVersion bool) {
	if header == "*" {
		return "", true
	}
	tag, ok := strings.CutPrefix(strings.TrimSpace(header), `"`)
	tag, ok2 := strings.CutSuffix(tag, `"`)
	version, err := base64.RawURLEncoding.DecodeString(tag)
	if !ok || !ok2 || err != nil || len(version) == 0 {
		return "\x00", false // no document has this version
	}
	return store.Version(version), false
}
