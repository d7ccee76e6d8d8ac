package api

import (
	"errors"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/ingest"
)

// userChange is the body of PUT and PATCH.
type userChange struct {
	Timezone   *string                      `json:"timezone,omitempty" nullable:"false" example:"Europe/Vienna" doc:"IANA name; it counts from the next period of each streak"`
	Name       nullable[string]             `json:"name,omitzero" doc:"Shown where profiles are asked for: up to 128 bytes of text; null for none"`
	Picture    nullable[string]             `json:"picture,omitzero" doc:"http or https URL of up to 1,024 bytes; null for none"`
	Attributes nullable[map[string]*string] `json:"attributes,omitzero" doc:"What rules may read of the user: up to 16, named by a-z, 0-9 and _, with up to 128 bytes of text; null removes one"`
}

// change is what the body asks for. replace says that what it does not name is removed.
func (in *userChange) change(replace bool) ingest.UserChange {
	c := ingest.UserChange{Zone: in.Timezone, Create: replace, Name: in.Name.text(replace), Picture: in.Picture.text(replace)}
	c.ReplaceAttributes = replace || in.Attributes.given && in.Attributes.value == nil
	if in.Attributes.value != nil {
		c.Attributes = *in.Attributes.value
	}
	return c
}

// userFault names the member that a change is refused for.
func userFault(err error) error {
	var wrong *ingest.ProfileError
	switch {
	case errors.Is(err, ingest.ErrBadZone):
		return badRequest("timezone", "This must be the name of an IANA time zone, such as Europe/Vienna.")
	case errors.As(err, &wrong):
		return badRequest(wrong.Field, wrong.Detail)
	}
	return err
}

// nullable is a member of which null and absence mean different things.
type nullable[T any] struct {
	given bool
	value *T // nil for null
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *nullable[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	n.given = true
	return json.UnmarshalDecode(d, &n.value)
}

// Schema implements huma.SchemaProvider.
func (n nullable[T]) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[T](), true, "")
	s.Nullable = true
	return &s
}

// text is the member as a change has it: nil for one that stays, "" for one that is removed.
func (n *nullable[T]) text(replace bool) *T {
	switch {
	case n.value != nil:
		return n.value
	case n.given || replace:
		return new(T)
	}
	return nil
}
