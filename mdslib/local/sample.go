package local

// Sample and RandomSplit, drawing Spark's numbers.

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"gomosaic/mdslib/plan"
)

// sample draws a number for each row as Spark's BernoulliCellSampler does: from an XORShiftRandom for each partition,
// seeded by the seed and the partition's number.
func (e *engine) sample(ctx context.Context, n *plan.Sample, want need) (*relation, error) {
	if n.Upper != n.Upper {
		return nil, fmt.Errorf("local: RandomSplit: the weights must not be negative, nor all 0")
	}
	if n.Lower < 0 || n.Upper > 1 || n.Lower > n.Upper {
		return nil, fmt.Errorf("local: Sample: the range %g to %g isn't within 0 to 1", n.Lower, n.Upper)
	}
	if n.Ordered {
		want = nil
	}
	in, err := e.build(ctx, n.Input, want)
	if err != nil {
		return nil, err
	}
	if n.Ordered {
		in = in.sortedPartitions()
	}
	out := &relation{schema: in.schema}
	for i, p := range in.partitions {
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			if n.Upper <= n.Lower {
				return nil
			}
			random := newXORShift(n.Seed + int64(i))
			return p(ctx, func(row Row) error {
				if x := random.float64(); x < n.Lower || x >= n.Upper {
					return nil
				}
				return yield(row)
			})
		})
	}
	return out, nil
}

// sortedPartitions sorts each partition by all its columns, NULL first. A file's content is read only where the columns
// before it are equal.
func (in *relation) sortedPartitions() *relation {
	var keys []int
	for i, f := range in.schema.Fields {
		if orderable(f.Type) {
			keys = append(keys, i)
		}
	}
	out := &relation{schema: in.schema}
	for _, p := range in.partitions {
		out.partitions = append(out.partitions, func(ctx context.Context, yield func(Row) error) error {
			var rows []Row
			if err := p(ctx, func(row Row) error { rows = append(rows, row); return nil }); err != nil {
				return err
			}
			var failed error
			slices.SortStableFunc(rows, func(a, b Row) int {
				for _, k := range keys {
					x, err := force(a.Values[k], a.Origin)
					y, err2 := force(b.Values[k], b.Origin)
					if err == nil {
						err = err2
					}
					if err != nil {
						failed = err
						return 0
					}
					if c := (sortKey{nullsFirst: true}).compare(x, y); c != 0 {
						return c
					}
				}
				return 0
			})
			if failed != nil {
				return failed
			}
			for _, row := range rows {
				if err := yield(row); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out
}

// orderable tells whether values of a type have an order: maps have none.
func orderable(t plan.Type) bool {
	switch t.Kind {
	case plan.Map:
		return false
	case plan.Array:
		return orderable(*t.Elem)
	case plan.Struct:
		return !slices.ContainsFunc(t.Fields, func(f plan.Field) bool { return !orderable(f.Type) })
	}
	return true
}

// xorShift is org.apache.spark.util.random.XORShiftRandom.
type xorShift uint64

// newXORShift mixes the seed as XORShiftRandom.hashSeed does: by MurmurHash3 of its big-endian bytes, twice.
func newXORShift(seed int64) xorShift {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	const arraySeed = 0x3c074a61 // scala.util.hashing.MurmurHash3.arraySeed
	low := murmur3(b, arraySeed)
	high := murmur3(b, low)
	return xorShift(uint64(high)<<32 | uint64(low))
}

func (r *xorShift) next(n int) uint64 {
	x := uint64(*r)
	x ^= x << 21
	x ^= x >> 35
	x ^= x << 4
	*r = xorShift(x)
	return x & (1<<n - 1)
}

// float64 is java.util.Random.nextDouble.
func (r *xorShift) float64() float64 {
	high := r.next(26)
	return float64(high<<27+r.next(27)) / (1 << 53)
}

// murmur3 is the 32-bit MurmurHash3 of eight bytes.
func murmur3(b [8]byte, seed uint32) uint32 {
	h := seed
	for i := 0; i < 8; i += 4 {
		k := binary.LittleEndian.Uint32(b[i:]) * 0xcc9e2d51
		h ^= bits.RotateLeft32(k, 15) * 0x1b873593
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	h ^= 8
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
