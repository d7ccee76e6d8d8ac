package testenv

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

// noted is a reporter that keeps what it is told.
type noted struct {
	testing.TB
	errors int
}

func (n *noted) Errorf(string, ...any) { n.errors++ }

func TestUncommon_NamesWhatASingleServerHas(t *testing.T) {
	stats := "# Commandstats\r\ncmdstat_evalsha:calls=3,usec=2\r\ncmdstat_waitaof:calls=1,usec=1\r\ncmdstat_config|get:calls=1\r\ncmdstat_client|setinfo:calls=1\r\n"
	if diff := cmp.Diff([]string{"waitaof", "client|setinfo"}, uncommon(stats)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !slices.IsSorted(strings.Fields(common)) {
		t.Error("the list is not sorted")
	}
}

// TestServers_HaveTheCommonCommands asks each server that is installed for every command of the list, and has it keep count.
func TestServers_HaveTheCommonCommands(t *testing.T) {
	for _, program := range Servers() {
		t.Run(program, func(t *testing.T) {
			c := StartCluster(t, ClusterOptions{Program: program, Masters: 1})
			server := c.Nodes[0]
			args := []any{"COMMAND", "INFO"}
			for _, name := range strings.Fields(common) {
				args = append(args, name)
			}
			infos, err := server.client.Do(t.Context(), args...).Slice()
			if err != nil {
				t.Fatal(err)
			}
			for i, info := range infos {
				if info == nil {
					t.Errorf("it lacks %v", args[2+i])
				}
			}
			if len(infos) != len(args)-2 {
				t.Errorf("%d answers to %d names", len(infos), len(args)-2)
			}
			stats, err := server.client.Info(t.Context(), "commandstats").Result()
			if err != nil || !strings.Contains(stats, "cmdstat_command|info:") {
				t.Errorf("it keeps no count: %v\n%s", err, stats)
			}
			if program == valkey {
				server.foreign(t)
			}
		})
	}
}

// foreign sends a command that Redis 7.0 lacks.
func (m *Member) foreign(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: m.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	defer client.Close()
	if err := client.Do(t.Context(), "SCRIPT", "SHOW", strings.Repeat("0", 40)).Err(); err == nil {
		t.Error("there is such a script")
	}
	n := &noted{TB: t}
	m.checkCommands(n)
	if n.errors != 1 {
		t.Errorf("%d complaints", n.errors)
	}
	if err := client.ConfigResetStat(t.Context()).Err(); err != nil { // or the end of this test fails of it
		t.Error(err)
	}
}
