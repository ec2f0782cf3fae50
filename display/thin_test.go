package display

import (
	"math"
	"testing"
)

// check holds Thin to its promises.
func check(t *testing.T, points []Point, limit int) {
	t.Helper()
	kept := Thin(points, limit)
	if len(kept) > max(limit, 4) && len(kept) != len(points) || len(points) <= limit && len(kept) != len(points) {
		t.Fatalf("Thin(%d points, %d) keeps %d", len(points), limit, len(kept))
	}
	if len(points) == 0 {
		return
	}
	same := func(a, b Point) bool {
		return math.Float64bits(a.X) == math.Float64bits(b.X) && math.Float64bits(a.Y) == math.Float64bits(b.Y)
	}
	if !same(kept[0], points[0]) || !same(kept[len(kept)-1], points[len(points)-1]) {
		t.Fatalf("the ends are %v and %v, want %v and %v", kept[0], kept[len(kept)-1], points[0], points[len(points)-1])
	}
	low, high := span(points)
	keptLow, keptHigh := span(kept)
	if keptHigh != high || undrawable(points) == 0 && keptLow != low {
		t.Fatalf("the range is %v … %v, want %v … %v", keptLow, keptHigh, low, high)
	}
	if undrawable(points) > 0 && undrawable(kept) == 0 {
		t.Fatal("every non-finite value was dropped")
	}
	at := 0
	for _, p := range kept { // in order, none invented
		for at < len(points) && !same(points[at], p) {
			at++
		}
		if at == len(points) {
			t.Fatalf("%v is out of order or not among the points", p)
		}
		at++
	}
}

func TestThinKeepsTheShape(t *testing.T) {
	spike := make([]Point, 100_000)
	for i := range spike {
		spike[i] = Point{float64(i), math.Sin(float64(i) / 1000)}
	}
	spike[54_321].Y = 9
	spike[12_345].Y = math.NaN()
	check(t, spike, MaxPoints)
	if n := len(Thin(spike, MaxPoints)); n < MaxPoints*9/10 {
		t.Errorf("%d points, want nearly %d", n, MaxPoints)
	}
	check(t, spike[:MaxPoints], MaxPoints)
	check(t, nil, MaxPoints)
}

func FuzzThin(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 255, 3}, 5)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255}, 4)
	f.Add([]byte{0}, -3)
	f.Fuzz(func(t *testing.T, ys []byte, limit int) {
		points := make([]Point, len(ys))
		for i, y := range ys {
			points[i] = Point{float64(i), float64(y)}
			switch y {
			case 255:
				points[i].Y = math.NaN()
			case 254:
				points[i].Y = math.Inf(-1)
			}
		}
		check(t, points, limit)
	})
}
