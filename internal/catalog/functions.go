package catalog

import (
	"errors"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/conf"
)

// errType ends an evaluation whose untyped meta turned out to be of another type: the activity does not match.
var errType = errors.New("value of another type")

// functionNames lists what an expression may call: pure, fast, and bounded by the length of what goes in.
func functionNames() []string {
	return []string{"abs", "ceil", "floor", "round", "min", "max", "len", "lower", "upper", "trim"}
}

// addFunctions puts our own functions in the place of all built in ones, which would mix int with float64. The modulo is a function that no
// expression can name.
func addFunctions(config *conf.Config) {
	for name, f := range map[string]func(float64) float64{"abs": math.Abs, "ceil": math.Ceil, "floor": math.Floor, "round": math.Round} {
		expr.Function(name, ofNumbers(func(x []float64) float64 { return f(x[0]) }), new(func(float64) float64))(config)
	}
	for name, f := range map[string]func(a, b float64) float64{"min": math.Min, "max": math.Max} {
		expr.Function(name, ofNumbers(func(x []float64) float64 {
			for _, next := range x[1:] {
				x[0] = f(x[0], next)
			}
			return x[0]
		}), new(func(float64, ...float64) float64))(config)
	}
	expr.Function("%", ofNumbers(func(x []float64) float64 { return math.Mod(x[0], x[1]) }), new(func(a, b float64) float64))(config)
	for name, f := range map[string]func(string) string{"lower": strings.ToLower, "upper": strings.ToUpper, "trim": strings.TrimSpace} {
		expr.Function(name, ofString(func(s string) any { return f(s) }), new(func(string) string))(config)
	}
	expr.Function("len", ofString(func(s string) any { return float64(utf8.RuneCountInString(s)) }), new(func(string) float64))(config)
}

func ofNumbers(f func([]float64) float64) func(...any) (any, error) {
	return func(params ...any) (any, error) {
		numbers := make([]float64, len(params))
		for i, p := range params {
			n, ok := p.(float64)
			if !ok {
				return nil, errType
			}
			numbers[i] = n
		}
		return f(numbers), nil
	}
}

func ofString(f func(string) any) func(...any) (any, error) {
	return func(params ...any) (any, error) {
		s, ok := params[0].(string)
		if !ok {
			return nil, errType
		}
		return f(s), nil
	}
}

// textFunction makes a text of a number, for ids that are put together. Expressions over activities have no use for it.
const textFunction = "text"

func addText(config *conf.Config) {
	expr.Function(textFunction, func(params ...any) (any, error) {
		text, ok := textOf(params[0])
		if !ok {
			return nil, errType
		}
		return text, nil
	}, new(func(any) string))(config)
}
