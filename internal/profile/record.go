package profile

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/calendar"
)

// The fields of a user's hash. What a Change may name as a text is one of them up to Country.
const (
	Name       = "name"
	Picture    = "picture"
	Number     = "number"
	Username   = "username"
	Email      = "email"
	ExternalID = "external_id"
	FirstName  = "first_name"
	LastName   = "last_name"
	Mobile     = "mobile"
	Language   = "language"
	Country    = "country"
	tags       = "tags"     // a JSON array
	custom     = "fields"   // a JSON object
	settings   = "settings" // a JSON object
	CreatedAt  = "created_at"
)

// Texts are the fields that hold one value, which a Change may name.
func Texts() []string {
	return []string{Name, Picture, Number, Username, Email, ExternalID, FirstName, LastName, Mobile, Language, Country}
}

// Unique are the fields of which no two users of an org have the same: see Key.
func Unique() []string { return []string{Email, Username, Number, ExternalID} }

// Record is all that is known of a user beside numbers, as it is shown to those who may read users.
type Record struct {
	Name       string                    `json:"name,omitempty"`
	Picture    string                    `json:"picture,omitempty"`
	Number     int64                     `json:"number,omitzero"`
	Username   string                    `json:"username,omitempty"`
	Email      string                    `json:"email,omitempty"`
	ExternalID string                    `json:"external_id,omitempty"`
	FirstName  string                    `json:"first_name,omitempty"`
	LastName   string                    `json:"last_name,omitempty"`
	Mobile     string                    `json:"mobile,omitempty"`
	Language   string                    `json:"language,omitempty"`
	Country    string                    `json:"country,omitempty"`
	Tags       []string                  `json:"tags,omitempty"`
	Fields     map[string]jsontext.Value `json:"fields,omitempty"`
	Settings   map[string]jsontext.Value `json:"settings,omitempty"`
	// CreatedAt is when the user was first heard of; 0 for one who was there before that was noted.
	CreatedAt calendar.Instant `json:"-"`
}

// IsZero says that nothing is known, save when the user came.
func (r Record) IsZero() bool {
	return r.Name == "" && r.Picture == "" && r.Number == 0 && r.Username == "" && r.Email == "" && r.ExternalID == "" && r.FirstName == "" && r.LastName == "" &&
		r.Mobile == "" && r.Language == "" && r.Country == "" && len(r.Tags) == 0 && len(r.Fields) == 0 && len(r.Settings) == 0
}

// Parse reads a user's hash. An error says that it holds what Apply does not write.
func Parse(hash map[string]string) (Record, error) {
	r := Record{Name: hash[Name], Picture: hash[Picture], Username: hash[Username], Email: hash[Email], ExternalID: hash[ExternalID], FirstName: hash[FirstName],
		LastName: hash[LastName], Mobile: hash[Mobile], Language: hash[Language], Country: hash[Country]}
	for field, to := range map[string]*int64{Number: &r.Number, CreatedAt: (*int64)(&r.CreatedAt)} {
		if text := hash[field]; text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return r, fmt.Errorf("profile: %s: %w", field, err)
			}
			*to = n
		}
	}
	for field, to := range map[string]any{tags: &r.Tags, custom: &r.Fields, settings: &r.Settings} {
		if text := hash[field]; text != "" {
			if err := json.Unmarshal([]byte(text), to); err != nil {
				return r, fmt.Errorf("profile: %s: %w", field, err)
			}
		}
	}
	return r, nil
}
