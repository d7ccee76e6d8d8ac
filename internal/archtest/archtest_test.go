package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pkg is what go list tells of a package; tests are not among its files and imports.
type pkg struct {
	ImportPath, Dir, Doc string
	GoFiles              []string
	Imports, Deps        []string
}

// list returns the module's packages.
func list(t *testing.T) []pkg {
	t.Helper()
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Doc,GoFiles,Imports,Deps", "./...")
	cmd.Dir = strings.TrimSpace(string(root))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []pkg
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			packages = append(packages, p)
		}
	}
	if len(packages) < 10 {
		t.Fatalf("go list found %d packages", len(packages))
	}
	return packages
}

func TestImports(t *testing.T) {
	packages := list(t)
	for _, r := range Rules() {
		for _, p := range packages {
			for _, bad := range r.broken(p.ImportPath, p.Imports, p.Deps) {
				t.Errorf("%s must not import %s: %s", p.ImportPath, bad, r.Reason)
			}
		}
	}
}

// TestRules_NameWhatExists keeps a rule from becoming empty when a package is renamed. Exceptions may be for packages to come.
func TestRules_NameWhatExists(t *testing.T) {
	packages := list(t)
	for _, r := range Rules() {
		for _, from := range r.From {
			if !slices.ContainsFunc(packages, func(p pkg) bool { return match(from, p.ImportPath) }) {
				t.Errorf("no package is %q, which a rule binds: %s", from, r.Reason)
			}
		}
		if r.Reason == "" || len(r.To) == 0 {
			t.Errorf("rule %+v has no reason or forbids nothing", r)
		}
	}
}

func TestRule_Broken(t *testing.T) {
	shallow := Rule{From: []string{"m/..."}, Except: []string{"m/cmd/..."}, To: []string{"net/http", "m/internal/store", "example.com/lib/..."}}
	deep := shallow
	deep.Deep = true
	tests := map[string]struct {
		rule          Rule
		path          string
		imports, deps []string
		want          []string
	}{
		"direct":             {shallow, "m/api", []string{"fmt", "m/internal/store"}, nil, []string{"m/internal/store"}},
		"only by another":    {shallow, "m/api", []string{"fmt"}, []string{"m/internal/store"}, nil},
		"deep":               {deep, "m/api", []string{"fmt"}, []string{"m/internal/store", "net/http"}, []string{"m/internal/store", "net/http"}},
		"exception":          {shallow, "m/cmd/laurel", []string{"m/internal/store"}, nil, nil},
		"below a pattern":    {shallow, "m/api", []string{"example.com/lib/v9", "example.com/library"}, nil, []string{"example.com/lib/v9"}},
		"other module":       {shallow, "n/api", []string{"m/internal/store"}, nil, nil},
		"path, not a prefix": {shallow, "m/api", []string{"m/internal/storehouse", "net/http/pprof"}, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.rule.broken(tt.path, tt.imports, tt.deps)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPackages_HaveADocComment(t *testing.T) {
	packages := list(t)
	for _, p := range packages {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// inspect parses every file of the packages that want and calls see for each node.
func inspect(t *testing.T, want func(p pkg) bool, see func(file string, at token.Position, n ast.Node)) {
	t.Helper()
	packages := list(t)
	for _, p := range packages {
		if !want(p) {
			continue
		}
		for _, name := range p.GoFiles {
			files := token.NewFileSet()
			path := filepath.Join(p.Dir, name)
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Error(err)
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if n != nil {
					see(p.ImportPath+"/"+name, files.Position(n.Pos()), n)
				}
				return true
			})
		}
	}
}

// storeKey is how a key of the store begins: a partition's hash tag and a kind.
var storeKey = regexp.MustCompile(`\}:(u|c|p|l|b|f|due|changes|transfers|outbox|meta|catalog|keys)\b|^\{(\d+|%d|n)\}:`)

func TestKeys_AreBuiltInOnePlace(t *testing.T) {
	everywhere := func(pkg) bool { return true }
	inspect(t, everywhere, func(file string, at token.Position, n ast.Node) {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING || file == "laurel/internal/store/keys.go" || strings.HasPrefix(file, "laurel/internal/archtest/") {
			return
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && storeKey.MatchString(text) {
			t.Errorf("%v: %q looks like a key of the store; those are made in internal/store/keys.go only", at, text)
		}
	})
}

// TestTime_IsAParameterOfPureCode keeps the machine's clock out of domain logic: every decision must be possible at any now.
func TestTime_IsAParameterOfPureCode(t *testing.T) {
	pure := Rules()[0]
	bound := func(p pkg) bool { return matchAny(pure.From, p.ImportPath) }
	inspect(t, bound, func(_ string, at token.Position, n ast.Node) {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return
		}
		of, ok := sel.X.(*ast.Ident)
		if ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "NewTimer", "NewTicker", "Sleep"}, sel.Sel.Name) {
			t.Errorf("%v: time.%s in pure code; take the time as a parameter", at, sel.Sel.Name)
		}
	})
}
