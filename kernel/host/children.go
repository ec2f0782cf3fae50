package host

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is the unit of times in /proc, the same on every Linux (USER_HZ).
const ticksPerSecond = 100

// uptime is the time since the system started, in ticks; 0 without /proc.
func uptime() int64 {
	text, _ := os.ReadFile("/proc/uptime")
	seconds, _, _ := strings.Cut(string(text), " ")
	f, _ := strconv.ParseFloat(seconds, 64)
	return int64(f * ticksPerSecond)
}

// interruptChildren sends SIGINT, as Ctrl-C in a terminal does, to the processes of this one's group that started at an
// uptime or later: those of the running cell, not the servers that earlier cells have left running.
func interruptChildren(since int64) {
	if since == 0 {
		return
	}
	group := strconv.Itoa(unix.Getpgrp())
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		// proc(5): pid (name) state parent group … starttime, the 22nd; the name may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 20 || fields[2] != group {
			continue
		}
		if started, err := strconv.ParseInt(fields[19], 10, 64); err == nil && started >= since {
			_ = unix.Kill(pid, unix.SIGINT)
		}
	}
}
