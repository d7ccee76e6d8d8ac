package capillary

import (
	"slices"
	"strconv"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/query"
)

// scope is of which orgs a request may learn, by their numbers.
type scope struct {
	own  *catalog.Catalog
	orgs map[int64]*catalog.Catalog
	// outside are the orgs that the request names and that are not in it.
	outside []int64
}

// scopeOf reads the headers: SELF is the key's own org, OTHER those that stand below it, ALL both; a list narrows the last two. *query.ParamError.
func (d *Door) scopeOf(org activity.Org, word, list string) (*scope, error) {
	s := &scope{own: d.Orgs.Catalog(org), orgs: map[int64]*catalog.Catalog{}}
	if s.own == nil {
		return nil, query.ErrUserNotFound
	}
	word = strings.ToUpper(strings.TrimSpace(word))
	if !slices.Contains([]string{"", "SELF", "OTHER", "ALL"}, word) {
		return nil, &query.ParamError{Field: ScopeHeader, Detail: "DATA-SCOPE must be SELF, OTHER or ALL."}
	}
	wanted, err := numbers(list)
	if err != nil {
		return nil, err
	}
	known := map[int64]bool{}
	for _, below := range d.Orgs.Below(org) {
		c := d.Orgs.Catalog(below)
		if c == nil || c.Number == 0 && c != s.own {
			continue
		}
		own := below == org
		known[c.Number] = true
		switch {
		case own && word == "OTHER", !own && (word == "" || word == "SELF"):
		case !own && len(wanted) > 0 && !slices.Contains(wanted, c.Number):
		default:
			s.orgs[c.Number] = c
		}
	}
	for _, n := range wanted {
		if !known[n] {
			s.outside = append(s.outside, n)
		}
	}
	return s, nil
}

// numbers reads a list of numbers that are separated by commas.
func numbers(list string) (ns []int64, err error) {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, &query.ParamError{Field: OrgsHeader, Detail: "DATA-SCOPE-ORG must be the ids of orgs, separated by commas."}
		}
		ns = append(ns, n)
	}
	return ns, nil
}

// of is the org that a wanted rule is of, nil for one that is not in the scope. A rule that names none is of the key's own org; where the scope is of others
// only, of the only one of them.
func (s *scope) of(w *Wanted) *catalog.Catalog {
	switch {
	case w.OrgID != nil:
		return s.orgs[*w.OrgID]
	case s.orgs[s.own.Number] == s.own:
		return s.own
	case len(s.orgs) == 1:
		for _, c := range s.orgs {
			return c
		}
	}
	return nil
}
