package ranks

import (
	"testing"
	"time"
)

func TestSkew(t *testing.T) {
	zero := time.Now()
	for _, test := range []struct{ clock, after, before, want time.Duration }{
		{5, 0, 10, 0}, {0, 0, 10, 0}, {10, 0, 10, 0}, {15, 0, 10, 5}, {-5, 0, 10, -5},
	} {
		if got := skewOf(zero.Add(test.clock), zero.Add(test.after), zero.Add(test.before)); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
