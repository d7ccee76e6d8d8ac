package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// readTree reads a source of either syntax. Faults of the text that leave a tree (a duplicate key, an odd tag) come beside it; without a tree
// the last fault says why.
//
// JSON is read as JSON and not as the part of YAML that it nearly is: YAML refuses surrogate pairs in \u escapes and tabs as indentation.
func readTree(source []byte) (*node, Faults) {
	source = bytes.TrimPrefix(source, []byte("\ufeff"))
	if len(source) > MaxSource {
		return nil, Faults{{Line: 1, Detail: fmt.Sprintf("the source has %d bytes, more than %d", len(source), MaxSource)}}
	}
	if !bytes.HasPrefix(bytes.TrimLeft(source, " \t\r\n"), []byte("{")) {
		return readYAML(source)
	}
	tree, faults := readJSON(source)
	if tree != nil {
		return tree, faults
	}
	// A flow mapping of YAML begins like JSON. Whoever wrote neither is told about the JSON.
	if !strings.HasPrefix(faults[len(faults)-1].Detail, notJSON) {
		return nil, faults
	}
	if flow, flowFaults := readYAML(source); flow != nil {
		return flow, flowFaults
	}
	return nil, faults
}

// notJSON begins the fault of a text that is no JSON at all.
const notJSON = "not JSON: "

// jsonReader builds a tree from JSON tokens.
type jsonReader struct {
	dec    *jsontext.Decoder
	breaks []int64 // offsets of the line breaks
	budget budget
	faults Faults
}

func readJSON(source []byte) (*node, Faults) {
	r := &jsonReader{dec: jsontext.NewDecoder(bytes.NewReader(source), jsontext.AllowDuplicateNames(true))}
	for i, c := range source {
		if c == '\n' {
			r.breaks = append(r.breaks, int64(i))
		}
	}
	tree, err := r.value(0, "")
	if err == nil {
		end := r.dec.InputOffset()
		tail := bytes.TrimLeft(source[end:], " \t\r\n")
		if len(tail) == 0 {
			return tree, r.faults
		}
		return nil, append(r.faults, Fault{Line: r.line(int64(len(source) - len(tail))), Detail: "something follows the end of the definition"})
	}
	var syntactic *jsontext.SyntacticError
	line, detail := r.line(r.dec.InputOffset()), err.Error()
	if errors.As(err, &syntactic) {
		line, detail = r.line(syntactic.ByteOffset), notJSON+syntactic.Err.Error()
	}
	return nil, append(r.faults, Fault{Line: line, Detail: detail})
}

func (r *jsonReader) line(offset int64) int {
	return 1 + sort.Search(len(r.breaks), func(i int) bool { return r.breaks[i] >= offset })
}

// here is the line of the token that was read last: no JSON token spans lines.
func (r *jsonReader) here() int { return r.line(r.dec.InputOffset()) }

func (r *jsonReader) value(depth int, at string) (*node, error) {
	token, err := r.dec.ReadToken()
	if err != nil {
		return nil, err
	}
	line := r.here()
	if f := r.budget.spend(depth, line); f != nil {
		return nil, errors.New(f.Detail)
	}
	switch token.Kind() {
	case '{':
		return r.object(depth, line, at)
	case '[':
		n := &node{line: line, shape: isArray}
		for r.dec.PeekKind() != ']' {
			item, err := r.value(depth+1, fmt.Sprintf("%s[%d]", at, len(n.items)))
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		_, err := r.dec.ReadToken()
		return n, err
	case '"':
		return &node{line: line, scalar: token.String()}, nil
	case '0':
		f, err := strconv.ParseFloat(token.String(), 64)
		if err != nil {
			return nil, fmt.Errorf("the number %s is out of range", quoted(token.String()))
		}
		return &node{line: line, scalar: number(f)}, nil
	case 't', 'f':
		return &node{line: line, scalar: token.Bool()}, nil
	}
	return &node{line: line}, nil
}

func (r *jsonReader) object(depth, line int, at string) (*node, error) {
	n := newObject(line)
	for r.dec.PeekKind() != '}' {
		token, err := r.dec.ReadToken()
		if err != nil {
			return nil, err
		}
		key, keyLine := token.String(), r.here()
		under := underKey(at, key)
		value, err := r.value(depth+1, under)
		if err != nil {
			return nil, err
		}
		if !n.add(key, keyLine, value) {
			r.faults = append(r.faults, Fault{Line: keyLine, Path: under, Detail: "this key is there twice in one object"})
		}
	}
	_, err := r.dec.ReadToken()
	return n, err
}

// yamlReader builds a tree from the nodes of a YAML document.
type yamlReader struct {
	budget budget
	faults Faults
}

func readYAML(source []byte) (*node, Faults) {
	var document, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(source))
	switch err := dec.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, Faults{{Line: 1, Detail: "the source is empty"}}
	case err != nil:
		return nil, Faults{yamlFault(err)}
	}
	r := &yamlReader{}
	if err := dec.Decode(&second); err == nil {
		r.fault(&second, "", "a second document: one source is one document")
	} else if !errors.Is(err, io.EOF) {
		return nil, Faults{yamlFault(err)}
	}
	tree, f := r.value(document.Content[0], 0, "")
	if f != nil {
		return nil, append(r.faults, *f)
	}
	return tree, r.faults
}

// yamlFault takes the line out of the parser's text, which is the only place where it stands.
func yamlFault(err error) Fault {
	line, detail := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): (?s:(.*))$`).FindStringSubmatch(detail); m != nil {
		line, _ = strconv.Atoi(m[1])
		detail = m[2]
	}
	return Fault{Line: max(line, 1), Detail: "not YAML: " + detail}
}

func (r *yamlReader) fault(n *yaml.Node, at, format string, args ...any) {
	r.faults = append(r.faults, Fault{Line: max(n.Line, 1), Path: at, Detail: fmt.Sprintf(format, args...)})
}

// value follows aliases. A cycle of aliases ends at the depth limit, a bomb at the node limit.
func (r *yamlReader) value(y *yaml.Node, depth int, at string) (*node, *Fault) {
	line := y.Line
	if f := r.budget.spend(depth, line); f != nil {
		return nil, f
	}
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	switch y.Kind {
	case yaml.MappingNode:
		return r.mapping(y, line, depth, at)
	case yaml.SequenceNode:
		n := &node{line: line, shape: isArray}
		for i, content := range y.Content {
			item, f := r.value(content, depth+1, fmt.Sprintf("%s[%d]", at, i))
			if f != nil {
				return nil, f
			}
			n.items = append(n.items, item)
		}
		return n, nil
	case yaml.ScalarNode:
		scalar, ok := r.scalar(y)
		if !ok {
			r.fault(y, at, "%s with the tag %s is not a value that JSON could hold", quoted(y.Value), y.ShortTag())
		}
		return &node{line: line, scalar: scalar, unread: !ok}, nil
	}
	return nil, &Fault{Line: line, Detail: "an alias of an alias"}
}

func (r *yamlReader) mapping(y *yaml.Node, line, depth int, at string) (*node, *Fault) {
	n := newObject(line)
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, content := y.Content[i], y.Content[i+1]
		under := underKey(at, key.Value)
		value, f := r.value(content, depth+1, under)
		if f != nil {
			return nil, f
		}
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str":
			r.fault(key, under, "this key is not a word: put it in quotes if it is meant as one (merge keys are not known here)")
		case !n.add(key.Value, key.Line, value):
			r.fault(key, under, "this key is there twice in one object")
		}
	}
	return n, nil
}

// scalar reads what JSON can say too. A date that stands there without quotes stays the text that it is.
func (r *yamlReader) scalar(y *yaml.Node) (value any, ok bool) {
	switch y.ShortTag() {
	case "!!str", "!!timestamp":
		return y.Value, true
	case "!!null":
		return nil, true
	case "!!bool":
		var b bool
		err := y.Decode(&b)
		return b, err == nil
	case "!!int", "!!float":
		var f float64
		err := y.Decode(&f)
		return number(f), err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
	}
	return nil, false
}
