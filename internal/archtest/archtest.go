// Package archtest holds the rules about who may import whom, and why. Its test asks the Go tool what is really imported, so a
// rule cannot be forgotten, only changed here with a reason.
package archtest

import (
	"slices"
	"strings"
)

// Rule forbids imports.
type Rule struct {
	Reason string
	// From are the packages that it binds, To those that they may not import. See match for the patterns. Except are packages that
	// From would cover otherwise.
	From, Except, To []string
	// Deep rules look at everything that a package stands on; others at what it imports itself.
	Deep bool
}

// Rules are the architecture.
func Rules() []Rule {
	pure := []string{"laurel/streaks", "laurel/internal/activity", "laurel/internal/calendar", "laurel/internal/catalog", "laurel/internal/feed", "laurel/internal/fold", "laurel/internal/grants", "laurel/internal/progress"}
	const redis, prometheus = "github.com/redis/go-redis/v9/...", "github.com/prometheus/..."
	return []Rule{
		{
			Reason: "domain logic is a function of its arguments: with a driver, a file or a network in it, it could not be tested by a model or run at any now",
			From:   pure, To: []string{"net", "net/http", "os/exec", "database/sql", redis, prometheus, "laurel/internal/store", "laurel/internal/clock", "github.com/rs/zerolog"}, Deep: true,
		},
		{
			Reason: "the index is told of changes by an interface of its own, so that any store can feed it and its tests need none",
			From:   []string{"laurel/ranking"}, To: []string{"net/http", redis, "laurel/internal/store", "laurel/internal/catalog", "laurel/internal/ingest", "laurel/internal/query"}, Deep: true,
		},
		{
			Reason: "calendar and activity are the ground that everything stands on",
			From:   []string{"laurel/internal/calendar", "laurel/internal/activity", "laurel/internal/feed"},
			To:     []string{"laurel/internal/catalog", "laurel/internal/progress", "laurel/internal/store", "laurel/streaks", "laurel/ranking"}, Deep: true,
		},
		{
			Reason: "streaks are judged by a calendar and a definition alone; who has them is progress's business",
			From:   []string{"laurel/streaks", "laurel/internal/catalog"}, To: []string{"laurel/internal/progress", "laurel/internal/ingest", "laurel/ranking"}, Deep: true,
		},
		{
			Reason: "REST and live views read through query; one that used the other could answer otherwise than a direct read",
			From:   []string{"laurel/api/..."}, To: []string{"laurel/ws"},
		},
		{
			Reason: "a vendor-shaped door writes otherwise what query reads; one that read by itself could answer otherwise than the native API",
			From:   []string{"laurel/api/nudj", "laurel/api/returning", "laurel/api/capillary"}, To: []string{"laurel/api", "laurel/ranking", "laurel/internal/ingest", "laurel/internal/store", "laurel/internal/auth"},
		},
		{
			Reason: "live views read through query; one that used REST could answer otherwise than a direct read",
			From:   []string{"laurel/ws"}, To: []string{"laurel/api/...", "laurel/internal/ingest", "laurel/internal/store", redis},
		},
		{
			Reason: "query only reads: an answer that writes could not be repeated",
			From:   []string{"laurel/internal/query"}, To: []string{"laurel/api/...", "laurel/ws"}, Deep: true,
		},
		{
			Reason: "every write is a commit of the store, so its callers are the few that decide what is written, and the wiring",
			From:   []string{"laurel/..."}, To: []string{"laurel/internal/store"},
			Except: []string{"laurel/internal/store", "laurel/internal/ingest", "laurel/internal/closing", "laurel/internal/query", "laurel/internal/registry", "laurel/internal/auth", "laurel/internal/webhook", "laurel/internal/account", "laurel/internal/verify", "laurel/internal/transfer", "laurel/internal/testenv", "laurel/cmd/laurel", "laurel/bench/...", "laurel/api"},
		},
		{
			Reason: "one driver, in one place; the doctor asks a server itself, because opening a store would create what it should only check",
			From:   []string{"laurel/..."}, To: []string{redis}, Except: []string{"laurel/internal/store", "laurel/internal/testenv", "laurel/cmd/laurel", "laurel/bench/..."},
		},
		{
			Reason: "the embedded server is the store's secret: nothing else may depend on how it behaves",
			From:   []string{"laurel/..."}, To: []string{"github.com/alicebob/miniredis/v2/..."}, Except: []string{"laurel/internal/store", "laurel/internal/testenv", "laurel/bench/..."},
		},
		{
			Reason: "label sets are closed in one place; other packages report through functions that they are given",
			From:   []string{"laurel/..."}, To: []string{prometheus}, Except: []string{"laurel/internal/telemetry", "laurel/bench/..."},
		},
		{
			Reason: "flags are read in one place; what is configurable elsewhere is an option of New",
			From:   []string{"laurel/..."}, To: []string{"github.com/alecthomas/kong", "laurel/internal/config"}, Except: []string{"laurel/internal/config", "laurel/cmd/laurel", "laurel/bench/..."},
		},
		{
			Reason: "a command is an end, not a library",
			From:   []string{"laurel/..."}, To: []string{"laurel/cmd/...", "laurel/bench/..."}, Except: []string{"laurel/bench/...", "laurel/cmd/laurel"},
		},
		{
			Reason: "what tests run on is no part of the server",
			From:   []string{"laurel/..."}, To: []string{"testing", "laurel/internal/testenv", "pgregory.net/rapid", "go.uber.org/goleak", "github.com/dop251/goja"}, Except: []string{"laurel/internal/testenv", "laurel/bench/..."},
		},
		{
			Reason: "the page is served as it is; whatever it shows it asks the API for, as any other client",
			From:   []string{"laurel/web"}, To: []string{"laurel/internal/...", "laurel/api/...", "laurel/ws", "laurel/ranking", "laurel/streaks"}, Deep: true,
		},
	}
}

// match says whether a package path fits a pattern: a path itself, or with "/..." at its end also every path below.
func match(pattern, path string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return path == base || below && strings.HasPrefix(path, base+"/")
}

func matchAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, path) })
}

// broken returns the imports by which a package breaks the rule.
func (r *Rule) broken(path string, imports, deps []string) []string {
	if !matchAny(r.From, path) || matchAny(r.Except, path) {
		return nil
	}
	if r.Deep {
		imports = deps
	}
	var bad []string
	for _, i := range imports {
		if matchAny(r.To, i) {
			bad = append(bad, i)
		}
	}
	return bad
}
