package transfer

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
)

func TestImporter_CompletesSegments(t *testing.T) {
	at := func(name, value string) activity.Activity {
		return activity.Activity{Attributes: []activity.Attribute{{Name: name, Value: value}}}
	}
	for name, c := range map[string]struct{ have, want string }{
		"came up while it was written": {`{"land":["AT","DE"]}`, `{"land":["AT","CH","DE"],"team":["red"]}`},
		"the first ones":               {"", `{"land":["CH"],"team":["red"]}`},
		"all there":                    {`{"land":["CH"],"team":["blue","red"]}`, `{"land":["CH"],"team":["blue","red"]}`},
		"damaged":                      {`{"land":7}`, ""},
	} {
		i := &importer{segments: map[activity.Org]map[activity.Attribute]struct{}{}}
		for _, a := range []activity.Activity{at("land", "CH"), at("team", "red"), at("land", "CH"), {}} {
			i.noteSegments("o", &a)
		}
		other := at("land", "XX")
		i.noteSegments("p", &other)
		l := &orgLine{Org: "o"}
		if c.have != "" {
			l.Documents = map[string][]byte{segmentsDocument: []byte(c.have)}
		}
		err := i.withSegments(l)
		if c.want == "" {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, string(l.Documents[segmentsDocument])); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	i := &importer{}
	if l := (&orgLine{Org: "o"}); i.withSegments(l) != nil || l.Documents != nil {
		t.Error("an org without segments got a document")
	}
}
