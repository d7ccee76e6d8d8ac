package transfer

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
)

// maxLine bounds a line: a user's base is the longest.
const maxLine = 256 << 20

// reader takes a dump apart and checks that it is whole.
type reader struct {
	in     *bufio.Reader
	n      int // of the line at hand, from 1
	sum    hash.Hash
	counts Counts
	stage  int // index into order of the line before
	owed   int // activities that the user at hand still has
	ended  bool
}

func newReader(in io.Reader) *reader {
	return &reader{in: bufio.NewReaderSize(in, 1<<20), sum: sha256.New()}
}

// order is which lines may follow each other: none after an earlier one, but that imports and users come org by org.
var order = map[string]int{typeHeader: 0, typeOrg: 1, typeKey: 2, typeImport: 3, typeUser: 3, typeActivity: 3, typeTransfer: 4, typeEnd: 5}

// next gives the next line and its type; io.EOF after the last one. The line is valid until the next call.
func (r *reader) next() (lineType string, line []byte, err error) {
	r.n++
	line, err = r.line()
	if errors.Is(err, io.EOF) && len(line) == 0 && r.ended {
		return "", nil, io.EOF
	}
	var t struct {
		Type string `json:"type"`
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", nil, r.fail(err)
	case r.ended:
		return "", nil, r.fail(fmt.Errorf("%w: something comes after its end", ErrDamaged))
	case err != nil:
		return "", nil, r.fail(fmt.Errorf("%w: it ends here, before its last line", ErrDamaged))
	case json.Unmarshal(line, &t) != nil && r.n > 1:
		return "", nil, r.fail(fmt.Errorf("%w: no JSON object with a type", ErrDamaged))
	}
	if err := r.take(t.Type, line); err != nil {
		return "", nil, r.fail(err)
	}
	return t.Type, line, nil
}

// fail names the line.
func (r *reader) fail(err error) error { return fmt.Errorf("line %d: %w", r.n, err) }

// line reads up to the next line feed.
func (r *reader) line() ([]byte, error) {
	part, err := r.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return part, err
	}
	line := slices.Clone(part)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(line) > maxLine {
			return nil, fmt.Errorf("%w: the line is longer than %d bytes", ErrDamaged, maxLine)
		}
		part, err = r.in.ReadSlice('\n')
		line = append(line, part...)
	}
	return line, err
}

// take checks that a line of the type may come now, and counts it.
func (r *reader) take(lineType string, line []byte) error {
	stage, known := order[lineType]
	switch {
	case r.n == 1:
		return r.begin(line)
	case !known || lineType == typeHeader:
		return fmt.Errorf("%w: a line of type %q", ErrDamaged, lineType)
	case stage < r.stage:
		return fmt.Errorf("%w: a line of type %q comes too late", ErrDamaged, lineType)
	case (lineType == typeActivity) != (r.owed > 0):
		return fmt.Errorf("%w: the user before it has not the activities that it says", ErrDamaged)
	}
	r.stage = stage
	switch lineType {
	case typeUser:
		var u struct {
			Activities int `json:"activities"`
		}
		if err := json.Unmarshal(line, &u); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		r.owed = u.Activities
	case typeActivity:
		r.owed--
	case typeEnd:
		return r.end(line)
	}
	r.counts.add(lineType)
	r.sum.Write(line)
	return nil
}

// begin checks the first line.
func (r *reader) begin(line []byte) error {
	var h struct {
		Type   string `json:"type"`
		Format int    `json:"format"`
	}
	switch err := json.Unmarshal(line, &h); {
	case err != nil || h.Type != typeHeader:
		return ErrFormat
	case h.Format != Format:
		return fmt.Errorf("%w: its format is %d, this version reads %d", ErrFormat, h.Format, Format)
	}
	r.sum.Write(line)
	return nil
}

// end checks the last line.
func (r *reader) end(line []byte) error {
	var e endLine
	if err := decode(line, &e); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if e.Counts != r.counts {
		return fmt.Errorf("%w: it says that it has %+v, but it has %+v", ErrDamaged, e.Counts, r.counts)
	}
	if e.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) {
		return fmt.Errorf("%w: its checksum is of something else", ErrDamaged)
	}
	r.ended = true
	return nil
}

// Check reads a whole dump and says whether Import could: ErrFormat, ErrDamaged, with the line. It does not look at definitions, which only publishing can tell
// to be good.
func Check(in io.Reader) (Counts, error) {
	r := newReader(in)
	for {
		lineType, line, err := r.next()
		if errors.Is(err, io.EOF) {
			return r.counts, nil
		}
		if err == nil {
			if _, err = parseLine(lineType, line); err != nil {
				err = r.fail(err)
			}
		}
		if err != nil {
			return r.counts, err
		}
	}
}

// parseLine reads a line of a known type strictly.
func parseLine(lineType string, line []byte) (parsed any, err error) {
	switch lineType {
	case typeHeader:
		parsed = new(header)
	case typeOrg:
		parsed = new(orgLine)
	case typeKey:
		parsed = new(keyLine)
	case typeImport:
		parsed = new(importLine)
	case typeUser:
		parsed = new(userLine)
	case typeActivity:
		parsed = new(activityLine)
	case typeTransfer:
		parsed = new(transferLine)
	default:
		parsed = new(endLine)
	}
	if err := decode(line, parsed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return parsed, nil
}
