package api

import (
	"bytes"

	"laurel/internal/ingest"
)

// batch is the items of one request.
type batch struct {
	items  []ingest.Item
	single bool // one object, not an array of one
}

// decodeBatch reads the body of a request that brings activities. It keeps nothing of the body. Errors are about the whole body;
// what is wrong with one item stands in the item.
func (a *API) decodeBatch(body []byte, f format) (batch, error) {
	d := a.items.Get().(*itemDecoder)
	defer a.items.Put(d)
	if f == formatNDJSON {
		items, err := d.lines(body)
		return batch{items: items}, err
	}
	switch text := trimSpace(body); {
	case len(text) == 0:
		return batch{}, &fault{code: "bad_json", detail: "The body is empty."}
	case text[0] == '[':
		items, err := d.array(text)
		return batch{items: items}, err
	case text[0] != '{':
		return batch{}, &fault{code: "bad_json", detail: "The body must be an activity or an array of activities."}
	}
	items := make([]ingest.Item, 1)
	items[0].Err = d.decode(body, &items[0].Activity)
	return batch{items: items, single: true}, nil
}

// lines reads one item a line. Empty lines are skipped and not counted.
func (d *itemDecoder) lines(body []byte) ([]ingest.Item, error) {
	items := make([]ingest.Item, 0, min(bytes.Count(body, []byte{'\n'})+1, MaxItems))
	for line := range bytes.SplitSeq(body, []byte{'\n'}) {
		if line = trimSpace(line); len(line) == 0 {
			continue
		}
		if len(items) == MaxItems {
			return nil, tooMany()
		}
		items = append(items, ingest.Item{})
		item := &items[len(items)-1]
		item.Err = d.decode(line, &item.Activity)
	}
	return items, nil
}

// array reads the items of a JSON array. A strictness fault inside an item (a duplicate or unknown name, invalid UTF-8, NaN) is that
// item's; anything else that is not JSON breaks the array.
func (d *itemDecoder) array(text []byte) ([]ingest.Item, error) {
	raws, err := splitArray(text)
	if err != nil {
		return nil, err
	}
	items := make([]ingest.Item, len(raws))
	for i, raw := range raws {
		item := &items[i]
		item.Err = d.decode(raw, &item.Activity)
		if item.Err != nil && !grammatical(withoutNaN(raw)) {
			return nil, &fault{code: "bad_json", field: "[" + itoa(i) + "]", detail: "The array is broken here; nothing was stored."}
		}
	}
	return items, nil
}

// splitArray cuts a JSON array at the commas between its elements. It only follows strings and brackets: the elements may be
// anything, and are for the caller to check.
func splitArray(text []byte) ([][]byte, error) {
	var raws [][]byte
	level, start := 0, 1
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = endOfString(text, i)
		case '{', '[':
			level++
		case '}':
			level--
		case ',', ']':
			if level > 0 {
				if text[i] == ']' {
					level--
				}
				continue
			}
			last := text[i] == ']'
			raw := trimSpace(text[start:i])
			if last && len(raws) == 0 && len(raw) == 0 {
				return nil, afterArray(text[i+1:])
			}
			if len(raws) == MaxItems {
				return nil, tooMany()
			}
			if len(raw) == 0 {
				return nil, brokenArray("An element is missing at byte " + itoa(i) + ".")
			}
			raws = append(raws, raw)
			if last {
				return raws, afterArray(text[i+1:])
			}
			start = i + 1
		}
	}
	return nil, brokenArray("The array does not end.")
}

func afterArray(rest []byte) error {
	if len(trimSpace(rest)) > 0 {
		return brokenArray("More follows after the array.")
	}
	return nil
}

func brokenArray(detail string) error { return &fault{code: "bad_json", detail: detail} }

func tooMany() error {
	return &fault{code: "too_large", detail: "A request may bring 5000 activities."}
}

// withoutNaN puts a zero in the place of every literal that JavaScript and Python write for a number that JSON does not have.
func withoutNaN(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] == '"' {
			end := min(endOfString(raw, i)+1, len(raw))
			out = append(out, raw[i:end]...)
			i = end
			continue
		}
		n := notANumber(raw[i:])
		if n == 0 {
			out = append(out, raw[i])
			i++
			continue
		}
		out = append(out, '0')
		i += n
	}
	return out
}

// notANumber returns the length of the literal at the beginning of s, 0 for none.
func notANumber(s []byte) int {
	for _, literal := range []string{"NaN", "-Infinity", "Infinity"} {
		if bytes.HasPrefix(s, []byte(literal)) {
			return len(literal)
		}
	}
	return 0
}

// trimSpace cuts off JSON's white space, which is less than Unicode's.
func trimSpace(s []byte) []byte { return bytes.Trim(s, " \t\r\n") }
