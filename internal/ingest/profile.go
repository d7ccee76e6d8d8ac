package ingest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Bounds of what is known of a user.
const (
	MaxAttributes  = 16
	maxAttribute   = 128
	cachedProfiles = 32_768
)

var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// ProfileError says which field of a UserChange cannot be, and why, for the client.
type ProfileError = profile.FieldError

// checked is the change with its profile in the form in which that is kept. It looks at the change alone. *ProfileError.
func (c *UserChange) checked(types map[string]catalog.MetaType) (*UserChange, error) {
	next := *c
	next.Profile.Texts = maps.Clone(c.Profile.Texts)
	for field, text := range map[string]*string{profile.Name: c.Name, profile.Picture: c.Picture} {
		if text != nil && next.Profile.Texts == nil {
			next.Profile.Texts = map[string]string{}
		}
		if text != nil {
			next.Profile.Texts[field] = *text
		}
	}
	if err := next.Profile.Check(types); err != nil {
		return nil, err
	}
	for name, value := range c.Attributes {
		if !attributeName.MatchString(name) {
			return nil, &ProfileError{Field: "attributes", Detail: "The name of an attribute is 1 to 32 of a-z, 0-9 and _, beginning with a letter."}
		}
		if value != nil && !attributeText(*value) {
			return nil, &ProfileError{Field: "attributes." + name, Detail: "This must be up to 128 bytes of text without control characters."}
		}
	}
	return &next, nil
}

func attributeText(s string) bool {
	return len(s) <= maxAttribute && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// attributes are the user's attributes after the change, in order of name. *ProfileError where they are too many.
func (c *UserChange) attributes(have []progress.Attribute) ([]progress.Attribute, error) {
	if len(c.Attributes) == 0 && !c.ReplaceAttributes {
		return have, nil
	}
	var next []progress.Attribute
	for _, a := range have {
		if _, named := c.Attributes[a.Name]; !named && !c.ReplaceAttributes {
			next = append(next, a)
		}
	}
	for name, value := range c.Attributes {
		if value != nil {
			next = append(next, progress.Attribute{Name: name, Value: *value})
		}
	}
	if len(next) > MaxAttributes {
		return nil, &ProfileError{Field: "attributes", Detail: fmt.Sprintf("A user has at most %d attributes.", MaxAttributes)}
	}
	slices.SortFunc(next, func(a, b progress.Attribute) int { return cmp.Compare(a.Name, b.Name) })
	return next, nil
}

// profileOf reads the task's user's hash.
func (w *writer) profileOf(ctx context.Context, t *task) (map[string]string, error) {
	return w.Store.Hash(ctx, store.ProfileKey(w.partition, t.key.org, t.key.user))
}

// profileWrites are the writes that make a hash another one, none if it is so already. They are committed with the user's state, so that the profile
// cannot change between the read and the commit.
func (w *writer) profileWrites(t *task, have, next map[string]string) (writes []store.Op) {
	key := store.ProfileKey(w.partition, t.key.org, t.key.user)
	set, remove := store.Op{Kind: store.OpHSet, Key: key}, store.Op{Kind: store.OpHDel, Key: key}
	for _, field := range slices.Sorted(maps.Keys(next)) {
		if text, had := have[field]; !had || text != next[field] {
			set.Args = append(set.Args, field, next[field])
		}
	}
	for _, field := range slices.Sorted(maps.Keys(have)) {
		if _, stays := next[field]; !stays {
			remove.Args = append(remove.Args, field)
		}
	}
	for _, op := range []store.Op{set, remove} {
		if len(op.Args) > 0 {
			writes = append(writes, op)
		}
	}
	return writes
}

// noteCreation writes down that a user came whom the attempt makes, and when.
func (w *writer) noteCreation(t *task) {
	if t.version == "" && t.attempt.commits {
		g, now := &t.attempt.group, int64(w.Clock.Now())
		g.Writes = append(g.Writes, store.Op{Kind: store.OpHSet, Key: store.ProfileKey(w.partition, t.key.org, t.key.user),
			Args: []string{profile.CreatedAt, strconv.FormatInt(now, 10)}})
		g.Boards = append(g.Boards, Listing(t.key.org, t.key.user, now))
	}
}

// Profile reads all that is known of a user beside numbers; the zero Record also for one who is not there.
func (s *Service) Profile(ctx context.Context, org activity.Org, user activity.User) (profile.Record, error) {
	hash, err := s.profileHash(ctx, org, user)
	if err != nil {
		return profile.Record{}, err
	}
	return profile.Parse(hash)
}

// Profiles returns what is shown of users, in their order; the zero Profile also for one who is not there. It answers from memory, which follows the
// changes, and reads the others together.
func (s *Service) Profiles(ctx context.Context, org activity.Org, users []activity.User) ([]profile.Profile, error) {
	return s.profiles.Get(ctx, org, users)
}

// ProfileRevision moves whenever Profiles may answer otherwise.
func (s *Service) ProfileRevision() uint64 { return s.profiles.Revision() }

func (s *Service) readProfiles(ctx context.Context, org activity.Org, users []activity.User) ([]profile.Profile, error) {
	keys := make([]store.Key, len(users))
	for i, u := range users {
		keys[i] = store.ProfileKey(s.Store.PartitionOf(org, u), org, u)
	}
	hashes, err := s.Store.Hashes(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]profile.Profile, len(hashes))
	for i, h := range hashes {
		out[i] = profile.Profile{Name: h[profile.Name], Picture: h[profile.Picture]}
	}
	return out, nil
}
