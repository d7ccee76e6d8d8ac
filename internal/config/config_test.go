package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// parse runs a command line of one subcommand with these arguments.
func parse(t *testing.T, args ...string) (Serve, error) {
	t.Helper()
	var cli struct {
		Serve Serve `cmd:""`
		Other struct {
			Elsewhere string
		} `cmd:""`
	}
	parser, err := kong.New(&cli, append(Options(), kong.Exit(func(int) {}))...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"serve"}, args...))
	return cli.Serve, err
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParse_Defaults(t *testing.T) {
	got, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(got.DataDir) || filepath.Base(got.DataDir) != "laurel-data" {
		t.Errorf("data dir = %q", got.DataDir)
	}
	got.DataDir = ""
	want := Serve{
		Store: Store{Fsync: "always"}, Log: Log{LogLevel: "info", LogFormat: "auto"},
		Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:9090", Ack: "stored", Drain: 10 * time.Second, DrainDelay: 3 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStore_WhereACluster(t *testing.T) {
	got, err := parse(t, "--redis", "rediss-cluster://u:hunter2@a:1,b:2?x=hunter2", "--ack", "replicated")
	if err != nil {
		t.Fatal(err)
	}
	if where := got.Where(); where != "rediss-cluster://a:1,b:2" || got.Replicas() != 1 {
		t.Errorf("%s, %d replicas", where, got.Replicas())
	}
	if _, err := parse(t, "--ack", "replicated"); err == nil {
		t.Error("an embedded store is asked for replicas, and nobody says that it has none")
	}
}

func TestParse_Precedence(t *testing.T) {
	path := writeFile(t, "laurel.yaml", "listen: file:1\nadmin-listen: file:2\nfsync: no\ntest-clock: true\npartitions: 4\ndrain: 3s\nws-origin: [https://a.example, https://b.example]\nelsewhere: x\n")
	t.Setenv("LAUREL_LISTEN", "env:1")
	t.Setenv("LAUREL_ADMIN_LISTEN", "env:2")
	got, err := parse(t, "--config", path, "--listen", "flag:1")
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != "flag:1" || got.AdminListen != "env:2" || got.Fsync != "no" || got.Partitions != 4 || got.Drain != 3*time.Second || !got.TestClock {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff([]string{"https://a.example", "https://b.example"}, got.WSOrigin); diff != "" {
		t.Error(diff)
	}
}

func TestParse_SingleOriginInFile(t *testing.T) {
	got, err := parse(t, "--config", writeFile(t, "c.yaml", "ws-origin: https://a.example\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"https://a.example"}, got.WSOrigin); diff != "" {
		t.Error(diff)
	}
}

func TestParse_Sockets(t *testing.T) {
	t.Setenv("LAUREL_TRUSTED_PROXIES", "10.1.2.3/8,192.0.2.1")
	got, err := parse(t, "--config", writeFile(t, "c.yaml", "ws-connections: 5\nws-handshakes-per-second: 7\n"), "--ws-messages-per-second", "9")
	if err != nil {
		t.Fatal(err)
	}
	if proxies := got.Proxies(); fmt.Sprint(proxies) != "[10.0.0.0/8 192.0.2.1/32]" || got.WSConnections != 5 || got.WSHandshakes != 7 || got.WSMessages != 9 {
		t.Errorf("%+v %v", got.Sockets, proxies)
	}
}

func TestParse_ConfigFileFromVariable(t *testing.T) {
	t.Setenv("LAUREL_CONFIG", writeFile(t, "c.yaml", "listen: file:1\n"))
	got, err := parse(t)
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != "file:1" {
		t.Errorf("listen = %q", got.Listen)
	}
}

func TestParse_Faults(t *testing.T) {
	tests := []struct {
		name, file string
		args       []string
		want       string
	}{
		{"unknown key", "listen: a:1\nlisen: b:1\n", nil, `line 2: unknown setting "lisen"`},
		{"key twice", "listen: a:1\nlisten: b:1\n", nil, "set twice"},
		{"not a mapping", "- listen\n", nil, "expected a mapping"},
		{"nested", "listen: {host: a}\n", nil, "expected a value"},
		{"nested list", "ws-origin: [[a]]\n", nil, "expected a list of plain values"},
		{"list for one value", "listen: [a:1]\n", nil, "takes one value"},
		{"broken yaml", "listen: [\n", nil, "yaml"},
		{"enum", "fsync: sometimes\n", nil, "--fsync"},
		{"number", "partitions: many\n", nil, "partitions"},
		{"boolean", "test-clock: maybe\n", nil, "true or false"},
		{"address", "", []string{"--listen", "8080"}, `--listen: "8080" is not HOST:PORT`},
		{"drain", "", []string{"--drain", "0s"}, "--drain"},
		{"too many partitions", "", []string{"--partitions", "5000"}, "--partitions: 5000"},
		{"origin with path", "", []string{"--ws-origin", "https://a.example/x"}, "not an origin"},
		{"negative limit", "", []string{"--ws-connections-per-ip=-1"}, "--ws-connections-per-ip: -1 is negative"},
		{"short messages", "", []string{"--ws-message-bytes=100"}, "--ws-message-bytes: 100"},
		{"proxies", "", []string{"--trusted-proxies", "10.0.0.0/8,proxy.example"}, `--trusted-proxies: "proxy.example"`},
		{"redis scheme", "", []string{"--redis", "user:hunter2@host"}, "must begin with"},
		{"both keys", "", []string{"--bootstrap-key", "hunter2", "--bootstrap-key-file", "f"}, "can't be used together"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if tt.file != "" {
				args = append(args, "--config", writeFile(t, "c.yaml", tt.file))
			}
			_, err := parse(t, args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v does not contain %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error shows a secret: %v", err)
			}
		})
	}
}

func TestParse_EmptyFile(t *testing.T) {
	if _, err := parse(t, "--config", writeFile(t, "c.yaml", "# nothing yet\n")); err != nil {
		t.Fatal(err)
	}
}

func TestSecret_IsNeverPrinted(t *testing.T) {
	c := Serve{BootstrapKey: "hunter2", Store: Store{Redis: "redis://:hunter2@host:6379/0?password=hunter2"}}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(encoded), fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %q", c, c, c.BootstrapKey, c.BootstrapKey), c.Where()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("secret is shown in %s", text)
		}
	}
	if got := c.Where(); got != "redis://host:6379/0" {
		t.Errorf("Where() = %q", got)
	}
	if c.BootstrapKey.Reveal() != "hunter2" {
		t.Error("Reveal does not give the text")
	}
}

func TestServe_BootstrapKeyFile(t *testing.T) {
	c := Serve{BootstrapKeyFile: writeFile(t, "key", " sk_x \n")}
	if key, err := c.Bootstrap(); err != nil || key.Reveal() != "sk_x" {
		t.Errorf("got %q, %v", key.Reveal(), err)
	}
	for name, c := range map[string]Serve{
		"empty":   {BootstrapKeyFile: writeFile(t, "key", "\n")},
		"missing": {BootstrapKeyFile: filepath.Join(t.TempDir(), "none")},
		"large":   {BootstrapKeyFile: writeFile(t, "key", strings.Repeat("x", maxKeyFile+1))},
	} {
		if _, err := c.Bootstrap(); err == nil {
			t.Errorf("%s file is accepted", name)
		}
	}
}
