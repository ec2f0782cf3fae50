package measure

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"time"
)

// Time runs f once and prints the time that it took, of the process's processors (all threads, the garbage collector's
// too) and on the wall, in IPython's words.
func Time(f func()) {
	user, system := processorTimes()
	start := time.Now()
	f()
	wall := time.Since(start)
	userAfter, systemAfter := processorTimes()
	user, system = userAfter-user, systemAfter-system
	fmt.Printf("CPU times: user %s, sys: %s, total: %s\nWall time: %s\n", text(user), text(system), text(user+system), text(wall))
}

// processorTimes are those of the process so far.
func processorTimes() (user, system time.Duration) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, 0
	}
	return time.Duration(usage.Utime.Nano()), time.Duration(usage.Stime.Nano())
}

func text(d time.Duration) string { return Text(d.Seconds()) }

// Text writes a time in seconds as IPython does: 3 significant digits and a unit, "1.23 µs"; from a minute on in words,
// "1min 5s".
func Text(seconds float64) string {
	if seconds >= 60 {
		var parts []string
		left := int64(seconds)
		for _, unit := range []struct {
			name   string
			length int64
		}{{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}} {
			if n := left / unit.length; n > 0 {
				parts = append(parts, fmt.Sprintf("%d%s", n, unit.name))
				left -= n * unit.length
			}
		}
		return strings.Join(parts, " ")
	}
	order := 3
	if seconds > 0 {
		order = min(int(-math.Floor(math.Floor(math.Log10(seconds))/3)), 3)
	}
	scaled := seconds * []float64{1, 1e3, 1e6, 1e9}[max(order, 0)]
	return significant(scaled) + " " + []string{"s", "ms", "µs", "ns"}[max(order, 0)]
}

// significant is Python's %.3g for numbers from 0 up to 1000.
func significant(x float64) string {
	digits := 2
	if x > 0 {
		digits = max(2-int(math.Floor(math.Log10(x))), 0)
	}
	s := fmt.Sprintf("%.*f", digits, x)
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}
