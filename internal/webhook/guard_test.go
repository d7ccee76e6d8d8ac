package webhook

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"laurel/internal/catalog"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "100.63.255.255": true, "172.15.0.1": true, "172.32.0.1": true, "2606:4700::1111": true, "2a00::1": true, "::ffff:8.8.8.8": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "127.0.0.1": false, "127.255.255.254": false, "169.254.169.254": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.0.0.8": false, "192.168.1.1": false, "198.18.0.1": false, "224.0.0.1": false, "239.1.1.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:0.0.0.0": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "fc00::1": false, "fd00::1": false,
		"fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false,
	} {
		if got := public(netip.MustParseAddr(text), reserved()); got != want {
			t.Errorf("%s: public %t", text, got)
		}
	}
}

// nameServer answers each question for an A record with the next of its addresses.
type nameServer struct {
	t     *testing.T
	asked atomic.Int32
	give  []netip.Addr
}

// resolver asks the server over pipes.
func (n *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go n.serve(far)
		return near, nil
	}}
}

// serve speaks DNS as over TCP, which a connection that is no packet connection is taken for: two bytes of length before each message.
func (n *nameServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var size [2]byte
		if _, err := readFull(c, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := readFull(c, q); err != nil {
			return
		}
		end := 12
		for q[end] != 0 {
			end += int(q[end]) + 1
		}
		question := q[12 : end+5]
		reply := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
		if binary.BigEndian.Uint16(q[end+1:]) == 1 { // A
			a := n.give[min(int(n.asked.Add(1))-1, len(n.give)-1)].As4()
			reply[7] = 1
			reply = append(append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), a[:]...)
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func readFull(c net.Conn, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = c.Read(b[n:])
		n += m
	}
	return n, err
}

// TestGuard_ChecksWhatIsDialled: whatever a URL or a name server says, nothing is sent to this machine; with AllowPrivate it is.
func TestGuard_ChecksWhatIsDialled(t *testing.T) {
	var mu sync.Mutex
	got := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { mu.Lock(); got++; mu.Unlock() }))
	defer receiver.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(receiver.URL, "http://"), ":")
	here := netip.MustParseAddr("127.0.0.1")
	try := func(host string, allow bool, answers ...netip.Addr) answer {
		t.Helper()
		n := &nameServer{t: t, give: answers}
		s := New(Options{AllowPrivate: allow, Resolver: n.resolver(), Timeout: 2 * time.Second})
		defer s.client.CloseIdleConnections()
		u, err := url.Parse("http://" + host + ":" + port + "/")
		if err != nil {
			t.Fatal(err)
		}
		return s.send(t.Context(), &catalog.Webhook{ID: "w", URL: u}, []string{oneSecret}, message{"m", []byte("{}")})
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "[::ffff:7f00:1]"} {
		if a := try(host, false, here); a.ok || a.status != 0 {
			t.Errorf("%s: %+v", host, a)
		}
	}
	if a := try("rebinds.example", false, here); a.detail != errNotPublic.Error() {
		t.Errorf("a name that leads here: %+v", a)
	}
	// A guard that resolved first and dialled the name after would be told a public address, and then this machine's.
	if a := try("rebinds.example", false, netip.MustParseAddr("192.0.2.1"), here); a.ok || a.status != 0 {
		t.Errorf("a name that leads elsewhere each time: %+v", a)
	}
	if got != 0 {
		t.Errorf("%d requests arrived", got)
	}
	if a := try("rebinds.example", true, here); !a.ok || got != 1 {
		t.Errorf("allowed: %+v", a)
	}
	if err := guard(t.Context(), "tcp", "nonsense", nil); !errors.Is(err, errNotPublic) {
		t.Errorf("an address that is none: %v", err)
	}
}
