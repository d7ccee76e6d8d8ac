package activity

import (
	"encoding/binary"
	"errors"

	"laurel/internal/calendar"
)

// ErrBadTransfer says that bytes are no transfer: damaged, or of a newer format.
var ErrBadTransfer = errors.New("not a transfer")

const transferFormat = 1

// Transfer is an effect on other users that is on its way to them: of a gift or an award of one user, or of a close. Where it arrives it is an activity of kind Credit.
type Transfer struct {
	Org Org
	To  []User // each of whom has all of Effect
	// ID, Name, Meta, At and Imported are those of the credit in the logs of To.
	ID       ID
	Name     string
	Meta     []byte
	At       calendar.Instant
	Imported bool
	// Turn is that of the record that it comes from, as of then: see Decided.
	Turn   uint32
	Effect Effect
}

// Append appends the transfer as the store keeps it.
func (t *Transfer) Append(b []byte) []byte {
	b = appendString(append(b, transferFormat), string(t.Org))
	b = binary.AppendUvarint(b, uint64(len(t.To)))
	for _, u := range t.To {
		b = appendString(b, string(u))
	}
	b = appendString(appendString(appendString(b, string(t.ID)), t.Name), string(t.Meta))
	b = binary.AppendVarint(b, int64(t.At))
	imported := byte(0)
	if t.Imported {
		imported = 1
	}
	return t.Effect.append(binary.AppendUvarint(append(b, imported), uint64(t.Turn)))
}

// ParseTransfer is the inverse of Append. ErrBadTransfer.
func ParseTransfer(body string) (Transfer, error) {
	r := reader{s: body}
	format := r.byte()
	t := Transfer{Org: Org(r.string()), To: make([]User, r.count())}
	for i := range t.To {
		t.To[i] = User(r.string())
	}
	t.ID, t.Name = ID(r.string()), r.string()
	if meta := r.string(); meta != "" {
		t.Meta = []byte(meta)
	}
	t.At = calendar.Instant(r.varint())
	imported, turn := r.byte(), r.uvarint()
	t.Imported, t.Turn = imported == 1, uint32(turn)
	t.Effect = r.effect()
	if r.bad || r.s != "" || format != transferFormat || imported > 1 || uint64(t.Turn) != turn {
		return Transfer{}, ErrBadTransfer
	}
	return t, nil
}

// Credit is the activity in the log of one of To that the transfer is when it arrives: in force, or not where it was taken back already.
func (t *Transfer) Credit(user User) Activity {
	a := Activity{ID: t.ID, User: user, Kind: Credit, Name: t.Name, Meta: t.Meta, At: t.At, Imported: t.Imported, Decided: &Decided{Own: t.Effect}}
	a.Turn(t.Turn)
	return a
}

// Turn brings a credit, or what one comes from, to a turn, and its status with it.
func (a *Activity) Turn(turn uint32) {
	d := *a.Decided
	d.Turn = turn
	a.Decided, a.Status = &d, Accepted
	if turn%2 == 1 {
		a.Status = Rejected
	}
}
