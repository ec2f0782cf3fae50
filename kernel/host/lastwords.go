package host

import (
	"os"
	"regexp"
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

// deathOf describes a dead host: why it ended, and the frames of its last words that lie in cells.
func deathOf(state *os.ProcessState, words string) *CellError {
	reason := "ended"
	if state != nil {
		reason = "ended with " + state.String()
		if ws, ok := state.Sys().(syscall.WaitStatus); ok {
			switch {
			case ws.Signaled() && ws.Signal() == syscall.SIGKILL:
				reason = "was killed (SIGKILL; often the system was out of memory)"
			case ws.Signaled():
				reason = "died of signal " + ws.Signal().String()
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
	e.Traceback = append(e.Traceback, "A fresh process runs the next cell; the notebook's variables and functions are gone, its imports are kept.")
	return e
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
