package api

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"laurel/internal/query"
	"laurel/internal/store"
)

// notDomain are the packages that no request reaches.
func notDomain() []string {
	return []string{"account", "archtest", "config", "deployment", "gitlog", "telemetry", "testenv", "transfer", "verify"}
}

// Every exported error of a domain package must be in the table: one that is not would be a 500.
func TestAnswers_KnowEveryDomainError(t *testing.T) {
	known := map[string]bool{}
	table, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	must(t, err)
	ast.Inspect(table, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok && strings.HasPrefix(sel.Sel.Name, "Err") {
				known[pkg.Name+"."+sel.Sel.Name] = true
			}
		}
		return true
	})
	found := 0
	for _, dir := range domainPackages(t) {
		for _, name := range exportedErrors(t, dir) {
			found++
			if full := filepath.Base(dir) + "." + name; !known[full] {
				t.Errorf("%s has no line in the table of answers", full)
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d errors found: the search is broken", found)
	}
}

func domainPackages(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("../internal")
	must(t, err)
	dirs := []string{"../ranking", "../streaks"}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(notDomain(), e.Name()) {
			dirs = append(dirs, filepath.Join("../internal", e.Name()))
		}
	}
	return dirs
}

// exportedErrors are the package-level variables called Err… of the package in dir.
func exportedErrors(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	must(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		must(t, err)
		for _, decl := range f.Decls {
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				names = append(names, errorNames(g)...)
			}
		}
	}
	return names
}

func errorNames(g *ast.GenDecl) (names []string) {
	for _, spec := range g.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			if strings.HasPrefix(name.Name, "Err") && name.IsExported() {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

func TestAnswers_AreWellFormed(t *testing.T) {
	p := newProblems()
	for code, info := range p.codes {
		if info.status < 400 || info.status > 599 || info.title == "" {
			t.Errorf("code %s: %+v", code, info)
		}
		if busy := info.status == 429 || info.status == 503; busy != (info.retry != "") {
			t.Errorf("code %s: Retry-After belongs to 429 and 503, and to nothing else", code)
		}
	}
	for _, a := range p.answers {
		if _, ok := p.codes[a.code]; !ok {
			t.Errorf("%v has the unknown code %s", a.err, a.code)
		}
		wrapped := fmt.Errorf("outer hidden text: %w", fmt.Errorf("inner: %w", a.err))
		got := p.of(wrapped)
		if got.Code != a.code || strings.Contains(got.Detail+got.Title, "hidden text") {
			t.Errorf("%v wrapped became %+v", a.err, got)
		}
	}
	both := p.of(fmt.Errorf("%w: %w", query.ErrBadPeriod, store.ErrUnavailable))
	if both.Code != "bad_period" {
		t.Errorf("the first line that matches counts, got %s", both.Code)
	}
}
