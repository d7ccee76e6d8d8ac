package progress

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
)

// Actions of activities that are decided.
const (
	Increment = "increment"
	Redeem    = "redeem"
	Set       = "set"
	Refund    = "refund"
	Start     = "start"
	Cancel    = "cancel"
	Award     = "award"
)

// Meta is what the meta of an activity that is decided says. Action is "" for a gift; Of and To are "" where the action has none.
type Meta struct {
	Action string
	Of     activity.ID
	To     activity.User
}

// Giver says what a credit comes from: the kind (gift, bounty, prize, rank), and the user who gave it, or the label of the period whose close did.
type Giver struct {
	Kind   string        `json:"-"`
	From   activity.User `json:"from"`
	Period string        `json:"period"`
}

// ReadGiver reads what a record of kind credit comes from.
func ReadGiver(credit *activity.Activity) (g Giver) {
	_ = json.Unmarshal(credit.Meta, &g) // as Laurel wrote it
	g.Kind, _, _ = strings.Cut(string(credit.ID), ":")
	return g
}

// maxMetaID is the longest of an id in meta, as of any.
const maxMetaID = 128

// ReadMeta reads the meta of an activity of kind point, coupon, gift or bounty. *Refusal where a member is missing, foreign, or of another type.
func ReadMeta(act *activity.Activity) (m Meta, err error) {
	given := map[string]jsontext.Value{}
	if len(act.Meta) > 0 {
		if err := json.Unmarshal(act.Meta, &given); err != nil {
			return m, &Refusal{RefusedBadRequest, "meta", "This must be a JSON object."}
		}
	}
	r := metaReader{given: given}
	if actions := actionsOf(act.Kind); actions != nil {
		m.Action = r.text("action")
		if r.err == nil && !slices.Contains(actions, m.Action) {
			r.fail("action", "This must be an action of the kind "+act.Kind.String()+".")
		}
	}
	if m.Action == Refund || m.Action == Cancel || m.Action == Award {
		m.Of = activity.ID(r.text("of"))
	}
	if m.Action == Award || act.Kind == activity.Gift {
		m.To = activity.User(r.text("to"))
	}
	if r.err == nil && len(r.given) > 0 {
		names := make([]string, 0, len(r.given))
		for name := range r.given {
			names = append(names, name)
		}
		r.fail(slices.Min(names), "An activity of this kind and action has no such member of meta.")
	}
	return m, r.err
}

func actionsOf(k activity.Kind) []string {
	switch k {
	case activity.Point:
		return []string{Increment, Redeem, Set, Refund}
	case activity.Coupon:
		return []string{Redeem, Refund}
	case activity.Bounty:
		return []string{Start, Cancel, Award}
	}
	return nil
}

// metaReader takes members out of a meta; after a fault it yields "".
type metaReader struct {
	given map[string]jsontext.Value
	err   error
}

func (r *metaReader) fail(name, detail string) {
	r.err = &Refusal{RefusedBadRequest, "meta." + name, detail}
}

func (r *metaReader) text(name string) string {
	if r.err != nil {
		return ""
	}
	v, some := r.given[name]
	delete(r.given, name)
	var s string
	switch {
	case !some:
		r.fail(name, "An activity of this kind and action needs this member of meta.")
	case json.Unmarshal(v, &s) != nil || s == "" || len(s) > maxMetaID:
		r.fail(name, "This must be a string of 1 to 128 bytes.")
	}
	return s
}
