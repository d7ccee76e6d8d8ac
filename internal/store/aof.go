package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/cespare/xxhash/v2"
	"github.com/rs/zerolog"
)

// Names in the data directory.
const (
	fileName    = "appendonly.aof"
	rewriteName = "appendonly.aof.rewrite"
	lockName    = "laurel.lock"
)

// appendFile is the embedded store's file: blocks of MULTI … EXEC, each a whole commit, in the form of Redis's own append-only file. The last command of a block
// sets the field sum of a meta hash to the xxhash64 of the block's bytes before it, in hexadecimal: that is how a changed byte is found. Loading the
// file into a real server leaves the last sums behind, which nothing reads.
type appendFile struct {
	dir    string
	policy FsyncPolicy
	lock   *os.File
	f      *os.File
	size   int64
	base   int64       // size after the last rewrite
	dirty  atomic.Bool // written since the last fsync
}

// openAppendFile locks the directory, gives every whole block of the file to replay, and cuts off a torn end.
func openAppendFile(dir string, policy FsyncPolicy, log zerolog.Logger, replay func([][]string) error) (*appendFile, error) {
	if policy == "" {
		policy = FsyncAlways
	}
	if policy != FsyncAlways && policy != FsyncEverySec && policy != FsyncNo {
		return nil, fmt.Errorf("fsync %q is none of always, everysec, no", policy)
	}
	if dir == "" {
		dir = "."
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	a := &appendFile{dir: dir, policy: policy}
	if err := a.open(log, replay); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (a *appendFile) open(log zerolog.Logger, replay func([][]string) error) (err error) {
	if a.lock, err = lockDir(a.dir); err != nil {
		return err
	}
	// A rewrite that did not end: the old file is the whole truth.
	if err := os.Remove(filepath.Join(a.dir, rewriteName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	path := filepath.Join(a.dir, fileName)
	if a.f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640); err != nil {
		return err
	}
	end, err := readBlocks(a.f, replay)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	info, err := a.f.Stat()
	if err != nil {
		return err
	}
	if torn := info.Size() - end; torn > 0 {
		log.Warn().Str("file", path).Int64("offset", end).Int64("bytes", torn).
			Msg("the file ends within a commit that was never acknowledged as stored; cut it off")
		if err := a.f.Truncate(end); err != nil {
			return err
		}
	}
	a.size, a.base = end, end
	// The cut and the file's name must last before anything is added.
	return errors.Join(a.f.Sync(), syncDir(a.dir))
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("data directory %s is %w", dir, ErrInUse)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// append adds blocks, and forces them to disk if that is the policy. After an error the file may hold part of them: nothing may be added any more.
func (a *appendFile) append(blocks []byte) error {
	n, err := a.f.Write(blocks)
	a.size += int64(n)
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if a.policy != FsyncAlways {
		a.dirty.Store(true)
		return nil
	}
	if err := a.f.Sync(); err != nil {
		return fmt.Errorf("fsync: %w", err)
	}
	return nil
}

// sync forces f, the file as it was lately, to disk if anything was written.
func (a *appendFile) sync(f *os.File) error {
	if !a.dirty.Swap(false) {
		return nil
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("fsync: %w", err)
	}
	return nil
}

func (a *appendFile) level() Durability {
	switch a.policy {
	case FsyncAlways:
		return Fsync
	case FsyncEverySec:
		return EverySec
	default:
		return Memory
	}
}

// close releases file and lock. It forces the file to disk, unless there is no file.
func (a *appendFile) close() error {
	var err error
	if a.f != nil {
		err = errors.Join(a.sync(a.f), a.f.Close())
	}
	if a.lock != nil {
		// Closing alone would leave the lock to a process that is being started and has not let go of this one's files yet.
		err = errors.Join(err, syscall.Flock(int(a.lock.Fd()), syscall.LOCK_UN), a.lock.Close())
	}
	return err
}

// appendBlock encodes commands as one block.
func appendBlock(b []byte, commands [][]string) []byte {
	from := len(b)
	b = appendCommand(b, "MULTI")
	for _, words := range commands {
		b = appendCommand(b, words...)
	}
	b = appendCommand(b, "HSET", string(MetaKey(0)), metaSum, sumOf(b[from:]))
	return appendCommand(b, "EXEC")
}

func sumOf(b []byte) string { return fmt.Sprintf("%016x", xxhash.Sum64(b)) }

// readBlocks gives the commands of every whole block to apply, and says where the last one ends. What follows is a torn end: the beginning of a block, and
// maybe zero bytes, which file systems leave where a write did not get through. Anything else there is an error that names the offset.
func readBlocks(r io.ReadSeeker, apply func([][]string) error) (end int64, err error) {
	reader := newCommandReader(r)
	b := blockReader{sum: xxhash.New()}
	for {
		at := reader.offset
		words, err := reader.next()
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errMalformed):
			torn, readErr := isTorn(r, end, errors.Is(err, errMalformed))
			if readErr == nil && !torn {
				readErr = corrupt(at, end, err)
			}
			return end, readErr
		case err != nil:
			return end, err
		}
		whole, err := b.add(words)
		if err != nil {
			return end, corrupt(at, end, err)
		}
		if whole {
			if err := apply(b.commands); err != nil {
				return end, corrupt(end, end, err)
			}
			end = reader.offset
			b.reset()
		}
	}
}

func corrupt(at, end int64, err error) error {
	return fmt.Errorf("corrupt at offset %d (the last good commit ends at %d): %w; restore a copy, or cut the file there and lose what follows", at, end, err)
}

// Marks of a torn end.
const (
	blockEnd = "*1\r\n$4\r\nEXEC\r\n"
	sector   = 512 // zero bytes that a file system left are at least so many
)

// isTorn says whether what follows the last whole block is the beginning of one that was never whole: it has no EXEC, and simply
// stops or turns to zeros. With an EXEC in it, it is a block with a fault (a broken length can reach beyond the end of the file).
func isTorn(r io.ReadSeeker, from int64, malformed bool) (bool, error) {
	if _, err := r.Seek(from, io.SeekStart); err != nil {
		return false, err
	}
	page := make([]byte, 64<<10)
	kept, zeros := 0, 0 // bytes of the page before, in which an EXEC may begin; length of the run of zeros
	for {
		n, err := r.Read(page[kept:])
		fresh, seen := page[kept:kept+n], page[:kept+n]
		if bytes.Contains(seen, []byte(blockEnd)) {
			return false, nil
		}
		if rest := bytes.TrimRight(fresh, "\x00"); len(rest) > 0 {
			zeros = 0
			fresh = fresh[len(rest):]
		}
		zeros += len(fresh)
		kept = copy(page, seen[max(0, len(seen)-len(blockEnd)):])
		if errors.Is(err, io.EOF) {
			return !malformed || zeros >= sector, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// errBlock says that a block of the file is not what this package writes.
var errBlock = fmt.Errorf("%w in a block", errMalformed)

// blockReader collects the commands of one block.
type blockReader struct {
	commands [][]string
	open     bool // after MULTI
	summed   bool // after the sum: only EXEC may come
	sum      *xxhash.Digest
	scratch  []byte
}

func (b *blockReader) reset() { b.commands, b.open, b.summed = nil, false, false }

// add takes the next command, and says whether the block is whole.
func (b *blockReader) add(words []string) (whole bool, err error) {
	switch {
	case !b.open:
		if len(words) != 1 || words[0] != "MULTI" {
			return false, fmt.Errorf("%w: %q outside of MULTI … EXEC", errBlock, words[0])
		}
		b.open = true
		b.sum.Reset()
	case b.summed:
		if len(words) != 1 || words[0] != "EXEC" {
			return false, fmt.Errorf("%w: %q between sum and EXEC", errBlock, words[0])
		}
		return true, nil
	case len(words) == 4 && words[0] == "HSET" && words[2] == metaSum && words[1] == string(MetaKey(0)):
		if want := fmt.Sprintf("%016x", b.sum.Sum64()); words[3] != want {
			return false, fmt.Errorf("%w: its sum is %s, not %s", errBlock, want, strconv.Quote(words[3]))
		}
		b.summed = true
		return false, nil
	default:
		if !known(words) {
			return false, fmt.Errorf("%w: unknown command %q", errBlock, words[0])
		}
		b.commands = append(b.commands, words)
	}
	b.scratch = appendCommand(b.scratch[:0], words...)
	_, err = b.sum.Write(b.scratch)
	return false, err
}

// known says whether a command is one that this package writes.
func known(words []string) bool {
	switch words[0] {
	case "DEL":
		return len(words) == 2
	case "SET", "MSET", "HSET", "HDEL", "ZADD", "ZREM", "XDEL":
		return len(words) >= 3
	case "XADD":
		return len(words) >= 5
	default:
		return false
	}
}
