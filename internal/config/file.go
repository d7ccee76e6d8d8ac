package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// EnvPrefix begins every environment variable: --data-dir is LAUREL_DATA_DIR.
const EnvPrefix = "LAUREL"

// Options are the Kong options that make a command line read variables and configuration files as this package defines them.
func Options() []kong.Option {
	return []kong.Option{kong.DefaultEnvars(EnvPrefix), kong.Configuration(LoadYAML)}
}

// LoadYAML reads a configuration file: one mapping of flag names to values. A key that is no flag of any command is an error, because a
// misspelt setting that is silently without effect costs more than a refused start.
func LoadYAML(r io.Reader) (kong.Resolver, error) {
	var document yaml.Node
	if err := yaml.NewDecoder(r).Decode(&document); errors.Is(err, io.EOF) {
		return file{}, nil
	} else if err != nil {
		return nil, err
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: expected a mapping of flag names to values", root.Line)
	}
	f := file{}
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if _, twice := f[key.Value]; twice {
			return nil, fmt.Errorf("line %d: %s is set twice", key.Line, key.Value)
		}
		plain, err := plainValue(value)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", value.Line, key.Value, err)
		}
		f[key.Value] = setting{plain, key.Line}
	}
	return f, nil
}

// plainValue keeps scalars as the text that was written, so that a file means what the same text means as a flag: `fsync: no` is the word no and
// not a boolean.
func plainValue(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Value, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("expected a list of plain values")
			}
			list[i] = item.Value
		}
		return list, nil
	default:
		return nil, errors.New("expected a value or a list of values")
	}
}

// file resolves flags from a configuration file.
type file map[string]setting

type setting struct {
	value any
	line  int
}

// Validate implements kong.Resolver.
func (f file) Validate(app *kong.Application) error {
	known := map[string]bool{}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	errs := []error{err}
	for key, s := range f {
		if !known[key] || key == "config" || key == "help" {
			errs = append(errs, fmt.Errorf("configuration file: line %d: unknown setting %q", s.line, key))
		}
	}
	return errors.Join(errs...)
}

// Resolve implements kong.Resolver. Kong lets a resolver override variables, which it treats as defaults; here the variable is the more
// deliberate of the two, so a file yields to it.
func (f file) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	s, ok := f[flag.Name]
	if !ok {
		return nil, nil
	}
	if text, scalar := s.value.(string); scalar && flag.IsSlice() {
		return []any{text}, nil
	} else if _, list := s.value.([]any); list && !flag.IsSlice() {
		return nil, fmt.Errorf("configuration file: line %d: %s takes one value", s.line, flag.Name)
	} else if scalar && flag.IsBool() && !isBoolean(text) {
		return nil, fmt.Errorf("configuration file: line %d: %s is true or false", s.line, flag.Name)
	}
	return s.value, nil
}

func isBoolean(text string) bool {
	switch strings.ToLower(text) {
	case "true", "false":
		return true
	}
	return false
}
