package display

// Thinning: a screen shows some hundreds of columns, and an output stays in the notebook's
// file for good. Used before every drawing.

// MaxPoints is the most points of one series that are drawn; a frame of a live chart, which
// lives a quarter of a second, has fewer.
const (
	MaxPoints  = 2000
	livePoints = 600
)

// Thin keeps at most limit points (at least 4) of a series in order of x, so that its drawing
// keeps its shape: the first and the last point, and of each of equal stretches the lowest
// and the highest one in their order; a stretch with a non-finite value keeps one such point
// in place of the lowest. A series that is short enough is returned as it is; no point is
// invented, and the order stays.
func Thin(points []Point, limit int) []Point {
	limit = max(limit, 4)
	if len(points) <= limit {
		return points
	}
	inner := points[1 : len(points)-1]
	buckets := (limit - 2) / 2
	kept := make([]Point, 0, limit)
	kept = append(kept, points[0])
	for b := range buckets {
		from, to := b*len(inner)/buckets, (b+1)*len(inner)/buckets
		low, high, odd := -1, -1, -1
		for i := from; i < to; i++ {
			switch y := inner[i].Y; {
			case !finite(y):
				if odd < 0 {
					odd = i
				}
			default:
				if low < 0 || y < inner[low].Y {
					low = i
				}
				if high < 0 || y > inner[high].Y {
					high = i
				}
			}
		}
		if odd >= 0 {
			low = odd
		}
		first, second := min(low, high), max(low, high)
		if first >= 0 {
			kept = append(kept, inner[first])
		}
		if second >= 0 && second != first {
			kept = append(kept, inner[second])
		}
	}
	return append(kept, points[len(points)-1])
}
