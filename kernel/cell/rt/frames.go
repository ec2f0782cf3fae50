package rt

import (
	"fmt"
	"runtime"
	"strings"
)

// maxFrames bounds how deep a stack is looked at.
const maxFrames = 256

// Frames lists the frames of the calling goroutine that lie in cells, innermost first: `cell[3]:7 < cell[4]:2`. Called
// by a deferred function it sees the panicking stack. Repeated frames of a recursion are counted.
func Frames() string {
	pcs := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var list []string
	var times []int
	for {
		f, more := frames.Next()
		if i := strings.LastIndex(f.File, "cell["); i >= 0 {
			at := fmt.Sprintf("%s:%d", f.File[i:], f.Line)
			if n := len(list); n > 0 && list[n-1] == at {
				times[n-1]++
			} else {
				list = append(list, at)
				times = append(times, 1)
			}
		}
		if !more {
			break
		}
	}
	for i, n := range times {
		if n > 1 {
			list[i] += fmt.Sprintf(" (%d times)", n)
		}
	}
	return strings.Join(list, " < ")
}
