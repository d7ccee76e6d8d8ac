package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"

	"laurel/internal/activity"
)

// Value is what one activity gives to a fold: N for all folds but unique, S for unique.
type Value struct {
	// N is scaled by the selector's Decimals.
	N int64
	// S is the canonical text of a unique value with a prefix for its type: "s:go", "n:12", "b:true". A string of over maxUniqueText bytes
	// is "h:" and its SHA-256, so that a user's set of values stays bounded.
	S string
}

const maxUniqueText = 64

// Matches says whether the kind and the name fit: cheap, and needed before Eval can give anything. Nothing selects a credit: it is not what the user did.
func (s *Selector) Matches(kind activity.Kind, name string) bool {
	return (s.AnyKind && kind != activity.Credit || s.Kind == kind) && (s.Names == nil || slices.Contains(s.Names, name))
}

// Eval gives the number or text that the activity adds. ok is false where the activity does not match: another kind or name, a where that is not
// true, a value that is missing, of another type, or not a number (NaN, infinite). It fails with ErrRange where the value matches and is
// too large; ok is false then.
func (s *Selector) Eval(in *Input) (v Value, ok bool, err error) {
	if !s.Matches(in.activity.Kind, in.activity.Name) || s.where != nil && !s.where.holds(in) {
		return Value{}, false, nil
	}
	switch s.Fold {
	case Count:
		return Value{N: 1}, true, nil
	case Unique:
		v.S, ok = s.value.uniqueText(in)
		return v, ok, nil
	}
	if s.value == nil {
		return Value{N: s.constant}, true, nil
	}
	f, ok := s.value.numeric(in)
	if !ok {
		return Value{}, false, nil
	}
	if v.N, err = Round(f, s.Decimals); err != nil {
		return Value{}, false, err
	}
	return v, true, nil
}

func (p *program) holds(in *Input) bool {
	if p.bare != nil && p.bare.slot != valueSlot {
		s, ok := in.slot(p.table, p.bare)
		return ok && s.kind == isBoolean && s.boolean
	}
	result, _ := p.run(in).(bool)
	return result
}

func (p *program) numeric(in *Input) (float64, bool) {
	if p.bare == nil {
		f, ok := p.run(in).(float64)
		return f, ok && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	if p.bare.slot == valueSlot {
		return in.number()
	}
	s, ok := in.slot(p.table, p.bare)
	return s.number, ok && s.kind == isNumber
}

func (p *program) uniqueText(in *Input) (string, bool) {
	if p.bare == nil || p.bare.slot == valueSlot {
		return uniqueText(p.run(in))
	}
	s, ok := in.slot(p.table, p.bare)
	switch {
	case !ok:
		return "", false
	case s.kind == isText && len(s.text) <= maxUniqueText:
		return "s:" + string(s.text), true
	}
	return uniqueText(s.box())
}

func uniqueText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		if len(v) > maxUniqueText {
			sum := sha256.Sum256([]byte(v))
			return "h:" + hex.EncodeToString(sum[:]), true
		}
		return "s:" + v, true
	case bool:
		return "b:" + strconv.FormatBool(v), true
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", false
		}
		return "n:" + strconv.FormatFloat(v+0, 'g', -1, 64), true
	}
	return "", false
}

// run gives the result of the machine, or nil where something that is read is missing or of another type, or where the evaluation fails.
func (p *program) run(in *Input) any {
	if in.env == nil {
		in.env = make(map[string]any, 8)
		in.machine.MemoryBudget = exprMemory
	}
	for i := range p.reads {
		want := &p.reads[i]
		if want.slot == valueSlot {
			v, ok := in.number()
			if !ok {
				return nil
			}
			in.env[want.name] = v
			continue
		}
		s, ok := in.slot(p.table, want)
		if !ok {
			return nil
		}
		in.env[want.name] = s.box()
	}
	in.env["name"] = in.activity.Name
	in.env["kind"] = in.activity.Kind.String()
	result, err := in.machine.Run(p.code, in.env)
	if err != nil {
		return nil
	}
	return result
}
