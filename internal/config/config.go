// Package config defines the flags of the server and reads them from the command line, LAUREL_… variables and a YAML file, in
// that order of precedence.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Serve is everything that `laurel serve` can be told. Parse fills it; the zero value is not useful.
type Serve struct {
	File
	Store
	Log
	Sockets

	Listen           string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where clients connect. Port 0 picks a free one."`
	AdminListen      string        `default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Where metrics, probes, profiles and the test clock are served. Keep it private."`
	Catalog          string        `type:"path" placeholder:"FILE" help:"Definitions to apply at start when they differ from those last applied. Without one a new store gets a catalog for git commits."`
	BootstrapKey     Secret        `xor:"bootstrap" placeholder:"KEY" help:"Secret key with all scopes, created for every org that never had a key."`
	BootstrapKeyFile string        `xor:"bootstrap" type:"path" placeholder:"FILE" help:"File that holds the bootstrap key."`
	WSOrigin         []string      `name:"ws-origin" placeholder:"ORIGIN" help:"Web origin that may open WebSockets beside the server's own, such as https://example.com (repeatable; none: every origin that a key is bound to)."`
	Ack              string        `enum:"stored,replicated" default:"stored" placeholder:"stored|replicated" help:"When writes to --redis are answered: stored by the server, or also by one of its replicas, for which each commit waits up to a second. Answers name what was reached as their durability."`
	WebhookPrivate   bool          `name:"webhook-allow-private" help:"Let webhooks be sent to private, loopback and link-local addresses. Whoever may write a catalog can then have this node call what it reaches."`
	TestClock        bool          `help:"Let PUT /clock on the admin listener set the time. For tests only."`
	Drain            time.Duration `default:"10s" help:"How long a stop may wait for requests and WebSocket clients."`
	DrainDelay       time.Duration `default:"3s" help:"How long a stop by SIGTERM serves on before that, with /readyz failing, so that load balancers notice: longer than they take for that. 0s without any."`
}

// File is the flag that names a configuration file.
type File struct {
	Config kong.ConfigFlag `placeholder:"FILE" help:"YAML file whose keys are flag names. Flags and variables override it."`
}

// Store says where the data is.
type Store struct {
	Redis      Secret `placeholder:"URL" help:"redis://, rediss:// or unix:// address of a Redis or Valkey server, or redis-cluster://HOST:PORT,HOST:PORT (rediss-cluster:// with TLS) of some servers of a cluster. Without it the data is kept by this process in --data-dir."`
	DataDir    string `type:"path" default:"./laurel-data" placeholder:"DIR" help:"Where the embedded store keeps its append-only file."`
	Fsync      string `enum:"always,everysec,no" default:"always" placeholder:"always|everysec|no" help:"When the embedded store forces its file to disk: before an answer, each second, or as the system likes."`
	Changes    int64  `name:"changes-bytes" placeholder:"BYTES" help:"How much of its latest changes each partition keeps: a node that was away for longer loads its boards anew (0: 64 MiB, 16 MiB embedded)."`
	Partitions int    `placeholder:"N" help:"Number of partitions of a new store; fixed from then on (0: 1, on a cluster 16, or what the store was created with)."`
}

// Log says what is logged and how.
type Log struct {
	LogLevel  string `enum:"debug,info,warn,error" default:"info" placeholder:"debug|info|warn|error" help:"Least important messages that are logged."`
	LogFormat string `enum:"auto,json,console" default:"auto" placeholder:"auto|json|console" help:"Format of the log: auto means console on a terminal and json elsewhere."`
}

// Secret is text that must not be shown: every way of printing it gives a placeholder.
type Secret string

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[hidden]"
}

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return `config.Secret("` + s.String() + `")` }

// MarshalText implements encoding.TextMarshaler, which JSON and YAML encoders and the log use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MaxPartitions bounds the partition count: every partition costs a follower and a writer in each node.
const MaxPartitions = 1024

// Validate reports every setting that cannot work. Kong calls it after parsing. No message contains a secret.
func (s *Serve) Validate() error {
	errs := []error{s.Store.Validate(), s.Sockets.Validate(), checkAddress("--listen", s.Listen), checkAddress("--admin-listen", s.AdminListen)}
	if s.Drain <= 0 {
		errs = append(errs, fmt.Errorf("--drain: %v is not a positive duration", s.Drain))
	}
	if s.DrainDelay < 0 {
		errs = append(errs, fmt.Errorf("--drain-delay: %v is negative", s.DrainDelay))
	}
	for _, o := range s.WSOrigin {
		errs = append(errs, checkOrigin(o))
	}
	if s.Ack == AckReplicated && s.Redis == "" {
		errs = append(errs, errors.New("--ack replicated: the embedded store has no replicas; it needs --redis"))
	}
	return errors.Join(errs...)
}

// Validate reports what cannot work about the store's settings.
func (s *Store) Validate() error {
	var errs []error
	if s.Partitions < 0 || s.Partitions > MaxPartitions {
		errs = append(errs, fmt.Errorf("--partitions: %d is not in 0…%d", s.Partitions, MaxPartitions))
	}
	if s.Changes < 0 {
		errs = append(errs, fmt.Errorf("--changes-bytes: %d is negative", s.Changes))
	}
	if scheme, _, found := strings.Cut(s.Redis.Reveal(), "://"); s.Redis != "" && (!found || !slices.Contains(redisSchemes, scheme)) {
		errs = append(errs, fmt.Errorf("--redis: the address must begin with one of %s://", strings.Join(redisSchemes, "://, ")))
	}
	return errors.Join(errs...)
}

var redisSchemes = []string{"redis", "rediss", "unix", "redis-cluster", "rediss-cluster"}

// AckReplicated is the value of --ack that waits for a replica.
const AckReplicated = "replicated"

// Replicas is how many replicas each commit waits for.
func (s *Serve) Replicas() int {
	if s.Ack == AckReplicated {
		return 1
	}
	return 0
}

// Where describes the store for people, without its password.
func (s *Store) Where() string {
	if s.Redis == "" {
		return "embedded in " + s.DataDir
	}
	text, others, _ := strings.Cut(s.Redis.Reveal(), ",") // of a cluster
	u, err := url.Parse(text)
	if err != nil {
		return "redis (its address cannot be parsed)"
	}
	u.User, u.RawQuery = nil, "" // either may carry a password
	if hosts, _, _ := strings.Cut(others, "?"); hosts != "" {
		return u.String() + "," + hosts
	}
	return u.String()
}

// maxKeyFile bounds what is read of a bootstrap key file, so that a wrong path to something huge fails at once.
const maxKeyFile = 4096

// Bootstrap returns the bootstrap key from the flag or its file, "" if none was given.
func (s *Serve) Bootstrap() (Secret, error) {
	if s.BootstrapKeyFile == "" {
		return s.BootstrapKey, nil
	}
	info, err := os.Stat(s.BootstrapKeyFile)
	if err != nil {
		return "", fmt.Errorf("--bootstrap-key-file: %w", err)
	}
	if info.Size() > maxKeyFile {
		return "", fmt.Errorf("--bootstrap-key-file: %s is larger than any key", s.BootstrapKeyFile)
	}
	text, err := os.ReadFile(s.BootstrapKeyFile)
	if err != nil {
		return "", fmt.Errorf("--bootstrap-key-file: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if key == "" {
		return "", fmt.Errorf("--bootstrap-key-file: %s is empty", s.BootstrapKeyFile)
	}
	return Secret(key), nil
}

func checkAddress(flag, address string) error {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return fmt.Errorf("%s: %q is not HOST:PORT", flag, address)
	}
	return nil
}

// checkOrigin refuses what a browser would never send as Origin: such an entry could not match and would hide a mistake.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || origin != u.Scheme+"://"+u.Host {
		return fmt.Errorf("--ws-origin: %q is not an origin such as https://example.com", origin)
	}
	return nil
}
