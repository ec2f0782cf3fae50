package display

// Numbers as people read them: few digits, groups of three, human times. Used by charts,
// tables and bars.

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// shortNumber writes v with four significant digits.
func shortNumber(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "+∞"
	case math.IsInf(v, -1):
		return "−∞"
	case v == math.Trunc(v) && math.Abs(v) < 1e9:
		return minus(groupDigits(int(v)))
	}
	s := strconv.FormatFloat(v, 'g', 4, 64)
	if a := math.Abs(v); a >= 1e-4 && a < 1e6 {
		digits := max(0, 3-int(math.Floor(math.Log10(a))))
		s = strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', min(digits, 6), 64), "0"), ".")
	}
	return minus(s)
}

// minus puts the sign that is as wide as a digit.
func minus(s string) string {
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		return "−" + rest
	}
	return s
}

// groupDigits writes 60000 as 60 000, with spaces that do not break.
func groupDigits(n int) string {
	s, sign := strconv.Itoa(n), ""
	if n < 0 {
		s, sign = s[1:], "-"
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		if len(s) > 4 || i > 1 {
			s = s[:i] + "\u00a0" + s[i:]
		}
	}
	return sign + s
}

// clock writes a duration as tqdm does: 03:25, 1:02:07.
func clock(d time.Duration) string {
	seconds := int(d.Seconds())
	if seconds >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
