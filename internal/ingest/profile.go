package ingest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"

	"laurel/internal/activity"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Bounds of what is known of a user.
const (
	MaxAttributes   = 16
	maxProfileText  = 128
	maxPictureBytes = 1024
	cachedProfiles  = 32_768
)

// The fields of a profile's hash.
const (
	fieldName    = "name"
	fieldPicture = "picture"
)

var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// ProfileError says which field of a UserChange cannot be, and why, for the client.
type ProfileError struct{ Field, Detail string }

// Error implements error.
func (e *ProfileError) Error() string { return e.Field + ": " + e.Detail }

// check looks at the change alone. *ProfileError.
func (c *UserChange) check() error {
	if c.Name != nil && !profileText(*c.Name) {
		return &ProfileError{"name", "This must be 1 to 128 bytes of text without control characters."}
	}
	if c.Picture != nil && *c.Picture != "" && !pictureURL(*c.Picture) {
		return &ProfileError{"picture", "This must be an http or https URL of up to 1,024 bytes."}
	}
	for name, value := range c.Attributes {
		if !attributeName.MatchString(name) {
			return &ProfileError{"attributes", "The name of an attribute is 1 to 32 of a-z, 0-9 and _, beginning with a letter."}
		}
		if value != nil && !profileText(*value) {
			return &ProfileError{"attributes." + name, "This must be up to 128 bytes of text without control characters."}
		}
	}
	return nil
}

func profileText(s string) bool {
	return len(s) <= maxProfileText && utf8.ValidString(s) && !slices.ContainsFunc([]rune(s), unicode.IsControl)
}

func pictureURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxPictureBytes && utf8.ValidString(s) && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
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
		return nil, &ProfileError{"attributes", fmt.Sprintf("A user has at most %d attributes.", MaxAttributes)}
	}
	slices.SortFunc(next, func(a, b progress.Attribute) int { return cmp.Compare(a.Name, b.Name) })
	return next, nil
}

// profileWrites are the writes that make the user's profile what the change says, none if it is so already. They are committed with the user's
// state, so that the profile cannot change between this read and the commit.
func (w *writer) profileWrites(ctx context.Context, t *task, c *UserChange) ([]store.Op, error) {
	if c.Name == nil && c.Picture == nil {
		return nil, nil
	}
	key := store.ProfileKey(w.partition, t.key.org, t.key.user)
	have, err := w.Store.Hash(ctx, key)
	if err != nil {
		return nil, err
	}
	set := store.Op{Kind: store.OpHSet, Key: key}
	remove := store.Op{Kind: store.OpHDel, Key: key}
	for _, f := range []struct {
		name  string
		value *string
	}{{fieldName, c.Name}, {fieldPicture, c.Picture}} {
		switch {
		case f.value == nil || *f.value == have[f.name]:
		case *f.value == "":
			remove.Args = append(remove.Args, f.name)
		default:
			set.Args = append(set.Args, f.name, *f.value)
		}
	}
	var writes []store.Op
	for _, op := range []store.Op{set, remove} {
		if len(op.Args) > 0 {
			writes = append(writes, op)
		}
	}
	return writes, nil
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
		out[i] = profile.Profile{Name: h[fieldName], Picture: h[fieldPicture]}
	}
	return out, nil
}
