package catalog

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// The bounds of an expression. Without loops, the nodes are the steps; the memory counts the items of literal lists.
const (
	maxExprNodes = 200
	exprMemory   = 1_000
)

// program is a compiled expression. It is immutable.
type program struct {
	text  string // canonical: without what the writer chose in spaces and brackets
	table *table
	reads []need
	// bare is set where the whole expression is one read: no machine is needed then.
	bare *need
	code *vm.Program
}

// need is a value of the activity that an expression needs. All of them must be there, also those on a branch not taken: whether an
// activity matches should not depend on the order of evaluation.
type need struct {
	slot int // of the table; valueSlot for the activity's number
	typ  MetaType
	name string // in the environment: "meta.added", "value"
	way  string // of an expression over a request: where that has it
}

const valueSlot = -1

// table numbers the meta keys that the expressions of an org read, so that an activity's meta is decoded once and only as far as needed.
type table struct {
	behaviours map[string]*Behaviour
	slots      map[string]int
}

func (t *table) slot(key string) int {
	n, ok := t.slots[key]
	if !ok {
		n = len(t.slots)
		t.slots[key] = n
	}
	return n
}

// scope says what meta an expression may read: that of the behaviours its selector selects.
type scope struct {
	request bool // it reads a Request, and no activity
	untyped bool // nothing is declared: any key, any type
	keys    map[string]declared
	from    string // for faults: "commit" or "commit and review"
}

type declared struct {
	typ   MetaType
	clash bool // declared with several types
	by    []string
}

// compile reads an expression. The faults are those of its names and operators, all of them, or the first one of its types.
func compile(text string, sc *scope, t *table) (p *program, result reflect.Type, faults []string) {
	config := conf.CreateNew()
	config.MaxNodes = maxExprNodes
	for name := range config.Builtins {
		config.Disabled[name] = true
	}
	clear(config.Builtins)
	addFunctions(config)
	if sc.request {
		addText(config)
	}
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, nil, []string{plainError(err)}
	}
	r := &restrictor{scope: sc, table: t, env: types.Map{}}
	if !sc.request {
		r.env["name"], r.env["kind"] = types.String, types.String
	}
	canonical := tree.Node.String()
	tree.Node = r.visit(tree.Node)
	if len(r.faults) > 0 {
		return nil, nil, r.faults
	}
	config.WithEnv(r.env)
	if result, err = checker.Check(tree, config); err == nil {
		err = optimizer.Optimize(&tree.Node, config)
	}
	if err != nil {
		return nil, nil, []string{plainError(err)}
	}
	p = &program{text: canonical, table: t, reads: r.reads}
	if id, ok := tree.Node.(*ast.IdentifierNode); ok && (sc.request || id.Value != "name" && id.Value != "kind") {
		p.bare = &p.reads[0]
	}
	if p.code, err = compiler.Compile(tree, config); err != nil {
		return nil, nil, []string{plainError(err)}
	}
	return p, result, nil
}

// plainError is the library's message with our words for types and without its picture of the place.
func plainError(err error) string {
	text := err.Error()
	var located *file.Error
	if errors.As(err, &located) {
		text = fmt.Sprintf("%s (column %d)", located.Message, located.Column+1)
	}
	text, _, _ = strings.Cut(text, "\n")
	return strings.NewReplacer("float64", "number", "interface {}", "unknown").Replace(text)
}

// restrictor lets the safe part of the language through, notes what is read, and makes all numbers float64: whole numbers of the library
// wrap around silently, and its modulo knows only those.
type restrictor struct {
	scope  *scope
	table  *table
	env    types.Map
	reads  []need
	faults []string
}

func (r *restrictor) refuse(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// visit returns the node that takes the place of n.
func (r *restrictor) visit(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.BoolNode, *ast.StringNode, *ast.FloatNode:
	case *ast.IntegerNode:
		if n.Value > MaxExact || n.Value < -MaxExact {
			r.refuse("%d is beyond ±2^53, up to which whole numbers are exact", n.Value)
		}
		return placed(&ast.FloatNode{Value: float64(n.Value)}, n)
	case *ast.IdentifierNode:
		if r.scope.request {
			return r.read(n)
		}
		r.identifier(n.Value)
	case *ast.MemberNode:
		if r.scope.request {
			return r.read(n)
		}
		return r.member(n)
	case *ast.UnaryNode:
		n.Node = r.visit(n.Node)
	case *ast.BinaryNode:
		return r.binary(n)
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = r.visit(n.Cond), r.visit(n.Exp1), r.visit(n.Exp2)
	case *ast.CallNode:
		r.call(n)
	case *ast.BuiltinNode:
		r.refuse("there is no function %s; there are %s", n.Name, strings.Join(r.functions(), ", "))
	case *ast.NilNode, *ast.ChainNode:
		r.refuse("nil and ?. have no use: an activity whose value is missing does not match")
	case *ast.ArrayNode:
		r.refuse("a list stands only on the right of in")
	default:
		r.refuse("variables, closures, maps and slices are not part of this language")
	}
	return n
}

func placed(n, old ast.Node) ast.Node {
	n.SetLocation(old.Location())
	return n
}

func (r *restrictor) identifier(name string) {
	switch name {
	case "name", "kind":
	case "value":
		r.env["value"] = types.Float64
		r.add(need{slot: valueSlot, typ: Number, name: name})
	case "meta":
		r.refuse("meta is read by key, such as meta.added")
	default:
		r.refuse("unknown name %s; there are value, name, kind and meta.<key>", name)
	}
}

func (r *restrictor) add(want need) {
	if !slices.Contains(r.reads, want) {
		r.reads = append(r.reads, want)
	}
}

func (r *restrictor) member(n *ast.MemberNode) ast.Node {
	base, isName := n.Node.(*ast.IdentifierNode)
	key, isText := n.Property.(*ast.StringNode)
	if !isName || base.Value != "meta" || !isText || n.Optional || n.Method {
		r.refuse("only meta has keys, and they are written out, such as meta.added")
		return n
	}
	typ, ok := r.typeOf(key.Value)
	if !ok {
		return n
	}
	name := "meta." + key.Value
	r.add(need{slot: r.table.slot(key.Value), typ: typ, name: name})
	r.env[name] = map[MetaType]types.Type{0: types.Any, Integer: types.Float64, Number: types.Float64, String: types.String, Boolean: types.Bool}[typ]
	return placed(&ast.IdentifierNode{Value: name}, n)
}

func (r *restrictor) typeOf(key string) (MetaType, bool) {
	d, found := r.scope.keys[key]
	switch {
	case r.scope.untyped:
		return 0, true
	case !found:
		known := slices.Sorted(maps.Keys(r.scope.keys))
		if len(known) == 0 {
			r.refuse("meta.%s is not declared: %s declares no meta", key, r.scope.from)
		} else {
			r.refuse("meta.%s is not declared; %s declares %s", key, r.scope.from, listed(known))
		}
		return 0, false
	case d.clash:
		r.refuse("meta.%s has not the same type in all of %s", key, listed(d.by))
		return 0, false
	}
	return d.typ, true
}

func (r *restrictor) binary(n *ast.BinaryNode) ast.Node {
	switch n.Operator {
	case "+", "-", "*", "/", "**", "^", "==", "!=", "<", "<=", ">", ">=", "and", "&&", "or", "||", "contains", "startsWith", "endsWith":
	case "%":
		callee := placed(&ast.IdentifierNode{Value: "%"}, n)
		return placed(&ast.CallNode{Callee: callee, Arguments: []ast.Node{r.visit(n.Left), r.visit(n.Right)}}, n)
	case "in":
		list, ok := n.Right.(*ast.ArrayNode)
		if !ok {
			r.refuse("on the right of in stands a list, such as [\"go\", \"c\"]")
			return n
		}
		for i := range list.Nodes {
			list.Nodes[i] = r.visit(list.Nodes[i])
		}
		n.Left = r.visit(n.Left)
		return n
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			r.refuse("on the right of matches stands a pattern in quotes")
		}
	case "??":
		r.refuse("?? has no use: an activity whose value is missing does not match")
		return n
	default:
		r.refuse("the operator %s is not part of this language", n.Operator)
		return n
	}
	n.Left, n.Right = r.visit(n.Left), r.visit(n.Right)
	return n
}

// functions are those that may be called.
func (r *restrictor) functions() []string {
	if r.scope.request {
		return append(functionNames(), textFunction)
	}
	return functionNames()
}

func (r *restrictor) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || !slices.Contains(r.functions(), callee.Value) {
		name := "of that kind"
		if ok {
			name = callee.Value
		}
		r.refuse("there is no function %s; there are %s", name, strings.Join(r.functions(), ", "))
		return
	}
	for i := range n.Arguments {
		n.Arguments[i] = r.visit(n.Arguments[i])
	}
}

// wrongType compares the type of an expression with what its place takes; it gives the fault or nothing.
func wrongType(result reflect.Type, where bool, fold Fold) string {
	is := map[reflect.Kind]string{reflect.Bool: "true or false", reflect.Float64: "a number", reflect.String: "a string"}[result.Kind()]
	switch {
	case is == "":
		return "" // known only once the activity is there
	case where && result.Kind() != reflect.Bool:
		return "where must be true or false, but this is " + is
	case !where && fold != Unique && result.Kind() != reflect.Float64:
		return fmt.Sprintf("the value of %s must be a number, but this is %s", fold, is)
	}
	return ""
}
