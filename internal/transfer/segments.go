package transfer

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
)

// segmentsDocument is the name of the document of the values that have boards of their own (store.SegmentsKey): by attribute, in order.
const segmentsDocument = "segments"

// noteSegments remembers what an activity counts for. A value that came up while a dump was being written may be missing in the document, which was
// read before the users were.
func (i *importer) noteSegments(org activity.Org, a *activity.Activity) {
	for _, at := range a.Attributes {
		if i.segments[org] == nil {
			i.segments[org] = map[activity.Attribute]struct{}{}
		}
		i.segments[org][at] = struct{}{}
	}
}

// withSegments completes the org's documents by the values that its activities have.
func (i *importer) withSegments(l *orgLine) error {
	values := map[string][]string{}
	if content, there := l.Documents[segmentsDocument]; there {
		if err := json.Unmarshal(content, &values); err != nil {
			return fmt.Errorf("%w: document %s of org %s: %w", ErrDamaged, segmentsDocument, l.Org, err)
		}
	}
	missing := false
	for at := range i.segments[l.Org] {
		if n, found := slices.BinarySearch(values[at.Name], at.Value); !found {
			values[at.Name] = slices.Insert(values[at.Name], n, at.Value)
			missing = true
		}
	}
	if !missing {
		return nil
	}
	content, err := json.Marshal(values, json.Deterministic(true))
	if l.Documents == nil {
		l.Documents = map[string][]byte{}
	}
	l.Documents[segmentsDocument] = content
	return err
}
