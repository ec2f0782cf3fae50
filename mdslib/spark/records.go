package spark

// Arrow records as they travel: results straight from Spark's answers, and rows of this process that become a relation.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"gomosaic/mdslib"
	"gomosaic/mdslib/arrowmds"
	"gomosaic/mdslib/plan"
)

// Records implements arrowmds.Engine. A record is one of Spark's own batches.
func (e *engine) Records(ctx context.Context, p plan.Node) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		for stream, err := range e.streams(ctx, p) {
			if err != nil {
				yield(nil, err)
				return
			}
			for r, err := range records(stream) {
				if err == nil {
					r.Retain()
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// records reads an Arrow stream: its schema, then its records, which are good until the next one.
func records(stream []byte) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		r, err := ipc.NewReader(bytes.NewReader(stream))
		if err != nil {
			yield(nil, fmt.Errorf("spark: results: %w", err))
			return
		}
		defer r.Release()
		for r.Next() {
			if !yield(r.Record(), nil) {
				return
			}
		}
		if err := r.Err(); err != nil {
			yield(nil, fmt.Errorf("spark: results: %w", err))
		}
	}
}

// Rows of this process go into the plan itself up to so many bytes; more of them are sent ahead, in streams of about so many,
// which the server keeps for the session. PySpark's default is the same inlineRows, and 16 MiB is Spark's own size of a chunk.
const (
	inlineRows = 1 << 20
	chunkBytes = 16 << 20
)

// FromRows implements mdslib.RowsEngine.
func (e *engine) FromRows(ctx context.Context, schema plan.Schema, rows [][]any) (plan.Node, error) {
	of, err := arrowmds.RowSchema(schema)
	if err != nil {
		return nil, err
	}
	return e.FromRecords(ctx, of, arrowmds.RecordsOf(schema, valuesOf(rows)))
}

func valuesOf(rows [][]any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// FromRecords implements arrowmds.Engine.
func (e *engine) FromRecords(ctx context.Context, schema *arrow.Schema, records iter.Seq2[arrow.Record, error]) (plan.Node, error) {
	var chunk bytes.Buffer
	var w *ipc.Writer
	var hashes []string
	var sent, limit int64
	end := func() ([]byte, error) {
		if w == nil {
			w = ipc.NewWriter(&chunk, ipc.WithSchema(schema))
		}
		err := w.Close()
		w = nil
		return chunk.Bytes(), err
	}
	flush := func() error {
		data, err := end()
		if err != nil {
			return fmt.Errorf("spark: CreateDataFrame: %w", err)
		}
		if limit == 0 {
			limit = e.rowsLimit(ctx)
		}
		if sent += int64(len(data)); sent > limit {
			return fmt.Errorf("spark: CreateDataFrame: the rows are more than %s, which spark.sql.session.localRelationSizeLimit sets: write them to a file that Spark can read", mdslib.FormatBytes(limit))
		}
		sum := sha256.Sum256(data)
		hash := hex.EncodeToString(sum[:])
		hashes = append(hashes, hash)
		data = bytes.Clone(data)
		chunk.Reset()
		return e.send(ctx, artifact{"cache/" + hash, int64(len(data)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }})
	}
	for r, err := range records {
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if w == nil {
			w = ipc.NewWriter(&chunk, ipc.WithSchema(schema))
		}
		if err := w.Write(r); err != nil {
			return nil, fmt.Errorf("spark: CreateDataFrame: %w", err)
		}
		if chunk.Len() >= chunkBytes {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(hashes) == 0 && chunk.Len() <= inlineRows {
		data, err := end()
		if err != nil {
			return nil, fmt.Errorf("spark: CreateDataFrame: %w", err)
		}
		return &plan.Rows{Arrow: data}, nil
	}
	if chunk.Len() > 0 {
		if err := flush(); err != nil {
			return nil, err
		}
	}
	return &plan.Rows{Cached: hashes}, nil
}

// rowsLimit is how many bytes of rows the server takes, by its own setting; 3 GB is Spark's default.
func (e *engine) rowsLimit(ctx context.Context) int64 {
	const byDefault = 3 << 30
	text, err := e.Conf(ctx, "spark.sql.session.localRelationSizeLimit")
	if err != nil {
		return byDefault
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return byDefault
	}
	return n
}
