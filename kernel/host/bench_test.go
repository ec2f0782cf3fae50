package host

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkTrivialCell(b *testing.B) {
	s, err := Start(b.Context(), testOptions)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	count := 0
	for b.Loop() {
		count++
		if err := s.Execute(b.Context(), "x := 1\nx + 1", count, &recorder{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGuards compares loops in a cell with the same loops in a compiled package, which have no guards. The ratio
// of a typical loop is to stay at 1.10 or below; recursion pays most (fib).
func BenchmarkGuards(b *testing.B) {
	s, err := Start(b.Context(), testOptions)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	cell := "import (\"fmt\"; \"time\"; \"cellstest/entry\")\n" + strings.ReplaceAll(loops, "func L", "func c") +
		`
func best(f func() int) time.Duration {
	d := time.Hour
	for range 15 { at := time.Now(); f(); d = min(d, time.Since(at)) }
	return d
}
fmt.Printf("%.3f %.3f %.3f", float64(best(cMap))/float64(best(entry.LMap)), float64(best(cImage))/float64(best(entry.LImage)), float64(best(cFib))/float64(best(entry.LFib)))`
	for b.Loop() {
		out := &recorder{}
		if err := s.Execute(b.Context(), cell, 1, out); err != nil {
			b.Fatal(err, err.(*CellError).Text())
		}
		var m, image, fib float64
		if _, err := fmt.Sscan(out.text(), &m, &image, &fib); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(m, "map-ratio")
		b.ReportMetric(image, "image-ratio")
		b.ReportMetric(fib, "fib-ratio")
	}
}

// loops are compiled twice: into the host and in a cell.
const loops = `
func LMap() int {
	m := map[int]int{}
	for i := range 300000 {
		m[i%1000] += i
	}
	return len(m)
}

func LImage() int {
	img := make([]float32, 224*224*3)
	for y := 0; y < 224; y++ {
		for x := 0; x < 224; x++ {
			for c := 0; c < 3; c++ {
				i := (y*224+x)*3 + c
				img[i] = img[i]*0.5 + float32(c)
			}
		}
	}
	return len(img)
}

func LFib() int {
	var fib func(int) int
	fib = func(n int) int {
		if n < 2 {
			return n
		}
		return fib(n-1) + fib(n-2)
	}
	return fib(25)
}
`
