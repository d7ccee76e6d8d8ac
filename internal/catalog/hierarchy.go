package catalog

import (
	"strings"

	"laurel/internal/activity"
)

// checkParents refuses orgs of one file that stand above themselves. Whether a parent that the file does not hold is known is up to who publishes.
func checkParents(catalogs []*Catalog, r *report) {
	index := map[activity.Org]int{}
	for i, c := range catalogs {
		if c != nil {
			index[c.Org] = i
		}
	}
	told := map[activity.Org]bool{}
	for i, c := range catalogs {
		if c == nil || told[c.Org] {
			continue
		}
		way := []string{string(c.Org)}
		for at := c; at.Parent != "" && len(way) <= len(catalogs); {
			above, some := index[at.Parent]
			if !some {
				break
			}
			at = catalogs[above]
			way = append(way, string(at.Org))
			if at == c {
				r.at(path{}.to("orgs", i, "parent"), "goes round in a circle: %s", strings.Join(way, " is under "))
				for _, org := range way {
					told[activity.Org(org)] = true
				}
				break
			}
		}
	}
}
