package api

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/catalog"
	"laurel/internal/ingest"
	"laurel/internal/profile"
)

func (a *API) userImportRoutes() []route {
	return []route{{method: http.MethodPost, pattern: "/v1/users/import", scope: auth.UsersWrite, serve: a.postUserImport, doc: docPostUserImport()}}
}

// userImportRow is a line of an import of users: what PATCH takes, and whose it is.
type userImportRow struct {
	ID string `json:"id"`
	userChange
}

// Schema implements huma.SchemaProvider: what is embedded and not exported has none.
func (userImportRow) Schema(r huma.Registry) *huma.Schema {
	s := *r.Schema(reflect.TypeFor[userChange](), false, "")
	s.Properties = maps.Clone(s.Properties)
	s.Properties["id"] = &huma.Schema{Type: huma.TypeString, Description: "The user's id; who is not there is made"}
	s.Required = []string{"id"}
	return &s
}

// postUserImport takes rows of users, which are applied after the answer.
func (a *API) postUserImport(w http.ResponseWriter, r *request) error {
	f, err := formatOf(r, formatNDJSON, formatCSV)
	if err != nil {
		return err
	}
	entry, ok := a.Registry.Get(r.org)
	if !ok {
		return &fault{code: "org_not_found"}
	}
	var rows []ingest.UserRow
	err = a.withBody(r, func(body []byte) (err error) {
		if f == formatCSV {
			rows, err = csvUsers(body, entry.Catalog.Fields)
		} else {
			rows, err = a.lineUsers(body)
		}
		return err
	})
	if err != nil {
		return err
	}
	made, err := a.Writes.ImportUsers(r.Context(), r.org, rows)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/imports/"+made.ID)
	return writeJSON(w, http.StatusAccepted, wireImport(made))
}

// lineUsers reads one user a line. Empty lines are skipped.
func (a *API) lineUsers(body []byte) (rows []ingest.UserRow, err error) {
	line := 0
	for text := range bytes.SplitSeq(body, []byte{'\n'}) {
		line++
		if text = trimSpace(text); len(text) == 0 {
			continue
		}
		if len(rows) == MaxItems {
			return nil, tooManyUsers()
		}
		var in userImportRow
		row := ingest.UserRow{Line: line}
		if err := decodeStrict(text, &in); err != nil {
			p := a.problems.of(err)
			row.Err = &ingest.ItemError{Code: p.Code, Field: p.Field, Detail: p.Detail}
		} else {
			name(&row, in.ID, in.change(false))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// name says whose the row is, and what becomes of the user.
func name(row *ingest.UserRow, id string, c ingest.UserChange) {
	if row.User, row.Change = activity.User(id), c; !validText(id) {
		row.Err = &ingest.ItemError{Code: "bad_request", Field: "id", Detail: "A user id is 1 to 128 bytes of UTF-8 without control characters."}
	}
}

func tooManyUsers() error {
	return &fault{code: "too_large", detail: "A request may bring 5000 users."}
}

// csvUsers reads a header with names of members and a record a user. An empty cell changes nothing. types are those of custom fields.
func csvUsers(body []byte, types map[string]catalog.MetaType) (rows []ingest.UserRow, err error) {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\uFEFF"))))
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return nil, badRequest("", "The body must begin with a line of column names.")
	}
	columns := slices.Clone(head)
	if err := checkColumns(columns); err != nil {
		return nil, err
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if len(rows) == MaxItems {
			return nil, tooManyUsers()
		}
		row := ingest.UserRow{}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			row.Line = broken.StartLine
			row.Err = &ingest.ItemError{Code: "bad_row", Detail: "This is no record of CSV with as many fields as the header has: " + broken.Err.Error() + "."}
		} else {
			row.Line, _ = in.FieldPos(0)
			csvUser(&row, columns, record, types)
		}
		rows = append(rows, row)
	}
}

// checkColumns looks at the header line.
func checkColumns(columns []string) error {
	for i, c := range columns {
		_, custom := strings.CutPrefix(c, "fields.")
		_, attribute := strings.CutPrefix(c, "attributes.")
		known := custom || attribute || c == "id" || c == "timezone" || c == "tags" || slices.Contains(profile.Texts(), c)
		if !known {
			return badRequest(c, "There is no such column: take id, timezone, tags, "+strings.Join(profile.Texts(), ", ")+", fields.<name> or attributes.<name>.")
		}
		if slices.Contains(columns[:i], c) {
			return badRequest(c, "This column stands twice in the header.")
		}
	}
	if !slices.Contains(columns, "id") {
		return badRequest("id", "A column must hold the users' ids.")
	}
	return nil
}

// csvUser makes a row of a record.
func csvUser(row *ingest.UserRow, columns, record []string, types map[string]catalog.MetaType) {
	c := ingest.UserChange{Profile: profile.Change{Texts: map[string]string{}, Fields: profile.Members{Set: map[string]jsontext.Value{}}}, Attributes: map[string]*string{}}
	id := ""
	for i, cell := range record {
		name := columns[i]
		cell = strings.Clone(cell) // of the reader's own memory
		switch field, custom := strings.CutPrefix(name, "fields."); {
		case cell == "":
		case custom:
			c.Profile.Fields.Set[field] = cellValue(cell, types[field])
		case name == "id":
			id = cell
		case name == "timezone":
			c.Zone = &cell
		case name == "tags":
			tags := strings.Split(cell, ";")
			c.Profile.Tags = &tags
		case strings.HasPrefix(name, "attributes."):
			c.Attributes[strings.TrimPrefix(name, "attributes.")] = &cell
		default:
			c.Profile.Texts[name] = cell
		}
	}
	name(row, id, c)
}

// cellValue is a cell as the value of a custom field: as it stands where that is of the field's type, else as text.
func cellValue(cell string, t catalog.MetaType) jsontext.Value {
	if v := jsontext.Value(cell); t != catalog.String && v.IsValid() {
		return v
	}
	quoted, err := jsontext.AppendQuote(nil, cell)
	if err != nil { // not UTF-8
		quoted = []byte("[]") // of no field's type
	}
	return quoted
}

func docPostUserImport() operation {
	return operation{id: "importUsers", tag: "users", summary: "Create and change many users",
		description: "A line of NDJSON for each user, with the members of PATCH /v1/users/{user} and `id`; or CSV with a header line: id, timezone, tags (split by `;`), fields.<name>, " +
			"attributes.<name> and the texts of a profile. What a row leaves out stays, an empty cell changes nothing. At most 5,000 rows and 8 MiB. The rows are stored, and applied after the " +
			"answer; the import at Location says how far that has come, and why rows were refused. Rows of one user are applied in order. A row sent again changes nothing.",
		body: &content{of: userImportRow{}, types: []string{"application/x-ndjson", "text/csv"}, example: `{"id":"ada","email":"ada@shop.example","tags":["vip"],"fields":{"plan":"pro"}}`},
		responses: []response{{status: http.StatusAccepted, description: "The import, which waits", headers: []string{"Location"},
			content: &content{of: importWire{}, example: `{"id":"i7Yq","kind":"users","state":"waiting","created_at":"2026-11-21T19:40:00.000Z","accepted":0,"duplicates":0,"rejected":0,"ignored":0,"rows":1}`}}},
		errors: []string{"org_not_found", "overloaded"}}
}
