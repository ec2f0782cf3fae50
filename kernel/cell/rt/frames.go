package rt

import (
	"fmt"
	"runtime"
	"strings"
)

// maxFrames bounds how deep a stack is looked at.
const maxFrames = 256

// Frame is one frame of a goroutine's stack, or several of one kind that follow each other.
type Frame struct {
	Place string `json:"place,omitempty"` // "cell[3]:7"; empty outside of cells
	Func  string `json:"func,omitempty"`  // the user's name of a function, "sort.Slice" outside of cells, empty for a cell's statements
	Times int    `json:"times,omitempty"` // of a recursion; 0 is once
}

// Frames lists the calling goroutine's frames from the innermost one to the outermost one that lies in a cell. Called by
// a deferred function it sees the panicking stack. The runtime's own frames are left out.
func Frames() []Frame {
	pcs := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var list []Frame
	last := 0 // frames up to the outermost one in a cell
	symbol := ""
	for {
		f, more := frames.Next()
		at := Frame{Func: f.Function}
		if i := strings.LastIndex(f.File, "cell["); i >= 0 {
			at = Frame{Place: fmt.Sprintf("%s:%d", f.File[i:], f.Line), Func: UserFunc(f.Function)}
		} else if ignored(f.Function) {
			at = Frame{}
		}
		switch n := len(list); {
		case at == Frame{}:
		case n > 0 && list[n-1].Place == at.Place && list[n-1].Func == at.Func:
			if symbol == f.Function { // not the body of a loop over a function, whose line is the loop's
				list[n-1].Times = max(list[n-1].Times, 1) + 1
			}
		default:
			list = append(list, at)
		}
		if at.Place != "" {
			last = len(list)
		}
		symbol = f.Function
		if !more {
			return list[:last]
		}
	}
}

// ignored tells the frames between a panic and what recovers it, which say nothing of its cause.
func ignored(function string) bool {
	return function == "" || strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "gomosaic/kernel/") || strings.HasPrefix(function, "nb/")
}

// UserFunc makes the user's name of a function out of a linker symbol: nb/c1.(*Ꞷt).Ꞷput is (*t).put.
func UserFunc(symbol string) string {
	symbol = symbol[strings.LastIndexByte(symbol, '/')+1:]
	_, name, _ := strings.Cut(symbol, ".")
	name = strings.ReplaceAll(name, "[...]", "")
	if literal, ok := strings.CutPrefix(name, "ꞶRun"); ok {
		if strings.Contains(literal, ".func") {
			return "a function literal"
		}
		return ""
	}
	name, _, _ = strings.Cut(name, "-range") // the body of a loop over a function
	name = strings.ReplaceAll(strings.ReplaceAll(name, "ꞶI_", ""), "Ꞷ", "")
	if outer, _, ok := strings.Cut(name, ".func"); ok {
		return "a function literal of " + outer
	}
	return name
}

// maxFolded is how many functions outside of cells are named.
const maxFolded = 3

// FramesText writes frames for people: those in cells first, one a line, then the others in one line. source gives the
// line of a cell that a place stands for, which is shown under the innermost frame; it may be nil.
func FramesText(frames []Frame, source func(place string) string) []string {
	var lines, folded []string
	others := 0
	for _, f := range frames {
		if f.Place == "" {
			others += max(f.Times, 1)
			if len(folded) < maxFolded {
				folded = append(folded, f.Func[strings.LastIndexByte(f.Func, '/')+1:])
			}
			continue
		}
		line := "    at " + f.Place
		if f.Func != "" {
			line += " in " + f.Func
		}
		if f.Times > 1 {
			line += fmt.Sprintf(" (%d times)", f.Times)
		}
		lines = append(lines, line)
		if len(lines) == 1 && source != nil {
			if text := strings.TrimSpace(source(f.Place)); text != "" {
				lines = append(lines, "        "+text)
			}
		}
	}
	if others > len(folded) {
		folded = append(folded, fmt.Sprintf("%d more", others-len(folded)))
	}
	if others > 0 {
		lines = append(lines, "    by way of "+strings.Join(folded, ", "))
	}
	return lines
}
