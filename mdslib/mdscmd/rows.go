package mdscmd

// Samples undecoded, one after the other: what cat, convert, stats and diff read.

import (
	"context"
	"fmt"
	"slices"

	"gomosaic/mdslib"
)

// row is one sample: its columns' bytes in the order of names. It is valid until the next one.
type row struct {
	number    int64
	text      bool // of a shard of a text format
	names     []string
	encodings []*mdslib.Encoding
	fields    [][]byte
}

// column returns a column's bytes and encoding.
func (r *row) column(name string) ([]byte, *mdslib.Encoding, bool) {
	i := slices.Index(r.names, name)
	if i < 0 {
		return nil, nil, false
	}
	return r.fields[i], r.encodings[i], true
}

// eachRow gives each the samples from number skip on, at most limit of them if that is not negative. Shards of a remote data
// set are downloaded when they are reached.
func (s *set) eachRow(ctx context.Context, skip, limit int64, each func(*row) error) error {
	d, err := s.open()
	if err != nil {
		return err
	}
	defer d.Close()
	r := &row{}
	var raw []byte
	for i, begin := 0, int64(0); i < len(s.index.Shards) && limit != 0; i++ {
		n := int64(s.index.Shards[i].Samples)
		first := max(0, skip-begin)
		begin += n
		if first >= n {
			continue
		}
		if err := s.bring(ctx, i, i+1); err != nil {
			return err
		}
		shard, err := d.Shard(i)
		if err != nil {
			return err
		}
		r.names, r.encodings, r.text = shard.Columns(), shard.Encodings(), isText(&s.index.Shards[i])
		for k := first; k < n && limit != 0; k++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if raw, err = shard.AppendRaw(raw[:0], int(k)); err != nil {
				return err
			}
			r.number = begin - n + k
			if r.fields, err = shard.Fields(r.fields[:0], raw); err != nil {
				return fmt.Errorf("sample %d: %w", r.number, err)
			}
			if err := each(r); err != nil {
				return err
			}
			limit--
		}
	}
	return nil
}
