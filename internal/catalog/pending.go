package catalog

import "fmt"

// NotApplied names, by path, what the catalog says and this version does not apply yet: the definitions are ahead of the program, so that
// catalogs need not be changed when it follows.
func (c *Catalog) NotApplied() []string {
	var paths []string
	for i, s := range c.Streaks {
		for _, option := range []struct {
			name string
			set  bool
		}{
			{"grace", s.Grace > 0},
			{"freezes", s.Freezes != Freezes{}},
			{"restore_window", s.Restore > 0},
			{"on_miss", s.OnMiss != Reset},
			{"milestones", len(s.Milestones) > 0},
		} {
			if option.set {
				paths = append(paths, fmt.Sprintf("streaks[%d].%s", i, option.name))
			}
		}
	}
	return paths
}
