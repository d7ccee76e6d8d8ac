package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// examineDirectory checks the data directory of an embedded store. It does not open the store, so it can be asked while a server runs.
func examineDirectory(dir, fsync string) []check {
	checks := []check{directoryCheck(dir)}
	if checks[0].Verdict == failed {
		return checks
	}
	return append(checks, fileCheck(dir), fsyncPolicyCheck(fsync), fsyncCheck(dir))
}

func directoryCheck(dir string) check {
	k := check{Name: "data directory", Verdict: passed, Value: dir}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return check{k.Name, failed, dir + " does not exist", "start the server once, or point --data-dir at its data"}
	case err != nil:
		return check{k.Name, failed, err.Error(), ""}
	case !info.IsDir():
		return check{k.Name, failed, dir + " is no directory", ""}
	case info.Mode().Perm()&0o077 != 0:
		k.Verdict, k.Advice = warned, fmt.Sprintf("others on this machine may read it (mode %04o): chmod 700", info.Mode().Perm())
	}
	return k
}

func fileCheck(dir string) check {
	const name = "append-only file"
	info, err := os.Stat(filepath.Join(dir, "appendonly.aof"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return check{name, warned, "none yet", "nothing has been stored here"}
	case err != nil:
		return check{name, failed, err.Error(), ""}
	}
	return check{name, passed, fmt.Sprintf("%d bytes, last written %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339)), ""}
}

func fsyncPolicyCheck(policy string) check {
	k := check{Name: "fsync", Verdict: passed, Value: policy}
	switch policy {
	case "everysec":
		k.Advice = "a power failure may lose the last second of what was acknowledged; always loses nothing"
	case "no":
		k.Verdict, k.Advice = warned, "a power failure may lose whatever the system had not written; use always or everysec"
	}
	return k
}

// slowFsync is where group commits begin to be felt by clients.
const slowFsync = 50 * time.Millisecond

// fsyncCheck measures what an acknowledgement costs on this disk, with a file of its own.
func fsyncCheck(dir string) check {
	const name = "write and fsync"
	f, err := os.CreateTemp(dir, "doctor-*")
	if err != nil {
		return check{name, failed, err.Error(), "the server must be able to write here"}
	}
	defer os.Remove(f.Name())
	defer f.Close()
	took, err := median(func() error {
		if _, err := f.Write(make([]byte, 512)); err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		return check{name, failed, err.Error(), ""}
	}
	k := check{name, passed, "median " + took.String(), ""}
	if took > slowFsync {
		k.Verdict, k.Advice = warned, "this disk is slow to force data out; each answer waits for it"
	}
	return k
}
