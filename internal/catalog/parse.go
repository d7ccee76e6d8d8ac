package catalog

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"
)

//go:embed default.yaml
var defaultText []byte

// Default returns the YAML of what a server has that was started without a catalog: an org git with the behaviour commit.
func Default() []byte { return bytes.Clone(defaultText) }

// Parse reads a file of one or several orgs, YAML or JSON. Its error is Faults: all that is wrong. It takes time and memory within a bound,
// whatever the source holds.
func Parse(source []byte) ([]*Catalog, error) {
	var file fileSource
	tree, faults := readTree(source)
	if tree == nil {
		return nil, (&report{faults: faults}).err()
	}
	r := structured(tree, faults, fileSchema, &file)
	catalogs := make([]*Catalog, len(file.Orgs))
	ids, numbers := map[string]int{}, map[int64]int{}
	for i, org := range file.Orgs {
		if org == nil {
			continue
		}
		p := path{}.to("orgs", i)
		catalogs[i] = build(org, r, p)
		if first, dup := taken(ids, org.ID, i); dup {
			r.at(p.to("id"), "the id %s is that of orgs[%d] too", org.ID, first)
		}
		if first, dup := taken(numbers, org.Number, i); dup {
			r.at(p.to("number"), "the number %d is that of orgs[%d] too", org.Number, first)
		}
	}
	checkParents(catalogs, r)
	if err := r.err(); err != nil {
		return nil, err
	}
	for i, c := range catalogs {
		c.seal(r, path{}.to("orgs", i))
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return catalogs, nil
}

// ParseOrg reads the definition of one org, as Catalog.Source holds it: what stands under orgs in a file. Its error is Faults.
func ParseOrg(source []byte) (*Catalog, error) {
	tree, faults := readTree(source)
	if tree == nil {
		return nil, (&report{faults: faults}).err()
	}
	return parseTree(tree, faults)
}

// parseTree is ParseOrg of a source that was read, with some faults perhaps.
func parseTree(tree *node, faults Faults) (*Catalog, error) {
	var org orgSource
	r := structured(tree, faults, orgSchema, &org)
	c := build(&org, r, path{})
	if c.Parent != "" && c.Parent == c.Org {
		r.at(path{"parent"}, "an org does not stand above itself")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	c.seal(r, path{})
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// structured does what comes between the text and the meaning: it notes what has not the structure, and puts what is sound into plain structs.
func structured(tree *node, faults Faults, schema string, into any) *report {
	r := &report{tree: tree, faults: faults}
	sound, err := json.Marshal(check(tree.plain(), schema, r))
	if err == nil {
		err = json.Unmarshal(sound, into)
	}
	if err != nil {
		// The schema lets nothing through that the structs could not take; were it so, the source must not pass.
		r.at(nil, "unreadable: %v", err)
	}
	return r
}

// seal writes the definition in canonical JSON, with keys in order and nothing that the writer chose in layout, and its hash. What could not be
// read again, because aliases unfold or definitions were put together to more than a source may have, is a fault: it must not be stored.
func (c *Catalog) seal(r *report, p path) {
	r.tree.find(p).redact()
	text, err := json.Marshal(r.tree.find(p).plain())
	if err != nil {
		panic("catalog: a checked definition has no JSON: " + err.Error())
	}
	canonical := jsontext.Value(text)
	if err := canonical.Canonicalize(); err != nil {
		panic("catalog: a checked definition has no canonical JSON: " + err.Error())
	}
	sum := sha256.Sum256(canonical)
	c.Source, c.Hash = canonical, hex.EncodeToString(sum[:])
	if again, faults := readTree(canonical); again == nil {
		r.at(p, "the whole definition in JSON: %s", faults[len(faults)-1].Detail)
	}
}

// taken notes who holds a key first. The zero key is one that is missing, and no one holds it.
func taken[K comparable](holders map[K]int, key K, i int) (first int, dup bool) {
	var none K
	if key == none {
		return 0, false
	}
	if first, dup = holders[key]; !dup {
		holders[key] = i
	}
	return first, dup
}
