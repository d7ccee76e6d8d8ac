// Package web serves the live board page: one hand-written HTML file that shows a leaderboard and follows it over WebSocket. It
// loads nothing from elsewhere and runs under a Content-Security-Policy that allows exactly its own scripts and style.
package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"time"
)

//go:embed board.html
var page []byte

// Handler serves the page at whatever path it is mounted. The key that the page needs comes from the reader or from the part of
// the address after #, which browsers send to nobody.
func Handler() http.Handler {
	sum := sha256.Sum256(page)
	headers := map[string]string{
		"Cache-Control":              "no-cache",
		"Content-Security-Policy":    policy(page),
		"Content-Type":               "text/html; charset=utf-8",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Etag":                       `"` + hex.EncodeToString(sum[:16]) + `"`,
		"Referrer-Policy":            "no-referrer",
		"X-Content-Type-Options":     "nosniff",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(page))
	})
}

var (
	scripts = regexp.MustCompile(`(?s)<script[^>]*>(.*?)</script>`)
	styles  = regexp.MustCompile(`(?s)<style[^>]*>(.*?)</style>`)
)

// policy allows the page's inline scripts and styles by their hashes, connections to its own server, and nothing else.
func policy(page []byte) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src " + hashes(scripts, page),
		"style-src " + hashes(styles, page),
		"connect-src 'self'",
		"img-src data:",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
	}, "; ")
}

func hashes(element *regexp.Regexp, page []byte) string {
	var list []string
	for _, match := range element.FindAllSubmatch(page, -1) {
		sum := sha256.Sum256(match[1])
		list = append(list, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return strings.Join(list, " ")
}
