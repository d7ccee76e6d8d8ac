package api

import (
	"errors"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/ingest"
	"laurel/internal/profile"
)

// userChange is the body of PUT and PATCH.
type userChange struct {
	Timezone   *string                      `json:"timezone,omitempty" nullable:"false" example:"Europe/Vienna" doc:"IANA name; it counts from the next period of each streak"`
	Name       nullable[string]             `json:"name,omitzero" doc:"Shown where profiles are asked for: up to 128 bytes of text; null for none"`
	Picture    nullable[string]             `json:"picture,omitzero" doc:"http or https URL of up to 1,024 bytes; null for none"`
	Attributes nullable[map[string]*string] `json:"attributes,omitzero" doc:"What rules may read of the user: up to 16, named by a-z, 0-9 and _, with up to 128 bytes of text; null removes one"`

	Number     nullable[int64]                     `json:"number,omitzero" doc:"The customer's number for the user, 1 to 2^53"`
	Username   nullable[string]                    `json:"username,omitzero" doc:"Up to 128 bytes without spaces"`
	Email      nullable[string]                    `json:"email,omitzero" doc:"An address without a name, up to 254 bytes"`
	ExternalID nullable[string]                    `json:"external_id,omitzero" doc:"The user's id in another system: up to 128 bytes of text"`
	FirstName  nullable[string]                    `json:"first_name,omitzero" doc:"Up to 128 bytes of text"`
	LastName   nullable[string]                    `json:"last_name,omitzero" doc:"Up to 128 bytes of text"`
	Mobile     nullable[string]                    `json:"mobile,omitzero" doc:"4 to 15 digits, with a + before them or not"`
	Language   nullable[string]                    `json:"language,omitzero" doc:"BCP 47 tag"`
	Country    nullable[string]                    `json:"country,omitzero" doc:"ISO 3166-1, two letters"`
	Tags       nullable[[]string]                  `json:"tags,omitzero" doc:"All tags of the user: up to 64 of up to 64 bytes; roles are tags that begin with @"`
	Fields     nullable[map[string]jsontext.Value] `json:"fields,omitzero" doc:"Custom fields, as the catalog's users.fields declares them; null removes one"`
	Settings   nullable[map[string]jsontext.Value] `json:"settings,omitzero" doc:"Whatever else is kept of the user, such as opt-ins for notifications: 4 KiB in all; null removes a member"`
}

// change is what the body asks for. replace says that what it does not name is removed.
func (in *userChange) change(replace bool) ingest.UserChange {
	c := ingest.UserChange{Zone: in.Timezone, Create: replace, Name: in.Name.text(replace), Picture: in.Picture.text(replace)}
	c.ReplaceAttributes = replace || in.Attributes.given && in.Attributes.value == nil
	if in.Attributes.value != nil {
		c.Attributes = *in.Attributes.value
	}
	c.Profile = profile.Change{Texts: map[string]string{}, Tags: in.Tags.text(replace), Fields: members(&in.Fields, replace), Settings: members(&in.Settings, replace)}
	for field, given := range map[string]*nullable[string]{profile.Username: &in.Username, profile.Email: &in.Email, profile.ExternalID: &in.ExternalID,
		profile.FirstName: &in.FirstName, profile.LastName: &in.LastName, profile.Mobile: &in.Mobile, profile.Language: &in.Language, profile.Country: &in.Country} {
		if text := given.text(replace); text != nil {
			c.Profile.Texts[field] = *text
		}
	}
	switch {
	case in.Number.value != nil:
		c.Profile.Texts[profile.Number] = strconv.FormatInt(*in.Number.value, 10)
	case in.Number.given || replace:
		c.Profile.Texts[profile.Number] = ""
	}
	return c
}

// members is what becomes of an object's members.
func members(in *nullable[map[string]jsontext.Value], replace bool) profile.Members {
	m := profile.Members{Replace: replace || in.given && in.value == nil}
	if in.value != nil {
		m.Set = *in.value
	}
	return m
}

// userFault names the member that a change is refused for.
func userFault(err error) error {
	var wrong *ingest.ProfileError
	var taken *ingest.TakenError
	switch {
	case errors.As(err, &taken):
		return &fault{code: "taken", field: taken.Field, detail: taken.Detail()}
	case errors.Is(err, ingest.ErrBadZone):
		return badRequest("timezone", "This must be the name of an IANA time zone, such as Europe/Vienna.")
	case errors.Is(err, ingest.ErrNotCounted):
		return badRequest("count", "Only of rewards of type entry several are given at once.")
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
