package progress

import (
	"errors"

	"laurel/internal/activity"
)

// Why a record that was decided is neither rejected nor restored.
var (
	// ErrCredit: it is what another user, or a close, gave. What it comes from is rejected instead.
	ErrCredit = errors.New("credit goes with what it comes from")
	// ErrRefunded: a refund of it counts, which is to be rejected first.
	ErrRefunded = errors.New("activity was refunded")
	// ErrBountyEnded: the bounty was cancelled or awarded, which is to be rejected first; or restored, when it has been ended otherwise since.
	ErrBountyEnded = errors.New("bounty was ended")
	// ErrNotRefundable: what a refund was of does not count any more, is sealed, or was refunded otherwise since.
	ErrNotRefundable = errors.New("nothing is left to be refunded")
)

// CheckReject says whether the i-th record may be taken back: what rests on it must have been taken back before. ErrCredit, ErrRefunded, ErrBountyEnded. s is the user's state, and all
// of the log are records.
func (s *State) CheckReject(records []activity.Activity, i int) error {
	r := &records[i]
	if r.Kind == activity.Credit {
		return ErrCredit
	}
	m, decided := decidedMeta(r)
	switch {
	case !decided || !r.Counts():
	case m.Action == Redeem && len(Refunded(records, r)) > 0:
		return ErrRefunded
	case m.Action == Start && s.Earnings.openBounty(r.ID) == nil:
		return ErrBountyEnded
	}
	return nil
}

// CheckRestore says whether the i-th record, which was taken back, may be brought back: what it rests on must be there. ErrCredit, ErrNotRefundable, ErrBountyEnded.
func (s *State) CheckRestore(records []activity.Activity, i int) error {
	r := &records[i]
	if r.Kind == activity.Credit {
		return ErrCredit
	}
	m, decided := decidedMeta(r)
	switch {
	case !decided || r.Status != activity.Rejected || r.WasIgnored:
	case m.Action == Refund && !restorable(records, r, m.Of):
		return ErrNotRefundable
	case (m.Action == Cancel || m.Action == Award) && s.Earnings.openBounty(m.Of) == nil:
		return ErrBountyEnded
	}
	return nil
}

// restorable says whether what a refund was of counts, and has enough left.
func restorable(records []activity.Activity, refund *activity.Activity, of activity.ID) bool {
	for i := range records {
		debit := &records[i]
		if debit.ID != of || !debit.Counts() || debit.Decided == nil {
			continue
		}
		var sum int64
		for _, row := range append(Refunded(records, debit), refund.Decided.Own.Rows...) {
			sum += row.Amount
		}
		for _, row := range debit.Decided.Own.Rows {
			sum += row.Amount
		}
		return sum <= 0
	}
	return false
}

// Refunded is what the refunds among records that count gave of a debit.
func Refunded(records []activity.Activity, debit *activity.Activity) (rows []activity.Row) {
	for i := range records {
		r := &records[i]
		if r.Kind != debit.Kind || !r.Counts() {
			continue
		}
		if m, decided := decidedMeta(r); decided && m.Action == Refund && m.Of == debit.ID {
			rows = append(rows, r.Decided.Own.Rows...)
		}
	}
	return rows
}

// decidedMeta reads the meta of a record that was decided.
func decidedMeta(r *activity.Activity) (m Meta, decided bool) {
	if r.Decided == nil || r.Kind == activity.Behaviour || r.Kind == activity.Credit {
		return m, false
	}
	m, err := ReadMeta(r)
	return m, err == nil
}
