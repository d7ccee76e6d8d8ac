package catalog

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed schema.json
var schemaText []byte

// The parts of the schema that a source is checked against.
const (
	schemaID   = "urn:laurel:catalog"
	fileSchema = schemaID
	orgSchema  = schemaID + "#/$defs/org"
)

// Schema returns the JSON Schema (draft 2020-12) of a whole file; #/$defs/org in it is that of one org.
func Schema() []byte { return bytes.Clone(schemaText) }

// compiledSchema is the embedded text, ready for use and not changed again. It is kept because its compilation takes longer than all the
// rest of a Parse.
type compiledSchema struct {
	document any
	parts    map[string]*jsonschema.Schema
}

var compiled = sync.OnceValue(func() *compiledSchema {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	compiler := jsonschema.NewCompiler()
	if err == nil {
		err = compiler.AddResource(schemaID, document)
	}
	if err != nil {
		panic("catalog: embedded schema: " + err.Error())
	}
	return &compiledSchema{document: document, parts: map[string]*jsonschema.Schema{
		fileSchema: compiler.MustCompile(fileSchema),
		orgSchema:  compiler.MustCompile(orgSchema),
	}}
})

// structure checks a source against the schema and words what it finds.
type structure struct {
	document any // of the schema, where descriptions and known keys are looked up
	report   *report
	value    any // of the source; faulty parts are taken out of it
}

// check notes every structural fault and returns the value without the faulty parts, which then fits the plain structs of this package.
func check(value any, part string, r *report) any {
	schema := compiled()
	s := &structure{document: schema.document, report: r, value: value}
	if err, ok := schema.parts[part].Validate(value).(*jsonschema.ValidationError); ok {
		s.walk(err)
	}
	return s.value
}

// walk goes down to the causes: what lies above them only says that something below did not fit.
func (s *structure) walk(e *jsonschema.ValidationError) {
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			s.refuse(path(e.InstanceLocation).to(key), s.unknownKey(e))
		}
		return
	case *kind.AnyOf:
		s.report.at(e.InstanceLocation, "one of %s is missing", s.alternatives(e))
		return
	}
	if len(e.Causes) == 0 {
		s.note(e)
	}
	for _, cause := range e.Causes {
		s.walk(cause)
	}
}

func leaf(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return e
}

// note words one cause. A value that is there but unusable is taken out; one that lacks something stays, so that the rest of it is checked.
func (s *structure) note(e *jsonschema.ValidationError) {
	p := path(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		s.report.at(p, "%s missing", isOrAre(k.Missing))
	case *kind.DependentRequired:
		s.report.at(p, "%s missing beside %s", isOrAre(k.Missing), k.Prop)
	case *kind.MinItems:
		s.report.at(p, "needs at least %s", counted(k.Want, "item"))
	default:
		s.refuse(p, s.words(e))
	}
}

func (s *structure) words(e *jsonschema.ValidationError) string {
	description := s.description(e)
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return typeWords(k, description)
	case *kind.Enum:
		return "must be " + choice(k.Want) + ", not " + shown(k.Got)
	case *kind.Const:
		return "must be " + shown(k.Want) + ", not " + shown(k.Got)
	case *kind.Pattern:
		return quoted(k.Got) + " does not fit: " + description
	case *kind.Not, *kind.MinProperties, *kind.MaxProperties, *kind.MinLength, *kind.MaxLength:
		return description
	case *kind.Minimum:
		return "must be at least " + rational(k.Want) + ", not " + rational(k.Got)
	case *kind.ExclusiveMinimum:
		return "must be above " + rational(k.Want) + ", not " + rational(k.Got)
	case *kind.Maximum:
		return "must be at most " + rational(k.Want) + ", not " + rational(k.Got)
	case *kind.MaxItems:
		return "has more than " + counted(k.Want, "item")
	case *kind.UniqueItems:
		return fmt.Sprintf("items %d and %d are equal", k.Duplicates[0], k.Duplicates[1])
	}
	return e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
}

func typeWords(k *kind.Type, description string) string {
	words := "must be " + article(strings.Join(k.Want, " or ")) + ", not " + article(k.Got)
	if slices.Equal(k.Want, []string{"string"}) && (k.Got == "number" || k.Got == "boolean") {
		return words + ": put it in quotes"
	}
	if first, _, _ := strings.Cut(description, ". "); slices.Contains(k.Want, "object") && first != "" {
		return words + ": " + strings.TrimSuffix(first, ".")
	}
	return words
}

func article(noun string) string {
	switch {
	case noun == "null":
		return "empty"
	case strings.ContainsRune("aio", rune(noun[0])):
		return "an " + noun
	}
	return "a " + noun
}

func isOrAre(words []string) string {
	if len(words) == 1 {
		return words[0] + " is"
	}
	return listed(words) + " are"
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func shown(v any) string {
	if s, ok := v.(string); ok {
		return quoted(s)
	}
	return fmt.Sprint(v)
}

func choice(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	return "one of " + strings.Join(words, ", ")
}

func rational(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// place is the part of the schema that a fault comes from.
func (s *structure) place(e *jsonschema.ValidationError) map[string]any {
	_, pointer, _ := strings.Cut(e.SchemaURL, "#")
	var at any = s.document
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch v := at.(type) {
		case map[string]any:
			if step != "" {
				at = v[step]
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil
			}
			at = v[i]
		}
	}
	object, _ := at.(map[string]any)
	return object
}

func (s *structure) description(e *jsonschema.ValidationError) string {
	text, _ := s.place(e)["description"].(string)
	return text
}

// unknownKey lists the keys that there are; where they are free, the description says which may be.
func (s *structure) unknownKey(e *jsonschema.ValidationError) string {
	properties, closed := s.place(e)["properties"].(map[string]any)
	if !closed {
		return s.description(e)
	}
	return "unknown key; known here: " + strings.Join(slices.Sorted(maps.Keys(properties)), ", ")
}

// alternatives lists what the branches of an anyOf require: this schema uses anyOf for nothing else.
func (s *structure) alternatives(e *jsonschema.ValidationError) string {
	var words []string
	for _, cause := range e.Causes {
		if k, ok := leaf(cause).ErrorKind.(*kind.Required); ok {
			words = append(words, k.Missing...)
		}
	}
	return listed(words)
}

// refuse notes a fault and takes the value out.
func (s *structure) refuse(p path, detail string) {
	s.report.at(p, "%s", detail)
	s.value = without(s.value, p)
}

// without removes a field, or empties an item: items keep their positions.
func without(v any, p path) any {
	if len(p) == 0 {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		if inner, ok := v[p[0]]; ok && len(p) > 1 {
			v[p[0]] = without(inner, p[1:])
		} else {
			delete(v, p[0])
		}
	case []any:
		if i, err := strconv.Atoi(p[0]); err == nil && i < len(v) {
			v[i] = without(v[i], p[1:])
		}
	}
	return v
}
