package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults bounds how many faults are told: a hostile source may hold a hundred thousand.
const maxFaults = 500

// Fault is one thing that is wrong with a source.
type Fault struct {
	// Line counts from 1; 0 where it is not the source alone that is at fault.
	Line int
	// Path is where: "orgs[0].rules[2].value"; empty for the source as a whole.
	Path   string
	Detail string
}

// Faults is everything that is wrong with a source, in the order of its lines. It is the error of Parse and ParseOrg.
type Faults []Fault

// Error lists every fault, one a line.
func (f Faults) Error() string {
	var b strings.Builder
	for i, fault := range f {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(fault.String())
	}
	return b.String()
}

// String is "line 12: orgs[0].rules[1].cycles[0]: detail", without what is not known.
func (f Fault) String() string {
	s := f.Detail
	if f.Path != "" {
		s = f.Path + ": " + s
	}
	if f.Line > 0 {
		s = fmt.Sprintf("line %d: %s", f.Line, s)
	}
	return s
}

// report collects the faults of one source; tree gives their lines.
type report struct {
	tree   *node
	faults Faults
}

// at notes a fault of the value at a path. Where the path leads past what the source holds, the line is that of the nearest value above. A
// value that could not even be read has its fault already.
func (r *report) at(p path, format string, args ...any) {
	if n := r.tree.find(p); n != nil && n.unread {
		return
	}
	line, text := r.tree.locate(p)
	r.faults = append(r.faults, Fault{Line: line, Path: text, Detail: fmt.Sprintf(format, args...)})
}

// err gives the faults in order, without repetitions, or nil.
func (r *report) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
	faults := slices.Compact(r.faults)
	if more := len(faults) - maxFaults; more > 0 {
		faults = append(faults[:maxFaults:maxFaults], Fault{Line: faults[maxFaults].Line, Detail: fmt.Sprintf("and %d more faults", more)})
	}
	return faults
}

// quoted shortens what a source said, so that a fault stays readable.
func quoted(s string) string {
	const limit = 60
	runes := []rune(s)
	if len(runes) > limit {
		s = string(runes[:limit]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// listed joins words as a sentence does: "a, b and c".
func listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
