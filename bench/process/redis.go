package process

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a redis-server that keeps nothing on disk.
type Redis struct {
	*Process
	Address string
	Client  *redis.Client // for questions between measurements
}

// StartRedis starts the redis-server of the PATH with its files in dir, with more settings if need be, each a flag or a value.
func StartRedis(ctx context.Context, dir string, settings ...string) (*Redis, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("the benchmark needs redis-server on the PATH: %w", err)
	}
	for try := 0; ; try++ {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		args := []string{path, "--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "no"}
		args = append(args, settings...)
		p, err := start(ctx, "redis-server", args, nil, func(line string) bool { return strings.Contains(line, "Ready to accept connections") })
		if err == nil {
			address := net.JoinHostPort("127.0.0.1", port)
			return &Redis{Process: p, Address: address, Client: redis.NewClient(&redis.Options{Addr: address, Protocol: 2, DisableIdentity: true})}, nil
		}
		if try == portTries || !strings.Contains(err.Error(), "in use") {
			return nil, err
		}
	}
}

// portTries is how often another port is tried where somebody else took it first.
const portTries = 5

// Stop ends the server.
func (r *Redis) Stop() {
	r.Client.Close()
	r.Process.Stop()
}

// freePort finds a port that is free now. Another process may take it before the server does.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// CPU is what INFO cpu says: user and system time of the whole server, to the microsecond.
func (r *Redis) CPU(ctx context.Context) (time.Duration, error) {
	fields, err := r.info(ctx, "cpu")
	if err != nil {
		return 0, err
	}
	user, err := strconv.ParseFloat(fields["used_cpu_user"], 64)
	if err != nil {
		return 0, fmt.Errorf("INFO cpu: %w", err)
	}
	system, err := strconv.ParseFloat(fields["used_cpu_sys"], 64)
	if err != nil {
		return 0, fmt.Errorf("INFO cpu: %w", err)
	}
	return time.Duration((user + system) * float64(time.Second)), nil
}

// Version is the server's version.
func (r *Redis) Version(ctx context.Context) (string, error) {
	fields, err := r.info(ctx, "server")
	return fields["redis_version"], err
}

// CommandCost is how often a command was called and how long its calls took together. What a script calls is counted at the command and
// at the script.
type CommandCost struct {
	Calls  int64 `json:"calls"`
	Micros int64 `json:"us"`
}

// Commands is what INFO commandstats says, by command.
func (r *Redis) Commands(ctx context.Context) (map[string]CommandCost, error) {
	fields, err := r.info(ctx, "commandstats")
	if err != nil {
		return nil, err
	}
	return parseCommands(fields)
}

func (r *Redis) info(ctx context.Context, section string) (map[string]string, error) {
	text, err := r.Client.Info(ctx, section).Result()
	if err != nil {
		return nil, fmt.Errorf("INFO %s: %w", section, err)
	}
	return parseInfo(text), nil
}

func parseInfo(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// parseCommands reads lines such as cmdstat_zadd:calls=3,usec=41,usec_per_call=13.67.
func parseCommands(fields map[string]string) (map[string]CommandCost, error) {
	costs := map[string]CommandCost{}
	for name, value := range fields {
		command, ok := strings.CutPrefix(name, "cmdstat_")
		if !ok {
			continue
		}
		var c CommandCost
		if _, err := fmt.Sscanf(value, "calls=%d,usec=%d,", &c.Calls, &c.Micros); err != nil {
			return nil, fmt.Errorf("INFO commandstats: %s:%s: %w", name, value, err)
		}
		costs[command] = c
	}
	return costs, nil
}

// CommandsSince is what was added to before, without commands that were not called.
func CommandsSince(before, now map[string]CommandCost) map[string]CommandCost {
	added := map[string]CommandCost{}
	for command, c := range now {
		c.Calls -= before[command].Calls
		c.Micros -= before[command].Micros
		if c.Calls > 0 {
			added[command] = c
		}
	}
	return added
}
