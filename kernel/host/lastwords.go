package host

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// crashDelay is how long text that looks like a crash report waits for the host's death. Go writes its report and exits
// at once; a report of thousands of goroutines takes some time to write.
const crashDelay = 500 * time.Millisecond

// overflowDelay is the same for a stack overflow: before it prints the last frames Go walks all of them, ten million where
// they are small, which takes seconds. Nobody else prints the line that it begins with.
const overflowDelay = 30 * time.Second

const overflowLine = "runtime: goroutine stack exceeds"

// reportDelay is how long a text that crashStart found waits.
func reportDelay(text string) time.Duration {
	if strings.HasPrefix(text, overflowLine) {
		return overflowDelay
	}
	return crashDelay
}

var crashLine = regexp.MustCompile(`(?m)^(fatal error: |panic: |` + overflowLine + `|runtime: out of memory|SIG[A-Z]+: |unexpected fault address|terminate called |fatal: )`)

// crashStart is the offset of the first line that may begin a crash report, or -1.
func crashStart(text string) int {
	at := crashLine.FindStringIndex(text)
	if at == nil {
		return -1
	}
	return at[0]
}

// deathOf describes a dead host: why it ended, and the frames of its last words that lie in cells. outOfMemory tells
// that the system has ended processes for want of memory meanwhile.
func deathOf(state *os.ProcessState, words string, outOfMemory bool) *CellError {
	reason, advice := "ended", ""
	if state != nil {
		reason = "ended with " + state.String()
		if ws, ok := state.Sys().(syscall.WaitStatus); ok {
			switch {
			case ws.Signaled() && ws.Signal() == syscall.SIGKILL && outOfMemory:
				reason = "was killed because the system, or its container, was out of memory" + peakOf(state)
			case ws.Signaled() && ws.Signal() == syscall.SIGKILL:
				reason = "was killed (SIGKILL)" + peakOf(state)
			case ws.Signaled():
				reason = "died of signal " + ws.Signal().String()
			case words == "":
				advice = "os.Exit, log.Fatal and a C library's exit end the process that holds the variables: return an error, or panic."
			}
		}
	}
	e := &CellError{Name: "host died", Value: "the cell's process " + reason}
	said := firstLines(words)
	if said != "" {
		e.Value = said + " (the cell's process " + reason + ")"
	}
	e.Traceback = append(e.Traceback, "host died: "+e.Value)
	if frames := uniqueFrames(words); frames != "" {
		e.Traceback = append(e.Traceback, "    at "+frames)
	}
	if advice != "" {
		e.Traceback = append(e.Traceback, advice)
	}
	e.Traceback = append(e.Traceback, "A fresh process runs the next cell; the notebook's variables and functions are gone, its imports are kept.")
	return e
}

// peakOf says how much memory a dead process had at most.
func peakOf(state *os.ProcessState) string {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return ""
	}
	return fmt.Sprintf("; it had used up to %s", megabytes(int64(usage.Maxrss)<<10)) // Linux counts in KiB
}

// oomKills is how many processes the system has ended for want of memory, its own or a container's; 0 where it does not
// tell.
func oomKills() int64 {
	counters, _ := os.ReadFile("/proc/vmstat")
	for line := range strings.Lines(string(counters)) {
		if value, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

// firstLines takes the message out of a crash report.
func firstLines(words string) string {
	var said []string
	for line := range strings.Lines(words) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "goroutine ") {
			if len(said) > 0 {
				break
			}
			continue
		}
		if strings.HasPrefix(line, "fatal error: ") { // names the thing better than what stands before it
			return line
		}
		said = append(said, line)
	}
	return strings.Join(said[:min(len(said), 3)], "; ")
}

var framePlace = regexp.MustCompile(`cell\[\d+\]:\d+`)

// uniqueFrames lists the cell frames of the first goroutine in a crash report, repeated ones once.
func uniqueFrames(words string) string {
	var list []string
	for part := range strings.SplitSeq(words, "\n\n") {
		for _, f := range framePlace.FindAllString(part, -1) {
			if len(list) == 0 || list[len(list)-1] != f {
				list = append(list, f)
			}
		}
		if len(list) > 0 {
			break
		}
	}
	return strings.Join(list[:min(len(list), 8)], " < ")
}
