package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
	"github.com/go-json-experiment/json/jsontext"
)

// Request is what a hook was sent. Its functions give the first value of a name, lower case for headers; ok is false where there is none.
type Request struct {
	Body          any // of ParseBody
	Query, Header func(name string) (value string, ok bool)
}

const (
	maxBodyDepth = 64
	// maxReadText bounds the texts that expressions read, and with that what they can make of them.
	maxReadText = 4096
)

// ErrBadBody says that a body is not JSON, is nested too deep, or has a name twice in one object.
var ErrBadBody = errors.New("the body is not JSON as it is taken here")

// ParseBody reads any JSON for expressions: nil, bool, float64, string, []any, map[string]any. A whole number beyond ±2^53 is its text, so that no two ids become
// one. An empty body is nil. ErrBadBody.
func ParseBody(body []byte) (any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	v, err := parseValue(dec, 0)
	if err == nil {
		if _, end := dec.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("more follows after its end")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBadBody, err)
	}
	return v, nil
}

func parseValue(dec *jsontext.Decoder, depth int) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	if depth > maxBodyDepth {
		return nil, errors.New("it is nested too deep")
	}
	switch token.Kind() {
	case '{':
		object := map[string]any{}
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			if object[key], err = parseValue(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := dec.ReadToken()
		return object, err
	case '[':
		list := []any{}
		for dec.PeekKind() != ']' {
			item, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err := dec.ReadToken()
		return list, err
	case '"':
		return token.String(), nil
	case '0':
		return parseNumber(token.String())
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

func parseNumber(text string) (any, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, errors.New("a number is out of range")
	}
	if math.Abs(f) > MaxExact && !strings.ContainsAny(text, ".eE") {
		return text, nil
	}
	return f, nil
}

// The roots of what an expression over a request may read.
const (
	bodyRoot   = "body"
	queryRoot  = "query"
	headerRoot = "header"
)

// stepMark stands between the steps of a need's path.
const stepMark = "\x00"

// lookUp gives what a path leads to, nil where there is nothing or more than a text may have.
func (r *Request) lookUp(way string) any {
	steps := strings.Split(way, stepMark)
	var at any
	switch steps[0] {
	case bodyRoot:
		at = r.Body
		for _, step := range steps[1:] {
			at = stepInto(at, step)
		}
	case queryRoot, headerRoot:
		find := r.Query
		if steps[0] == headerRoot {
			find = r.Header
		}
		if text, ok := find(steps[1]); ok {
			at = text
		}
	}
	if text, ok := at.(string); ok && len(text) > maxReadText {
		return nil
	}
	return at
}

func stepInto(at any, step string) any {
	switch at := at.(type) {
	case map[string]any:
		return at[step]
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(at) {
			return at[i]
		}
	}
	return nil
}

// request is the result of an expression over a request; nil where something that it reads is missing, or where its evaluation fails.
func (p *program) request(r *Request) any {
	env := make(map[string]any, len(p.reads))
	for i := range p.reads {
		v := r.lookUp(p.reads[i].way)
		if v == nil {
			return nil
		}
		env[p.reads[i].name] = v
	}
	if p.bare != nil {
		return env[p.bare.name]
	}
	machine := vm.VM{MemoryBudget: exprMemory}
	result, err := machine.Run(p.code, env)
	if f, ok := result.(float64); err != nil || ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return nil
	}
	return result
}

// wayOf is the way that a chain of members leads, nil for one that expressions over a request do not have.
func wayOf(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return []string{n.Value}
	case *ast.MemberNode:
		base := wayOf(n.Node)
		if base == nil || n.Optional || n.Method {
			return nil
		}
		switch key := n.Property.(type) {
		case *ast.StringNode:
			return append(base, key.Value)
		case *ast.IntegerNode:
			return append(base, strconv.Itoa(key.Value))
		}
	}
	return nil
}

// hidden are what a request has and no activity may: who could read an activity would have the sender's credentials.
func hidden() map[string][]string {
	return map[string][]string{headerRoot: {"authorization", "proxy-authorization", "cookie"}, queryRoot: {"key"}}
}

// read notes a read of a request.
func (r *restrictor) read(n ast.Node) ast.Node {
	way := wayOf(n)
	if way == nil {
		r.refuse("keys are written out, such as body.user.id, body.items[0] or header[\"X-Event\"]")
		return n
	}
	root := way[0]
	switch {
	case root != bodyRoot && root != queryRoot && root != headerRoot:
		r.refuse("unknown name %s; there are body, query and header, and a text stands in quotes", root)
		return n
	case root != bodyRoot && len(way) != 2:
		r.refuse("%s is read by name, such as %s.event", root, root)
		return n
	case root == headerRoot:
		way[1] = strings.ToLower(way[1])
	}
	if len(way) > 1 && slices.Contains(hidden()[root], way[1]) {
		r.refuse("%s.%s may hold a key, and is not to be read", root, way[1])
		return n
	}
	name := strings.Join(way, stepMark)
	r.env[name] = types.Any
	r.add(need{name: name, way: name})
	return placed(&ast.IdentifierNode{Value: name}, n)
}
