package auth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
)

// spreading is how long every node has to hear of a new secret before it signs. A token that a node cannot verify yet would be refused for good.
const spreading = 10 * time.Second

// errRotated: another rotation came first, and stands.
var errRotated = errors.New("the secret was rotated by someone else just now")

// Rotation is what Rotate did.
type Rotation struct {
	Secret string           // the name of the new one
	Signs  calendar.Instant // from when on it does
	// Until is when what the older ones signed ends at the latest; 0: it has ended.
	Until calendar.Instant
}

// Rotate makes a new secret that signs tokens. What the older ones signed stays good for grace (MaxTTL: until it ends by itself), counted from when the new one signs; 0: it ends
// at once, and the new one signs at once. The other nodes hear of it as they do of a revoked key. It fails where another rotation came first, and with errors of the store.
func (k *Keys) Rotate(ctx context.Context, grace time.Duration) (Rotation, error) {
	if err := k.Load(ctx); err != nil {
		return Rotation{}, fmt.Errorf("rotate the secret of tokens: %w", err)
	}
	older, now := *k.ring.Load(), k.clock.Now()
	done := Rotation{Secret: ringPrefix + strconv.FormatUint(older[0].number+1, 10), Signs: now}
	fresh := make([]byte, sharedLen)
	_, _ = rand.Read(fresh) // never fails: see its documentation
	text := hex.EncodeToString(fresh)
	set := []string{done.Secret, text}
	if grace > 0 {
		done.Signs += ms(spreading)
		done.Until = done.Signs + ms(grace)
		set = append(set, sincePrefix+done.Secret, itoa(done.Signs))
	}
	var drop []string
	for _, s := range older {
		switch {
		case done.Until == 0, s.until != 0 && s.until <= now:
			drop = append(drop, s.name, sincePrefix+s.name, untilPrefix+s.name)
		case s.until == 0:
			set = append(set, untilPrefix+s.name, itoa(done.Until))
		}
	}
	group := store.Group{AbsentIn: store.SecretsKey(), Absent: []string{done.Secret}, Writes: []store.Op{{Kind: store.OpHSet, Key: store.SecretsKey(), Args: set}}}
	if len(drop) > 0 {
		group.Writes = append(group.Writes, store.Op{Kind: store.OpHDel, Key: store.SecretsKey(), Args: drop})
	}
	group.Org, group.OrgChanged = k.anyOrg()
	if _, err := k.store.Commit(ctx, 0, []store.Group{group}); err != nil {
		return Rotation{}, fmt.Errorf("rotate the secret of tokens: %w", err)
	}
	if stored, err := readSecret(ctx, k.store, done.Secret); err != nil {
		return Rotation{}, err
	} else if hex.EncodeToString(stored) != text {
		return Rotation{}, errRotated
	}
	return done, k.Load(ctx)
}

func ms(d time.Duration) calendar.Instant { return calendar.Instant(d.Milliseconds()) }

func itoa(i calendar.Instant) string { return strconv.FormatInt(int64(i), 10) }

// anyOrg is an org whose change has every node read keys and secrets anew; none where there are no keys, and so no tokens.
func (k *Keys) anyOrg() (org activity.Org, found bool) {
	for _, r := range k.table.Load().records {
		return r.Org, true
	}
	return "", false
}

// GoodSecret says whether tokens that the secret signed are still good, as far as it goes; "" is none, and good.
func (k *Keys) GoodSecret(name string) bool {
	return name == "" || k.ring.Load().find(name, k.clock.Now()) != nil
}

// NewestSecret is the name of the secret that signs tokens, or is about to.
func (k *Keys) NewestSecret() string {
	if r := *k.ring.Load(); len(r) > 0 {
		return r[0].name
	}
	return ""
}
