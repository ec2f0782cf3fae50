package worker

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib"
)

// TestIterate: what a func yields is written, however much that is; errors, its own, of the rows and of panics, leave nothing.
func TestIterate(t *testing.T) {
	type samples = iter.Seq2[mdslib.Sample, error]
	each := func(fn func(row mdslib.Sample, yield func(mdslib.Sample, error) bool) bool) func(samples) samples {
		return func(rows samples) samples {
			return func(yield func(mdslib.Sample, error) bool) {
				for row, err := range rows {
					if err != nil || !fn(row, yield) {
						return
					}
				}
			}
		}
	}
	text := "2\t0\tcm9zZQ==\tE\n2\t1\tbGlseQ==\tE\n2\t2\tdHVsaXA=\tE\n"
	for name, test := range map[string]struct {
		udf  func(samples) samples
		text string
		want []int64
		says string
	}{
		"twice": {udf: each(func(row mdslib.Sample, yield func(mdslib.Sample, error) bool) bool {
			return yield(row, nil) && yield(mdslib.Sample{"n": row["n"].(int64) + 10, "s": "more"}, nil)
		}), want: []int64{0, 10, 1, 11, 2, 12}},
		"of all": {udf: func(rows samples) samples {
			return func(yield func(mdslib.Sample, error) bool) {
				var names []string
				for row := range rows {
					names = append(names, row["s"].(string))
				}
				yield(mdslib.Sample{"n": int64(len(names)), "s": strings.Join(names, " ")}, nil)
			}
		}, want: []int64{3}},
		"one":  {udf: each(func(row mdslib.Sample, yield func(mdslib.Sample, error) bool) bool { yield(row, nil); return false }), want: []int64{0}},
		"none": {udf: each(func(mdslib.Sample, func(mdslib.Sample, error) bool) bool { return true })},
		"error": {udf: each(func(row mdslib.Sample, yield func(mdslib.Sample, error) bool) bool {
			return yield(row, nil) && row["n"] != int64(1) || yield(nil, errors.New("wilted"))
		}), says: "row 1 of partition 2 (n: 1, s: lily): UDFIterable: wilted"},
		"type": {udf: each(func(row mdslib.Sample, yield func(mdslib.Sample, error) bool) bool {
			return yield(mdslib.Sample{"n": "x", "s": ""}, nil)
		}), says: `row 0 of partition 2 (n: 0, s: rose): UDFIterable: mdslib: sample 0: column "n"`},
		"panic":     {udf: each(func(row mdslib.Sample, yield func(mdslib.Sample, error) bool) bool { panic("a mole") }), says: "row 0 of partition 2 (n: 0, s: rose): UDFIterable: the func panicked: a mole"},
		"half rows": {udf: each(func(row mdslib.Sample, yield func(mdslib.Sample, error) bool) bool { return yield(row, nil) }), text: text[:len(text)-3], says: `row 2 of partition 2: column "s": unexpected EOF`},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			c, j := start(t, mdslib.MDSOptions{Out: out})
			if test.text == "" {
				test.text = text
			}
			r, err := convertYielded(t.Context(), j, strings.NewReader(test.text), test.udf)
			left := files(t, j.Options.Out)
			switch {
			case test.says != "":
				if err == nil || !strings.HasPrefix(err.Error(), test.says) {
					t.Errorf("%v, want %s", err, test.says)
				}
			case err != nil:
				t.Fatal(err)
			case r == nil:
				if test.want != nil {
					t.Errorf("no result, want %v", test.want)
				}
			default:
				if got := read(t, filepath.Join(j.Options.Out, r.Dir)); !slices.Equal(got, test.want) || r.Partition != 2 {
					t.Errorf("samples %v in partition %d, want %v", got, r.Partition, test.want)
				}
			}
			if r == nil && len(left) > 1 { // the marker
				t.Errorf("%v is left", left)
			}
			_ = c.Abort(fmt.Errorf("the test is over"))
		})
	}
}
