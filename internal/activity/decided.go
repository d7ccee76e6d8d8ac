package activity

import "encoding/binary"

// Decided is what was decided when an activity arrived (docs/REWARDS.md). It is recorded with the activity and never made again, whatever else is rejected or comes late.
type Decided struct {
	Own   Effect // on the user whose activity it is
	Other Effect // on the user that meta.to names, by a gift or the award of a bounty; empty for others
	// Turn is how often the effect on the other was taken back and given again: even, it is in force; odd, it is not. It is of a sender's record and of the credit alike; a credit
	// takes only what has a greater one.
	Turn uint32
	// From is whose activity it was then, by whom the credit is named; "" for the user in whose log it is, who is another one after a merge.
	From User
}

// Effect is what was decided of one user. The zero value is none.
type Effect struct {
	Rows    []Row
	Rewards []string // ids of rewards that are granted
	// Achieved is an achievement by rank that a close completes, and the period: "<achievement>:<label>"; "" for none.
	Achieved string
}

// Row moves points of a wallet, which it names by its id, so that it outlives definitions. Amount is scaled by Decimals, and below 0 for what takes something away. A row whose wallet
// there is not, or has other decimals, moves nothing.
type Row struct {
	Wallet   string
	Decimals uint8
	Type     uint8 // rewards.RowType
	Category uint8 // catalog.Category
	Amount   int64
}

// IsZero says that the effect is none.
func (e *Effect) IsZero() bool { return len(e.Rows) == 0 && len(e.Rewards) == 0 && e.Achieved == "" }

// Parts of an encoded effect.
const (
	effectRows byte = 1 << iota
	effectRewards
	effectAchieved
)

func (d *Decided) append(b []byte) []byte {
	turn := uint64(d.Turn) << 1
	if d.From == "" {
		return binary.AppendUvarint(d.Other.append(d.Own.append(b)), turn)
	}
	return appendString(binary.AppendUvarint(d.Other.append(d.Own.append(b)), turn|decidedFrom), string(d.From))
}

// decidedFrom is a flag beside the turn.
const decidedFrom = 1

func (e *Effect) append(b []byte) []byte {
	var parts byte
	set := func(on bool, part byte) {
		if on {
			parts |= part
		}
	}
	set(len(e.Rows) > 0, effectRows)
	set(len(e.Rewards) > 0, effectRewards)
	set(e.Achieved != "", effectAchieved)
	b = append(b, parts)
	if len(e.Rows) > 0 {
		b = binary.AppendUvarint(b, uint64(len(e.Rows)))
		for i := range e.Rows {
			r := &e.Rows[i]
			b = append(appendString(b, r.Wallet), r.Decimals, r.Type, r.Category)
			b = binary.AppendVarint(b, r.Amount)
		}
	}
	if len(e.Rewards) > 0 {
		b = binary.AppendUvarint(b, uint64(len(e.Rewards)))
		for _, id := range e.Rewards {
			b = appendString(b, id)
		}
	}
	if e.Achieved != "" {
		b = appendString(b, e.Achieved)
	}
	return b
}

func (r *reader) decided() *Decided {
	d := &Decided{Own: r.effect(), Other: r.effect()}
	turn := r.uvarint()
	d.Turn = uint32(turn >> 1)
	r.bad = r.bad || uint64(d.Turn) != turn>>1
	if turn&decidedFrom != 0 {
		d.From = User(r.string())
		r.bad = r.bad || d.From == ""
	}
	return d
}

func (r *reader) effect() (e Effect) {
	parts := r.byte()
	r.bad = r.bad || parts > effectRows|effectRewards|effectAchieved
	if parts&effectRows != 0 {
		e.Rows = make([]Row, r.count())
		for i := range e.Rows {
			e.Rows[i] = Row{Wallet: r.string(), Decimals: r.byte(), Type: r.byte(), Category: r.byte(), Amount: r.varint()}
		}
	}
	if parts&effectRewards != 0 {
		e.Rewards = make([]string, r.count())
		for i := range e.Rewards {
			e.Rewards[i] = r.string()
		}
	}
	if parts&effectAchieved != 0 {
		e.Achieved = r.string()
	}
	return e
}
