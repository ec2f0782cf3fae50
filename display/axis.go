package display

// Axis: from the range of the data to round ticks and places on the picture. Used by svg.go.

import (
	"math"
	"strconv"
	"strings"
)

// axis maps values from low to high onto pixels from a to b.
type axis struct {
	low, high float64
	log       bool
	a, b      float64
	ticks     []tick
}

type tick struct {
	at   float64
	text string // empty for a minor tick
}

// newAxis takes the range of the data, low > high if there is none; a fixed range is kept as
// it is, any other is widened to round numbers.
func newAxis(low, high float64, fixed, log bool, most int) axis {
	if low > high {
		low, high = 0, 1
		if log {
			low, high = 0.1, 1
		}
	}
	if log {
		return logAxis(low, high, fixed)
	}
	if low == high && !fixed {
		pad := math.Abs(low) * 0.1
		if pad == 0 {
			pad = 1
		}
		low, high = low-pad, high+pad
	}
	step := roundStep((high - low) / float64(max(most, 2)))
	if !fixed {
		low, high = math.Floor(low/step+1e-9)*step, math.Ceil(high/step-1e-9)*step
	}
	x := axis{low: low, high: high}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	if step/math.Pow(10, -float64(decimals)) != math.Trunc(step/math.Pow(10, -float64(decimals))) && decimals < 12 {
		if s := step * math.Pow(10, float64(decimals)); math.Abs(s-math.Round(s)) > 1e-6 {
			decimals++
		}
	}
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		x.ticks = append(x.ticks, tick{i * step, tickText(i*step, step, decimals)})
	}
	return x
}

func tickText(v, step float64, decimals int) string {
	if math.Abs(v) < step/2 {
		return "0"
	}
	if a := math.Max(math.Abs(v), step); a >= 1e7 || decimals > 6 {
		s := strconv.FormatFloat(v, 'g', 4, 64)
		return minus(strings.Replace(s, "e+0", "e", 1))
	}
	if decimals == 0 {
		return minus(groupDigits(int(math.Round(v))))
	}
	return minus(strconv.FormatFloat(v, 'f', decimals, 64))
}

// roundStep is the next of 1, 2, 2.5 and 5 times a power of ten.
func roundStep(raw float64) float64 {
	if !(raw > 0) || math.IsInf(raw, 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if raw <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

func logAxis(low, high float64, fixed bool) axis {
	low = math.Max(low, 1e-300)
	high = math.Max(high, low)
	from, to := math.Floor(math.Log10(low)+1e-9), math.Ceil(math.Log10(high)-1e-9)
	if from == to {
		to++
	}
	x := axis{low: math.Pow(10, from), high: math.Pow(10, to), log: true}
	if to-from <= 3 { // whole decades would leave much of the plot empty
		for _, m := range []float64{2, 5} {
			if v := m * math.Pow(10, from); v <= low {
				x.low = v
			}
		}
		for _, m := range []float64{5, 2} {
			if v := m * math.Pow(10, to-1); v >= high && v > x.low {
				x.high = v
			}
		}
	}
	if fixed {
		x.low, x.high = low, high
	}
	every := math.Ceil((to - from) / 6)
	for e := from; e <= to; e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < x.low*(1-1e-9) || v > x.high*(1+1e-9) {
				continue
			}
			text := ""
			if m == 1 && math.Mod(e-from, every) == 0 || to-from <= 2 && (m == 2 || m == 5) {
				text = strings.Replace(strconv.FormatFloat(v, 'g', 3, 64), "e-0", "e-", 1)
				text = minus(strings.Replace(text, "e+0", "e", 1))
			}
			if m == 1 || to-from <= 3 {
				x.ticks = append(x.ticks, tick{v, text})
			}
		}
	}
	return x
}

// at is the pixel of v.
func (x axis) at(v float64) float64 {
	low, high := x.low, x.high
	if x.log {
		v, low, high = math.Log10(math.Max(v, 1e-300)), math.Log10(low), math.Log10(high)
	}
	if high == low {
		return (x.a + x.b) / 2
	}
	return x.a + (v-low)/(high-low)*(x.b-x.a)
}
