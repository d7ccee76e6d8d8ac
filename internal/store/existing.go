package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNothingStored says that no server has used the store yet.
var ErrNothingStored = errors.New("nothing is stored there yet")

// ErrInUse says that another process has the data directory open: an embedded store belongs to one process at a time.
var ErrInUse = errors.New("in use by another process")

// exists says before anything is made whether an embedded store has been used.
func (o *Options) exists() error {
	if o.URL != "" {
		return nil
	}
	_, err := os.Stat(filepath.Join(o.DataDir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open store: %s: %w", o.DataDir, ErrNothingStored)
	}
	return err
}

// mustExist is the same for any store that is open but not entered.
func (s *Store) mustExist(ctx context.Context) error {
	stored, err := s.Hash(ctx, MetaKey(0))
	if err == nil && stored[metaEpoch] == "" {
		err = ErrNothingStored
	}
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	return nil
}
