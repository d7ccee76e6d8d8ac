package ingest

import (
	"cmp"
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/grants"
	"laurel/internal/store"
)

const (
	codeField  = "code"
	codeSecret = "grants.codes"
	codeTries  = 64
)

// coded says whose a code is: a document in the partition of the code, written before the grant that has it.
type coded struct {
	User  activity.User `json:"user"`
	Grant string        `json:"grant"`
}

// CodeGroup makes a code a grant's, if it is nobody's, and says where.
func CodeGroup(s *store.Store, org activity.Org, code string, user activity.User, grant string) (store.Partition, store.Group, error) {
	p := s.PartitionOfValue(org, codeField, code)
	content, err := json.Marshal(coded{user, grant}, json.Deterministic(true))
	return p, store.Group{Org: org, Doc: store.ClaimKey(p, org, codeField, code), Content: content}, err
}

func (s *Service) codeKey(org activity.Org, code string) (store.Partition, store.Key) {
	p := s.Store.PartitionOfValue(org, codeField, code)
	return p, store.ClaimKey(p, org, codeField, code)
}

func (s *Service) readCode(ctx context.Context, org activity.Org, code string) (c coded, some bool, err error) {
	_, key := s.codeKey(org, code)
	docs, err := s.Store.Docs(ctx, []store.Key{key})
	if err != nil || docs[0].Version == "" {
		return c, false, err
	}
	if err = json.Unmarshal(docs[0].Content, &c); err != nil {
		err = fmt.Errorf("document %s: %w", key, err)
	}
	return c, err == nil, err
}

// claimCode finds a code that no other grant of the org has. Whoever asks again for the same grant gets the same.
func (s *Service) claimCode(ctx context.Context, of userKey, grant, pattern string) (string, error) {
	secret, err := auth.SharedSecret(ctx, s.Store, codeSecret)
	if err != nil {
		return "", err
	}
	want := coded{of.user, grant}
	for attempt := range codeTries {
		code := grants.Code(secret, pattern, of.org, of.user, grant, attempt)
		if done, err := s.writeCode(ctx, of.org, code, want); done || err != nil {
			return code, err
		}
	}
	return "", fmt.Errorf("%w: no code like %s is left in org %s", ErrConflict, pattern, of.org)
}

// writeCode makes a code a grant's, unless it is another's.
func (s *Service) writeCode(ctx context.Context, org activity.Org, code string, want coded) (done bool, err error) {
	have, some, err := s.readCode(ctx, org, code)
	if some || err != nil {
		return have == want, err
	}
	p, g, err := CodeGroup(s.Store, org, code, want.User, want.Grant)
	if err != nil {
		return false, err
	}
	err = s.step("code", func() error {
		r, err := s.Store.Commit(ctx, p, []store.Group{g})
		done = err == nil && r.Outcomes[0].Status == store.Applied
		return err
	})
	if done || err != nil {
		return done, err
	}
	have, _, err = s.readCode(ctx, org, code) // another node was faster, maybe for the same grant
	return have == want, err
}

// FindGrant is the grant that has a code, and the user who has it. ErrGrantNotFound.
func (s *Service) FindGrant(ctx context.Context, org activity.Org, code string) (activity.User, grants.Grant, error) {
	c, some, err := s.readCode(ctx, org, code)
	if err != nil || !some {
		return "", grants.Grant{}, cmp.Or(err, ErrGrantNotFound)
	}
	user, err := s.last(ctx, org, c.User) // who was merged took the grants along
	if err != nil {
		return "", grants.Grant{}, err
	}
	hash, err := s.Store.Hash(ctx, store.GrantsKey(s.Store.PartitionOf(org, user), org, user))
	if err != nil {
		return "", grants.Grant{}, err
	}
	set, err := grants.ParseSet(hash)
	if err != nil {
		return "", grants.Grant{}, err
	}
	for _, g := range set {
		if g.Code == code && g.Status(s.Clock.Now()) != grants.None {
			return user, g, nil
		}
	}
	return "", grants.Grant{}, ErrGrantNotFound
}
