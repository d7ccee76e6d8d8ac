package verify

import (
	"context"
	"fmt"
	"slices"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// isDirectory says whether the board is the list of users.
func (b *boardCheck) isDirectory() bool { return b.Board.Rule == feed.Everyone }

// directory is the check of the list of the org's users. What ought to stand there follows from profiles, not from states; all else is as with leaderboards.
func (c *orgCheck) directory() {
	b := profile.Directory(c.org)
	place := progress.Place{Rule: b.Rule, Label: b.Label, Cycle: calendar.Cycle{Unit: calendar.All}, Ascending: true}
	c.boards[b] = &boardCheck{Board: b, Place: place, expected: make([]account.Digest, c.Store.Partitions()), missing: map[activity.User]int{}}
}

// readProfile reads the user's hash, and adds to what is expected the row in the list of users.
func (c *orgCheck) readProfile(ctx context.Context, r *reading) error {
	if r.State == nil || r.State.Merged != "" {
		return nil
	}
	var err error
	if r.profile, err = c.Store.Hash(ctx, store.ProfileKey(r.Partition, c.org, r.User)); err != nil {
		return err
	}
	place := c.boards[profile.Directory(c.org)].Place
	place.Standing = progress.Standing{Some: true, Value: profile.Created(r.profile)}
	r.Places = append(r.Places, place)
	return nil
}

// profileFindings compares the user's unique values with their claims.
func (c *orgCheck) profileFindings(ctx context.Context, r *reading) ([]finding, error) {
	if _, err := profile.Parse(r.profile); err != nil {
		d := Difference{Kind: ProfileDamaged, Org: c.org, User: r.User, Expected: "a profile that can be read", Found: err.Error()}
		return []finding{{Difference: d, hopeless: true}}, nil
	}
	return c.claimFindings(ctx, r.User, profile.ValuesOf(r.profile))
}

// claimFindings are the values whose claims do not name the user. One without a claim can be claimed; one that only others are named for cannot be taken from them.
func (c *orgCheck) claimFindings(ctx context.Context, user activity.User, values []profile.Value) (found []finding, err error) {
	for _, v := range values {
		p := c.Store.PartitionOfValue(c.org, v.Field, v.Key)
		docs, err := c.Store.Docs(ctx, []store.Key{store.ClaimKey(p, c.org, v.Field, v.Key)})
		if err != nil {
			return nil, err
		}
		claim := profile.Claim{}
		if docs[0].Version != "" {
			if claim, err = profile.ParseClaim(docs[0].Content); err != nil {
				return nil, fmt.Errorf("document %s: %w", docs[0].Key, err)
			}
		}
		if named := claim.Named(""); !slices.Contains(named, user) {
			f := finding{Difference: Difference{Kind: ClaimWrong, Org: c.org, User: user, Expected: v.Field + " " + v.Key + " is the user's", Found: fmt.Sprintf("it is of %q", named)}}
			if f.claim = &v; docs[0].Version != "" {
				f.claim, f.hopeless = nil, true
			}
			found = append(found, f)
		}
	}
	return found, nil
}

// claim writes a claim that is missing, if it still is.
func (c *orgCheck) claim(ctx context.Context, user activity.User, v profile.Value) error {
	claim := profile.Claim{Owner: user}
	content, err := claim.Content()
	if err != nil {
		return err
	}
	p := c.Store.PartitionOfValue(c.org, v.Field, v.Key)
	_, err = c.Store.Commit(ctx, p, []store.Group{{Org: c.org, Doc: store.ClaimKey(p, c.org, v.Field, v.Key), Content: content}})
	return err
}
