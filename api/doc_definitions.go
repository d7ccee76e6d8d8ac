package api

import "net/http"

// definitionDoc is one definition, any object.
type definitionDoc struct {
	_ struct{} `additionalProperties:"true"`
}

func (s definitionSet) docList() operation {
	return operation{id: "list" + s.many, tag: "catalog", summary: "List the catalog's " + s.words().many, headers: []param{ifNoneMatch()},
		responses: []response{tagged(ok("The definitions, in the order of the catalog", s.words().list, `{"`+string(s.kind)+`":[`+s.words().example+`]}`)), notModified()},
		errors:    []string{"org_not_found"}}
}

func (s definitionSet) docGet() operation {
	return operation{id: "get" + s.name, tag: "catalog", summary: "Read a " + s.words().one + " of the catalog", headers: []param{ifNoneMatch()},
		responses: []response{tagged(ok("The definition; GET /v1/catalog/schema describes it", definitionDoc{}, s.words().example)), notModified()},
		errors:    []string{"org_not_found", "definition_not_found"}}
}

func (s definitionSet) docPost() operation {
	return operation{id: "create" + s.name, tag: "catalog", summary: "Add a " + s.words().one + " to the catalog", description: editing,
		headers: []param{ifMatch()}, body: s.docBody(), responses: []response{s.docCreated()}, errors: append(editErrors(), "exists")}
}

func (s definitionSet) docPut() operation {
	return operation{id: "put" + s.name, tag: "catalog", summary: "Replace a " + s.words().one + " of the catalog, or add it", description: editing,
		headers: []param{ifMatch()}, body: s.docBody(), errors: editErrors(),
		responses: []response{tagged(ok("The definition as published", definitionDoc{}, s.words().example)), s.docCreated()}}
}

func (s definitionSet) docDelete() operation {
	return operation{id: "delete" + s.name, tag: "catalog", summary: "Remove a " + s.words().one + " from the catalog",
		description: "Refused where other definitions refer to it.", headers: []param{ifMatch()},
		responses: []response{tagged(response{status: http.StatusNoContent, description: "It is removed"})},
		errors:    append(editErrors(), "definition_not_found")}
}

const editing = "The whole catalog that comes of it is checked and published, as by PUT /v1/catalog; a fault refuses it, and errors lists all of them. Of edits at the " +
	"same time none is lost."

func (s definitionSet) docBody() *content {
	return &content{of: definitionDoc{}, types: []string{"application/json", "application/yaml"}, example: s.words().example}
}

func (s definitionSet) docCreated() response {
	r := tagged(created("The definition as published", definitionDoc{}, s.words().example))
	r.headers = append(r.headers, "Location")
	return r
}

func editErrors() []string {
	return []string{"org_not_found", "bad_catalog", "version_mismatch"}
}

func ifMatch() param {
	return param{name: "If-Match", schema: text(),
		description: "ETag of the catalog, or of any part of it, that must still be the present one; left out or *: whichever is there"}
}

func ifNoneMatch() param {
	return param{name: "If-None-Match", description: "ETag of an answer before", schema: text()}
}
