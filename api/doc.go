// Package api is Laurel's HTTP face: REST v1, its OpenAPI description, and the operators' listener.
//
// A handler is a method of the form func(w, r) error that parses, calls and writes. One wrapper around all of them
// authenticates, bounds the body, renders the error, counts, and recovers. One table (routes) lists every route beside its
// description, and the OpenAPI document is made from it, so that what is served and what is described are the same. One table
// (answers) maps every error of the domain to a status, a stable code and a public text; what it does not know is a 500 that
// tells the client nothing but the request's id.
//
// JSON from clients is read strictly (RFC 7493): invalid UTF-8, lone surrogates, duplicate, unknown or case-variant names and
// trailing data are refused, with the place. Inside an item of a batch such a fault is that item's alone.
package api
