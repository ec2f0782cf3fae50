package measure

import (
	"strings"
	"testing"
	"time"
)

// TestText compares with IPython 9's _format_time.
func TestText(t *testing.T) {
	for _, test := range []struct {
		seconds float64
		want    string
	}{
		{0, "0 ns"}, {1.2345e-9, "1.23 ns"}, {4e-10, "0.4 ns"}, {1.5e-6, "1.5 µs"}, {999e-9, "999 ns"}, {0.0123456, "12.3 ms"}, {0.25, "250 ms"},
		{1, "1 s"}, {59.94, "59.9 s"}, {65, "1min 5s"}, {90061, "1d 1h 1min 1s"},
	} {
		if got := Text(test.seconds); got != test.want {
			t.Errorf("%v: %q, want %q", test.seconds, got, test.want)
		}
	}
}

func TestSummary(t *testing.T) {
	got := summary([]float64{1e-6, 3e-6}, 100000)
	if want := "2 µs ± 1 µs per loop (mean ± std. dev. of 2 runs, 100,000 loops each)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	got = summary([]float64{1e-6, 5e-6}, 1)
	if !strings.HasPrefix(got, "The slowest run took 5.00 times longer than the fastest.") || !strings.HasSuffix(got, "of 2 runs, 1 loop each)\n") {
		t.Error(got)
	}
}

func TestLine(t *testing.T) {
	r := result{N: 100, took: 12345 * time.Nanosecond, bytes: 6400, allocs: 200}
	fields := strings.Fields(r.line("f( 1 )"))
	if !strings.HasPrefix(fields[0], "Benchmarkf(1)") || strings.Join(fields[1:], " ") != "100 123.5 ns/op 64 B/op 2 allocs/op" {
		t.Errorf("%q", fields)
	}
}

// TestLoop: every round runs, whatever the pieces.
func TestLoop(t *testing.T) {
	ran := 0
	l := &loop{body: func(n int) { ran += n }}
	l.run(1_000_003)
	if ran != 1_000_003 || l.piece < 1000 {
		t.Errorf("%d rounds, pieces of %d", ran, l.piece)
	}
}
