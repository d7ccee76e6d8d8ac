package api

import (
	"net/http"

	"laurel/internal/auth"
	"laurel/internal/calendar"
)

func (a *API) keyRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/v1/keys", scope: auth.KeysAdmin, serve: a.getKeys, doc: docGetKeys()},
		{method: http.MethodPost, pattern: "/v1/keys", scope: auth.KeysAdmin, serve: a.postKey, doc: docPostKey()},
		{method: http.MethodGet, pattern: "/v1/keys/{id}", scope: auth.KeysAdmin, serve: a.getKey, doc: docGetKey()},
		{method: http.MethodDelete, pattern: "/v1/keys/{id}", scope: auth.KeysAdmin, serve: a.deleteKey, doc: docDeleteKey()},
	}
}

// keyWire is an API key without what only its holder knows.
type keyWire struct {
	ID        string       `json:"id" example:"key_5bJ2nq8Zt0aX1cVe"`
	Name      string       `json:"name" example:"shop backend"`
	Kind      auth.Kind    `json:"kind" enum:"sk,pk"`
	Scopes    []auth.Scope `json:"scopes" nullable:"false"`
	Origins   []string     `json:"origins,omitempty" nullable:"false"`
	CreatedAt *string      `json:"created_at,omitempty" format:"date-time"`
	ExpiresAt *string      `json:"expires_at,omitempty" format:"date-time"`
	RevokedAt *string      `json:"revoked_at,omitempty" format:"date-time"`
	Key       string       `json:"key,omitempty" doc:"The key itself: only in the answer that made it" example:"sk_3hV0cZ9rKqM2bT7wXy1nE5sLd8fGa4UoPiB"`
}

// keyList is every key of the org.
type keyList struct {
	Keys []keyWire `json:"keys" nullable:"false"`
}

// keySpec describes a key to be made.
type keySpec struct {
	Name      string    `json:"name" minLength:"1" maxLength:"128"`
	Kind      auth.Kind `json:"kind" enum:"sk,pk"`
	Scopes    []string  `json:"scopes" nullable:"false" doc:"pk keys: boards:read"`
	Origins   []string  `json:"origins,omitempty" nullable:"false" doc:"pk keys: the pages that may use it" example:"[\"https://shop.example\"]"`
	ExpiresAt string    `json:"expires_at,omitempty" format:"date-time"`
}

func wireKey(k auth.Key) keyWire {
	return keyWire{ID: k.ID, Name: k.Name, Kind: k.Kind, Scopes: k.Scopes, Origins: k.Origins, CreatedAt: stamp(k.CreatedAt),
		ExpiresAt: stamp(k.ExpiresAt), RevokedAt: stamp(k.RevokedAt)}
}

func (a *API) getKeys(w http.ResponseWriter, r *request) error {
	list := keyList{Keys: []keyWire{}}
	for _, k := range a.Keys.List(r.Context(), r.org) {
		list.Keys = append(list.Keys, wireKey(k))
	}
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) getKey(w http.ResponseWriter, r *request) error {
	k, err := a.Keys.Get(r.Context(), r.org, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wireKey(k))
}

func (a *API) postKey(w http.ResponseWriter, r *request) error {
	var in keySpec
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	spec := auth.Spec{Name: in.Name, Kind: in.Kind, Origins: in.Origins}
	for i, name := range in.Scopes {
		scope, ok := auth.ParseScope(name)
		if !ok {
			return badRequest("scopes["+itoa(i)+"]", "There is no such scope.")
		}
		spec.Scopes = append(spec.Scopes, scope)
	}
	if in.ExpiresAt != "" {
		at, _, err := calendar.ParseInstant(in.ExpiresAt)
		if err != nil {
			return badRequest("expires_at", "This must be an RFC 3339 time with an offset.")
		}
		spec.Expires = at
	}
	k, token, err := a.Keys.Create(r.Context(), r.org, spec)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", "/v1/keys/"+k.ID)
	made := wireKey(k)
	made.Key = token
	return writeJSON(w, http.StatusCreated, made)
}

func (a *API) deleteKey(w http.ResponseWriter, r *request) error {
	if err := a.Keys.Revoke(r.Context(), r.org, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
