package query

import (
	"encoding/binary"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// Held says whether the client has the answer of a tag already; nil: it has none.
type Held func(tag string) bool

// Freshness is what an answer of a board can be recognised by before any row is read. Answers with equal tags show the same rows; as_of and
// revision, which move with every change of any board, may differ: to HTTP the tag is a weak one. Of an answer that the client holds, Unchanged is
// true and there is nothing else.
//
// The tag covers the revisions of the two boards that are shown (a board's revision begins anywhere and grows, so that no two loads of it, on
// whatever node, have one in common), what the catalog and now make of them, and the request.
type Freshness struct {
	Tag       string
	Unchanged bool
}

// Fresh is the freshness itself, for those who handle answers of several kinds.
func (f *Freshness) Fresh() *Freshness { return f }

func freshness(tag string, held Held) Freshness {
	return Freshness{Tag: tag, Unchanged: held != nil && held(tag)}
}

// tag is taken before the rows are read: they may be newer than it says, never older.
func (t *boards) tag(request ...string) string {
	b := make([]byte, 0, 256)
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	name := t.target.board()
	text(string(name.Org))
	text(name.Rule)
	text(t.label)
	if t.span.Bounded {
		b = binary.LittleEndian.AppendUint64(b, uint64(t.span.Start))
		b = binary.LittleEndian.AppendUint64(b, uint64(t.span.End))
	}
	b = strconv.AppendBool(b, t.closed(t.now))
	b = append(b, byte(t.order()), byte(t.ties), byte(t.decimals))
	b = strconv.AppendBool(b, t.pending)
	b = binary.LittleEndian.AppendUint64(b, t.profiles)
	b = binary.LittleEndian.AppendUint64(b, t.board.Revision())
	if t.prev != nil {
		text(t.before.label)
		b = binary.LittleEndian.AppendUint64(b, t.prev.Revision())
	}
	for _, part := range request {
		text(part)
	}
	return strconv.FormatUint(xxhash.Sum64(b), 36)
}
