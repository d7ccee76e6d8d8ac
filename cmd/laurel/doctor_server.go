package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"laurel/internal/store"
)

// examineServer checks a Redis or Valkey server by commands that change nothing.
func examineServer(ctx context.Context, url string) []check {
	if store.IsCluster(url) {
		return examineCluster(ctx, url)
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		return []check{{connection, failed, "the address cannot be understood", "--redis takes redis://, rediss:// or unix://, redis-cluster:// or rediss-cluster://"}}
	}
	o.MaxRetries = -1
	server := redis.NewClient(o)
	defer server.Close()
	return serverChecks(ctx, server)
}

const connection = "connection"

// serverChecks are those of one server.
func serverChecks(ctx context.Context, server *redis.Client) []check {
	if err := server.Ping(ctx).Err(); err != nil {
		return []check{{connection, failed, err.Error(), "is the server running, and are address and password right?"}}
	}
	return []check{
		{connection, passed, "answers PING", ""},
		infoCheck(ctx, server, "version", "server", versionVerdict),
		infoCheck(ctx, server, "role", "replication", roleVerdict),
		configCheck(ctx, server, "append-only file", "appendonly", appendOnlyVerdict),
		configCheck(ctx, server, "fsync", "appendfsync", appendFsyncVerdict),
		configCheck(ctx, server, "eviction policy", "maxmemory-policy", evictionVerdict),
		roundTripCheck(ctx, server),
		clockCheck(ctx, server),
	}
}

// judge says what a found value means.
type judge func(value string) (verdict, string)

func infoCheck(ctx context.Context, server *redis.Client, name, section string, judged func(info map[string]string) (string, verdict, string)) check {
	text, err := server.Info(ctx, section).Result()
	if err != nil {
		return check{name, warned, "INFO is not allowed: " + err.Error(), ""}
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[key] = value
		}
	}
	value, v, advice := judged(info)
	return check{name, v, value, advice}
}

func configCheck(ctx context.Context, server *redis.Client, name, parameter string, judged judge) check {
	found, err := server.ConfigGet(ctx, parameter).Result()
	if err != nil || found[parameter] == "" {
		return check{name, warned, "unknown: CONFIG GET is not allowed here", "answers will name the durability memory; look it up where the server is managed"}
	}
	v, advice := judged(found[parameter])
	return check{name, v, found[parameter], advice}
}

// oldest server versions: that the scripts and stream commands need, and that the recorded measurements were made with.
const (
	oldestMajor, oldestMinor = 6, 2
	measuredMajor            = 7
)

func versionVerdict(info map[string]string) (string, verdict, string) {
	product, text := "Redis", info["redis_version"]
	if v := info["valkey_version"]; v != "" {
		product, text = "Valkey", v
	}
	parts := strings.SplitN(text, ".", 3)
	major, err := strconv.Atoi(parts[0])
	minor := 0
	if len(parts) > 1 {
		minor, _ = strconv.Atoi(parts[1])
	}
	value := product + " " + text
	switch {
	case err != nil:
		return value, warned, "this version number cannot be read"
	case cmp.Or(cmp.Compare(major, oldestMajor), cmp.Compare(minor, oldestMinor)) < 0:
		return value, failed, fmt.Sprintf("at least %d.%d is needed", oldestMajor, oldestMinor)
	case major < measuredMajor:
		return value, warned, fmt.Sprintf("works; %d or later is recommended", measuredMajor)
	}
	return value, passed, ""
}

func roleVerdict(info map[string]string) (string, verdict, string) {
	if role := info["role"]; role != "master" {
		return role, failed, "writes need the primary"
	}
	return "primary, " + info["connected_slaves"] + " replicas", passed, ""
}

func appendOnlyVerdict(value string) (verdict, string) {
	if value != "yes" {
		return failed, "a restart loses what was acknowledged: CONFIG SET appendonly yes, and write it to the configuration file"
	}
	return passed, ""
}

func appendFsyncVerdict(value string) (verdict, string) {
	switch value {
	case "always":
		return passed, ""
	case "everysec":
		return passed, "a power failure may lose the last second of what was acknowledged"
	}
	return warned, "a power failure may lose whatever the system had not written; use everysec or always"
}

func evictionVerdict(value string) (verdict, string) {
	if value != "noeviction" {
		return failed, "the server would delete data when memory runs short: CONFIG SET maxmemory-policy noeviction"
	}
	return passed, ""
}

// Bounds of a round trip: each commit pays one.
const (
	slowTrip = 5 * time.Millisecond
	deadTrip = 250 * time.Millisecond
)

func roundTripCheck(ctx context.Context, server *redis.Client) check {
	const name = "round trip"
	took, err := median(func() error { return server.Ping(ctx).Err() })
	switch {
	case err != nil:
		return check{name, failed, err.Error(), ""}
	case took > deadTrip:
		return check{name, failed, "median " + took.String(), "every commit waits this long: run Laurel near its store"}
	case took > slowTrip:
		return check{name, warned, "median " + took.String(), "every commit waits this long: run Laurel near its store"}
	}
	return check{name, passed, "median " + took.String(), ""}
}

// Bounds of the difference between the clocks. Deadlines and periods go by this node's clock, positions and as_of by the store's.
const (
	offClock   = time.Second
	wrongClock = time.Minute
)

func clockCheck(ctx context.Context, server *redis.Client) check {
	const name = "clock"
	before := time.Now()
	theirs, err := server.Time(ctx).Result()
	if err != nil {
		return check{name, warned, "TIME is not allowed: " + err.Error(), ""}
	}
	after := time.Now()
	ours := before.Add(after.Sub(before) / 2)
	difference := theirs.Sub(ours)
	k := check{name, passed, fmt.Sprintf("differs by %s, give or take %s", difference.Round(time.Microsecond), (after.Sub(before) / 2).Round(time.Microsecond)), ""}
	switch off := difference.Abs(); {
	case off > wrongClock:
		k.Verdict, k.Advice = failed, "set the clocks by NTP: activities would fall into wrong periods"
	case off > offClock:
		k.Verdict, k.Advice = warned, "set the clocks by NTP"
	}
	return k
}

// median runs f several times and returns the middle duration, or the first error.
func median(f func() error) (time.Duration, error) {
	var took [15]time.Duration
	for i := range took {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		took[i] = time.Since(began).Round(time.Microsecond)
	}
	slices.Sort(took[:])
	return took[len(took)/2], nil
}
