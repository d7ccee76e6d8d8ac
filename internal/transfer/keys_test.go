package transfer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// whereabouts says of every key of the store how it comes into a deployment that is made of a dump.
var whereabouts = map[string]string{
	"StateKey":      "user lines, and made of the activities",
	"ColdKey":       "user lines",
	"ProfileKey":    "hashes",
	"ClaimKey":      "made of the profiles",
	"LogKey":        "activity lines",
	"MergedKey":     "hashes",
	"BoardKey":      "made of the activities",
	"FenceKey":      "org lines",
	"GrantsKey":     "hashes",
	"HoldsKey":      "documents: stock:<reward>, and made of the grants",
	"StockKey":      "documents: stock:<reward>",
	"DueKey":        "made of the activities",
	"ChangesKey":    "a history of its own",
	"TransfersKey":  "not carried",
	"OutboxKey":     "not carried",
	"MetaKey":       "a deployment of its own; catalog_file of the header",
	"CatalogKey":    "org lines",
	"KeysKey":       "key lines",
	"SecretsKey":    "secrets of its own",
	"catalogsKey":   "kept by the store",
	"wholeKey":      "never there",
	"ImportKey":     "import lines",
	"ImportPartKey": "not carried: what an import has not done is sent again",
	"JobsKey":       "not carried",
	"EndedKey":      "not carried",
	"ClosedKey":     "documents",
	"BackfillKey":   "found out anew",
	"SegmentsKey":   "documents",
	"HooksKey":      "secrets of org lines; where webhooks begin: behind the events of the other deployment",
	"WebhookKey":    "not carried: of another outbox",
}

// TestKeys_AreAllAccountedFor fails when the store gets a kind of key of which nobody has said whether it goes along: see documents and hashes.
func TestKeys_AreAllAccountedFor(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../store/keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasSuffix(fn.Name.Name, "Key") {
			made = append(made, fn.Name.Name)
		}
	}
	slices.Sort(made)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(whereabouts)), made); diff != "" {
		t.Error(diff)
	}
}
