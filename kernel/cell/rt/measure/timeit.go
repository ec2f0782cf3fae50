package measure

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

const (
	defaultRuns = 7
	runLasts    = 200 * time.Millisecond
)

// Timeit prints the mean time of a round, as IPython's %timeit: over 7 runs of so many rounds, a power of ten, that one
// lasts 0.2 s. body runs n rounds.
func Timeit(o Options, body func(n int)) {
	l := &loop{body: body}
	n := o.N
	if n <= 0 {
		for n = 1; n < 1e9 && l.run(n) < runLasts; n *= 10 {
		}
	}
	runs := o.R
	if runs <= 0 {
		runs = defaultRuns
	}
	seconds := make([]float64, runs) // of one round
	for i := range seconds {
		seconds[i] = l.run(n).Seconds() / float64(n)
	}
	fmt.Print(summary(seconds, n))
}

// summary is what Timeit prints; seconds are the times of a round by run.
func summary(seconds []float64, n int) string {
	best, worst, sum := math.Inf(1), 0.0, 0.0
	for _, s := range seconds {
		best, worst, sum = min(best, s), max(worst, s), sum+s
	}
	mean := sum / float64(len(seconds))
	variance := 0.0
	for _, s := range seconds {
		variance += (s - mean) * (s - mean)
	}
	deviation := math.Sqrt(variance / float64(len(seconds)))
	text := ""
	if worst > 4*best && best > 0 && worst > 1e-6 { // IPython's rule and words
		text = fmt.Sprintf("The slowest run took %.2f times longer than the fastest. This could mean that an intermediate result is being cached.\n", worst/best)
	}
	return text + fmt.Sprintf("%s ± %s per loop (mean ± std. dev. of %s, %s each)\n", Text(mean), Text(deviation), count(len(seconds), "run"), count(n, "loop"))
}

// count is "1 loop", "1,000 loops".
func count(n int, noun string) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n != 1 {
		noun += "s"
	}
	return digits + " " + noun
}
