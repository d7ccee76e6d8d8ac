package measure

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticksPerSecond is Linux's USER_HZ, in which /proc counts: 100 on every architecture that Go runs on.
const ticksPerSecond = 100

// ProcessCPU is the CPU time that a process has used so far, all its threads, in user and in kernel mode, to 10 ms. It needs Linux's /proc.
func ProcessCPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	used, err := parseStat(string(text))
	if err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return used, nil
}

var errStat = errors.New("/proc/PID/stat is not in the known form")

// parseStat reads utime and stime, fields 14 and 15. The name, field 2, stands in parentheses and may hold anything, parentheses too.
func parseStat(text string) (time.Duration, error) {
	end := strings.LastIndexByte(text, ')')
	if end < 0 {
		return 0, errStat
	}
	fields := strings.Fields(text[end+1:]) // from field 3 on
	if len(fields) < 13 {
		return 0, errStat
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err != nil || err2 != nil {
		return 0, errStat
	}
	return time.Duration(user+system) * time.Second / ticksPerSecond, nil
}

// OwnCPU is the CPU time that this process has used so far.
func OwnCPU() (time.Duration, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, fmt.Errorf("own CPU time: %w", err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}
