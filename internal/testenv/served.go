package testenv

import (
	"context"
	_ "embed"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Servers are the programs that suites on a cluster run with, one after the other: redis-server, which every machine that tests must have, and
// valkey-server where it is installed.
func Servers() []string {
	if _, err := exec.LookPath(valkey); err != nil {
		return []string{"redis-server"}
	}
	return []string{"redis-server", valkey}
}

const valkey = "valkey-server"

// common names the commands that Redis 7.0 and Valkey 8.0 both have, as they themselves say (COMMAND), a subcommand as "config|get".
//
//go:embed common.txt
var common string

// uncommon are the commands in a server's statistics that are not common: those of clients and those that scripts call.
func uncommon(commandstats string) (names []string) {
	known := strings.Fields(common)
	for line := range strings.Lines(commandstats) {
		name, _, _ := strings.Cut(line, ":")
		name, ok := strings.CutPrefix(name, "cmdstat_")
		if _, found := slices.BinarySearch(known, name); ok && !found {
			names = append(names, name)
		}
	}
	return names
}

// checkCommands fails the test if its server was sent what another one may lack: no test would notice where only one of the two is installed. A server that
// does not answer any more was stopped by the test, and says nothing.
func (r *Redis) checkCommands(t reporter) {
	t.Helper()
	if r.cmd == nil {
		return
	}
	client := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true, DialerRetries: 1, ReadTimeout: time.Second})
	defer client.Close()
	stats, err := client.Info(context.Background(), "commandstats").Result()
	if names := uncommon(stats); err == nil && len(names) > 0 {
		t.Errorf("%s was sent what not every server has (see common.txt): %v", r.args[0], names)
	}
}
