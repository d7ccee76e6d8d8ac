package progress

import "errors"

// ErrNeedLog says that the state alone does not tell how an activity is to be decided: it was made under other definitions, or what lies around the activity has been summed up. Decide
// on what Rebuild makes of the log.
var ErrNeedLog = errors.New("state alone does not tell: decide on what the log comes to")

// Codes of refusals (docs/REWARDS.md); out_of_stock is the shell's, who knows the stock.
const (
	RefusedBadRequest     = "bad_request"
	RefusedRange          = "value_out_of_range"
	RefusedWallet         = "unknown_wallet"
	RefusedReward         = "unknown_reward"
	RefusedGift           = "unknown_gift"
	RefusedBounty         = "unknown_bounty"
	RefusedBountyNotFound = "bounty_not_found"
	RefusedTooMany        = "too_many_bounties"
	RefusedPoints         = "insufficient_points"
	RefusedRefund         = "not_refundable"
	RefusedUsed           = "coupon_used"
	RefusedSelf           = "gift_to_self"
	RefusedUser           = "user_not_found"
)

// Refusal says why an activity is refused: Code is one of the Refused… words, Field where the fault is, "" for none, Detail a sentence for people.
type Refusal struct{ Code, Field, Detail string }

// Error implements error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Detail }
