package catalog

import (
	"bytes"
	"math"
	"strconv"

	"github.com/expr-lang/expr/vm"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
)

// Input is an activity prepared for evaluation. Its meta is decoded at most once, when the first expression asks for it. It belongs to one
// goroutine; Reset makes it ready for the next activity and keeps its memory.
type Input struct {
	activity *activity.Activity
	table    *table
	decoded  bool
	slots    []slot
	env      map[string]any
	machine  vm.VM
	buffer   bytes.Buffer
	decoder  jsontext.Decoder
}

// slot is a meta value that some expression of the org reads.
type slot struct {
	kind    slotKind
	boolean bool
	number  float64
	text    []byte
	boxed   any // the value for the machine; nil until it is asked for
}

type slotKind uint8

const (
	absent slotKind = iota // missing, null, an object, a list, or a number that no float64 holds
	isNumber
	isText
	isBoolean
)

// Input prepares an activity. a must not change while the input is used.
func (c *Catalog) Input(a *activity.Activity) *Input {
	in := new(Input)
	in.Reset(c, a)
	return in
}

// Reset prepares the next activity. The selectors that are evaluated with it must be of the same catalog.
func (in *Input) Reset(c *Catalog, a *activity.Activity) {
	in.activity, in.table, in.decoded = a, c.table, false
}

// slot gives a value that a program of table t reads, if it is there and of the type. The pointer is good until the next Reset.
func (in *Input) slot(t *table, want *need) (*slot, bool) {
	if !in.decoded || in.table != t {
		in.table, in.decoded = t, true
		in.decode()
	}
	s := &in.slots[want.slot]
	switch want.typ {
	case Integer:
		return s, s.kind == isNumber && s.number == math.Trunc(s.number) && math.Abs(s.number) <= MaxExact
	case Number:
		return s, s.kind == isNumber
	case String:
		return s, s.kind == isText
	case Boolean:
		return s, s.kind == isBoolean
	}
	return s, s.kind != absent
}

// decode fills the slots. Meta that is not a JSON object counts as none: the ingest path lets no such meta in.
func (in *Input) decode() {
	if missing := len(in.table.slots) - len(in.slots); missing > 0 {
		in.slots = append(in.slots, make([]slot, missing)...)
	}
	clear(in.slots)
	if len(in.activity.Meta) > 0 && !in.scan() {
		clear(in.slots)
	}
}

func (in *Input) scan() bool {
	in.buffer = *bytes.NewBuffer(in.activity.Meta)
	in.decoder.Reset(&in.buffer, jsontext.AllowDuplicateNames(true))
	if token, err := in.decoder.ReadToken(); err != nil || token.Kind() != '{' {
		return false
	}
	for in.decoder.PeekKind() == '"' {
		name, err := in.decoder.ReadValue()
		if err != nil {
			return false
		}
		n, wanted := in.table.slots[string(unquote(name))]
		wanted = wanted && in.visible(unquote(name))
		value, err := in.decoder.ReadValue()
		if err != nil {
			return false
		}
		if wanted {
			in.slots[n].set(value)
		}
	}
	token, err := in.decoder.ReadToken()
	return err == nil && token.Kind() == '}'
}

// visible says whether rules see a key: where the org declares behaviours, only what the activity's own behaviour declares.
func (in *Input) visible(key []byte) bool {
	if in.activity.Kind != activity.Behaviour || len(in.table.behaviours) == 0 {
		return true
	}
	b, known := in.table.behaviours[in.activity.Name]
	if !known {
		return false
	}
	_, declared := b.Meta[string(key)]
	return declared
}

func (s *slot) set(value jsontext.Value) {
	switch value.Kind() {
	case '0':
		if f, err := strconv.ParseFloat(string(value), 64); err == nil {
			s.kind, s.number = isNumber, f
		}
	case '"':
		// The decoder's memory is the activity's own meta, which outlives the input.
		s.kind, s.text = isText, unquote(value)
	case 't', 'f':
		s.kind, s.boolean = isBoolean, value.Kind() == 't'
	}
}

// unquote gives the text of a valid JSON string; it copies only where there are escapes.
func unquote(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, quoted)
	return text
}

func (s *slot) box() any {
	if s.boxed == nil {
		switch s.kind {
		case isNumber:
			s.boxed = s.number
		case isText:
			s.boxed = string(s.text)
		case isBoolean:
			s.boxed = s.boolean
		}
	}
	return s.boxed
}

// number is the activity's own one.
func (in *Input) number() (float64, bool) {
	v := in.activity.Value
	return v, in.activity.HasValue && !math.IsNaN(v) && !math.IsInf(v, 0)
}
