package ws

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// verdict says how a connection that has said hello must end when a client sends it these bytes and nothing more, by RFC 6455 and docs/PROTOCOL.md. It shares no
// code with what it judges. Whoever is not refused is waited for in vain: it answers no ping.
func verdict(b []byte, most int) CloseCode {
	const protocolError CloseCode = websocket.CloseProtocolError
	var message []byte
	var kind byte // of the message that is under way, 0: none
	for len(b) >= 2 {
		fin, reserved, opcode, masked, length := b[0]&0x80 != 0, b[0]&0x70, b[0]&0x0f, b[1]&0x80 != 0, uint64(b[1]&0x7f)
		control, start := opcode >= 8, opcode == 1 || opcode == 2
		switch {
		case reserved != 0, !masked, opcode > 2 && opcode < 8, opcode > 10, // sections 5.2, 5.1
			control && (!fin || length > 125),            // section 5.5
			start && kind != 0, opcode == 0 && kind == 0: // section 5.4
			return protocolError
		}
		b = b[2:]
		extra := map[uint64]int{126: 2, 127: 8}[length]
		if len(b) < extra+4 && (extra < 8 || len(b) < 8) {
			break
		}
		switch extra {
		case 2:
			length = uint64(binary.BigEndian.Uint16(b))
		case 8:
			length = binary.BigEndian.Uint64(b)
		}
		if length >= 1<<63 {
			return CloseLimit
		}
		if len(b) < extra+4 {
			break
		}
		mask := b[extra : extra+4]
		b = b[extra+4:]
		whole := length <= uint64(len(b))
		payload := bytes.Clone(b[:min(length, uint64(len(b)))])
		for i := range payload {
			payload[i] ^= mask[i%4]
		}
		b = b[len(payload):]
		switch {
		case control && !whole:
			return CloseNoPong
		case opcode == 8:
			return verdictOnClose(payload)
		case control:
			continue
		case start:
			kind, message = opcode, nil
		}
		if uint64(len(message))+length >= 1<<63 {
			return CloseLimit
		}
		message = append(message, payload...)
		tooLong := len(message) > most
		switch {
		case !tooLong && !whole:
			return CloseNoPong
		case !tooLong && !fin:
			continue
		case kind == 2:
			return CloseUnsupported
		case tooLong:
			return CloseLimit
		case !utf8.Valid(message): // section 8.1
			return closeNoText
		}
		kind = 0
	}
	return CloseNoPong
}

// verdictOnClose: a close frame is answered, unless it is none (sections 5.5.1, 7.4).
func verdictOnClose(payload []byte) CloseCode {
	if len(payload) < 2 {
		return closeByClient
	}
	code := int(binary.BigEndian.Uint16(payload))
	valid := code >= 1000 && code <= 1013 && code != 1004 && code != 1005 && code != 1006 || code >= 3000 && code < 5000
	if !valid || !utf8.Valid(payload[2:]) {
		return websocket.CloseProtocolError
	}
	return closeByClient
}

// hostile sends bytes on one connection, and says what is not as it must be: how that ends, or what a neighbour sees meanwhile.
func hostile(t *testing.T, b []byte) error {
	f := newFixture(t, func(o *Options) {
		o.Tick, o.Limits.MessageBurst, o.Limits.MessageBytes = 500*time.Millisecond, 1<<20, 4<<10
	})
	stop := f.run()
	defer stop()
	neighbour := pipeDial(t, f.hub)
	messages, end := listen(t, neighbour, `{"type":"pong"}`)
	defer func() { _ = neighbour.Close(); _ = end() }()
	say(t, neighbour, `{"type":"hello","token":"secret"}`)
	say(t, neighbour, `{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round","limit":3}}`)

	ws := pipeDial(t, f.hub)
	_, ended := listen(t, ws, "")
	say(t, ws, `{"type":"hello","token":"secret"}`)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = ws.NetConn().Write(b) // an error: the server has closed already
	}()
	var held shown
	seen := 0
	for n := range int64(45) { // seconds: until a ping was not answered
		f.hub.Wake(f.source.set("ordinal", []activity.User{"ann", "bob"}[n%2], n))
		pass(time.Second)
		all := messages()
		for _, raw := range all[seen:] {
			m := decodeLoose(t, []byte(raw))
			if err := held.apply(&m); err != nil {
				return fmt.Errorf("the neighbour: %w by %s", err, raw)
			}
		}
		seen = len(all)
		frame, err := f.source.Render(context.Background(), "o", query.View{Kind: query.ViewTop, Rule: "ordinal", Period: "round", Limit: 3}, nil)
		if err != nil {
			return err
		}
		if got, want := held.text(), textOf(frame); got != want {
			return fmt.Errorf("the neighbour holds\n%s\na read answers\n%s", got, want)
		}
	}
	_ = ws.Close()
	<-sent
	synctest.Wait()
	want := verdict(b, 4<<10)
	var closed *websocket.CloseError
	if err := ended(); !errors.As(err, &closed) || CloseCode(closed.Code) != want {
		return fmt.Errorf("ended by %v, want %d", err, want)
	}
	return nil
}

// rawFrame is a frame as a client sends it, with any bits.
func rawFrame(first byte, masked bool, length int, payload []byte) []byte {
	bit := byte(0)
	if masked {
		bit = 0x80
	}
	var b []byte
	switch {
	case length < 0: // 2^63 and more
		b = binary.BigEndian.AppendUint64([]byte{first, bit | 127}, uint64(length))
	case length < 126:
		b = []byte{first, bit | byte(length)}
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16([]byte{first, bit | 126}, uint16(length))
	default:
		b = binary.BigEndian.AppendUint64([]byte{first, bit | 127}, uint64(length))
	}
	if !masked {
		return append(b, payload...)
	}
	mask := []byte{1, 2, 3, 4}
	b = append(b, mask...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

var hostileTexts = []string{
	`{"type":"pong"}`, `{"type":5}`, `{"type":"subscribe","id":[],"view":7}`, `{"type":"subscribe","id":"x","view":{"kind":"top","rule":{},"period":"round"}}`,
	`{"type":"subscribe","id":"x","view":{"kind":"top","rule":"ordinal","period":"round"}}`, `[{"type":"pong"},{"type":"pong"}]`, `{"type":"unsubscribe","id":"a"}`,
	`{"type":"hello","token":"x"}`, `[[[[`, `{"type":"pong"`, ``, "\x00", "\xff\xfe", `{"type":"` + "\xc3" + `"}`, `{"type":"pong","at":"` + strings.Repeat("x", 5000) + `"}`,
	strings.Repeat(`[`, 4000), strings.Repeat(`{"a":`, 800), `{"type":"pong","type":"pong"}`, `"` + strings.Repeat("é", 2500) + `"`,
}

func drawHostile(t *rapid.T) []byte {
	frame := rapid.Custom(func(t *rapid.T) []byte {
		payload := []byte(rapid.SampledFrom(hostileTexts).Draw(t, "payload"))
		switch rapid.SampledFrom([]string{"text", "text", "text", "fragments", "fragments", "ping", "pong", "close", "binary", "stray", "bits", "length", "raw"}).Draw(t, "frame") {
		case "text":
			return rawFrame(0x81, true, len(payload), payload)
		case "fragments":
			cut := rapid.IntRange(0, len(payload)).Draw(t, "cut")
			b := rawFrame(0x01, true, cut, payload[:cut])
			if rapid.Bool().Draw(t, "ping between") {
				b = append(b, rawFrame(0x89, true, 2, []byte("hi"))...)
			}
			return append(b, rawFrame(0x80, true, len(payload)-cut, payload[cut:])...)
		case "ping":
			return rawFrame(0x89, true, min(len(payload), 126), payload[:min(len(payload), 126)])
		case "pong":
			return rawFrame(0x8a, true, 0, nil)
		case "close":
			code := rapid.SampledFrom([]string{"", "\x03\xe8", "\x03\xe8bye", "\x03\xed", "\x13\x88", "\x0f\xa3gap", "\x03\xe8\xff", "\x00\x00"}).Draw(t, "code")
			return rawFrame(0x88, true, len(code), []byte(code))
		case "binary":
			return rawFrame(0x82, true, len(payload), payload)
		case "stray":
			return rawFrame(rapid.SampledFrom([]byte{0x00, 0x80, 0x01}).Draw(t, "first"), true, len(payload), payload)
		case "bits":
			return rawFrame(rapid.Byte().Draw(t, "first"), rapid.Bool().Draw(t, "masked"), len(payload), payload)
		case "length":
			length := rapid.SampledFrom([]int{len(payload) + 1, 5000, 1 << 20, 1<<63 - 1, -1 << 63, -1}).Draw(t, "length")
			return rawFrame(rapid.SampledFrom([]byte{0x81, 0x82, 0x01, 0x80}).Draw(t, "first"), true, length, payload)
		}
		return rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "bytes")
	})
	b := bytes.Join(rapid.SliceOfN(frame, 1, 5).Draw(t, "frames"), nil)
	return b[:len(b)-rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "truncated")%(len(b)+1)]
}

// TestHostile: whatever one connection sends, it ends as it must and a neighbour sees what it would have seen.
func TestHostile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := drawHostile(rt)
		var fault error
		synctest.Test(t, func(t *testing.T) { fault = hostile(t, b) })
		if fault != nil {
			rt.Fatalf("% x: %v", b[:min(len(b), 64)], fault)
		}
	})
}

func FuzzHostile(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(rawFrame(0x81, true, len(text), []byte(text)))
	}
	f.Add(rawFrame(0xc1, true, 2, []byte("{}")))
	f.Add(rawFrame(0x09, true, 2, []byte("hi")))
	f.Add(rawFrame(0x81, true, -1, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var fault error
		synctest.Test(t, func(t *testing.T) { fault = hostile(t, b) })
		if fault != nil {
			t.Fatal(fault)
		}
	})
}
