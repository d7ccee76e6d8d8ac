package clientip_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"laurel/internal/clientip"
)

func TestResolver_Of(t *testing.T) {
	var proxies []netip.Prefix
	for _, s := range []string{"10.0.0.0/8", "127.0.0.1", "fd00::/8"} {
		p, err := clientip.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		proxies = append(proxies, p)
	}
	for name, c := range map[string]struct {
		peer    string
		headers []string
		trusted bool
		want    string
	}{
		"no proxy":                          {"192.0.2.1:4711", nil, true, "192.0.2.1"},
		"its claim is not believed":         {"192.0.2.1:4711", []string{"203.0.113.9"}, true, "192.0.2.1"},
		"nobody is trusted":                 {"10.0.0.1:80", []string{"203.0.113.9"}, false, "10.0.0.1"},
		"one proxy":                         {"10.0.0.1:80", []string{"203.0.113.9"}, true, "203.0.113.9"},
		"two proxies":                       {"10.0.0.1:80", []string{"203.0.113.9, 10.1.2.3"}, true, "203.0.113.9"},
		"what the client wrote stays left":  {"10.0.0.1:80", []string{"198.51.100.1, 203.0.113.9"}, true, "203.0.113.9"},
		"a proxy's address that it wrote":   {"10.0.0.1:80", []string{"10.9.9.9, 203.0.113.9"}, true, "203.0.113.9"},
		"several lines are one list":        {"10.0.0.1:80", []string{"198.51.100.1", "203.0.113.9,10.1.2.3"}, true, "203.0.113.9"},
		"with a port":                       {"10.0.0.1:80", []string{"203.0.113.9:5555"}, true, "203.0.113.9"},
		"no address":                        {"10.0.0.1:80", []string{"203.0.113.9, unknown"}, true, "10.0.0.1"},
		"empty":                             {"10.0.0.1:80", []string{""}, true, "10.0.0.1"},
		"no header":                         {"10.0.0.1:80", nil, true, "10.0.0.1"},
		"proxies only":                      {"10.0.0.1:80", []string{"10.2.2.2, 10.1.1.1"}, true, "10.2.2.2"},
		"this machine":                      {"127.0.0.1:80", nil, false, ""},
		"this machine, IPv6":                {"[::1]:80", nil, true, ""},
		"a proxy on this machine":           {"127.0.0.1:80", []string{"203.0.113.9"}, true, "203.0.113.9"},
		"one that is not trusted":           {"127.0.0.1:80", []string{"203.0.113.9"}, false, ""},
		"a client that says this machine":   {"10.0.0.1:80", []string{"127.0.0.1, 203.0.113.9"}, true, "203.0.113.9"},
		"IPv6 counts by /64":                {"[2001:db8:1:2:3:4:5:6]:80", nil, true, "2001:db8:1:2::/64"},
		"IPv6 behind a proxy":               {"[fd00::1]:80", []string{"2001:db8:1:2::9"}, true, "2001:db8:1:2::/64"},
		"IPv6 in brackets":                  {"[fd00::1]:80", []string{"[2001:db8:1:2::9]:55"}, true, "2001:db8:1:2::/64"},
		"IPv4 written as IPv6":              {"[::ffff:192.0.2.1]:80", nil, true, "192.0.2.1"},
		"a proxy's IPv4 written as IPv6":    {"[::ffff:10.0.0.1]:80", []string{"::ffff:203.0.113.9"}, true, "203.0.113.9"},
		"with a zone":                       {"[fe80::1%eth0]:80", nil, true, "fe80::/64"},
		"a Unix socket":                     {"@", []string{"203.0.113.9"}, true, ""},
		"a long list costs the walk of few": {"192.0.2.1:1", []string{",,,,,,,,,,,,,,,,,,"}, true, "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest("GET", "/v1/ws", nil)
			request.RemoteAddr = c.peer
			for _, h := range c.headers {
				request.Header.Add("X-Forwarded-For", h)
			}
			var r clientip.Resolver
			if c.trusted {
				r.Trusted = proxies
			}
			if got := r.Of(request); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{"10.1.2.3/8": "10.0.0.0/8", "192.0.2.1": "192.0.2.1/32", "::1": "::1/128"} {
		if got, err := clientip.ParsePrefix(text); err != nil || got.String() != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "all", "10.0.0.0/33", "proxy.example", "10.0.0.1:80"} {
		if got, err := clientip.ParsePrefix(text); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}
