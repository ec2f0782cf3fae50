package local

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/local/expr"
	"gomosaic/mdslib/plan"
)

func init() { mdslib.RegisterEngine("local", open) }

// engine runs plans in this process.
type engine struct {
	workers int
	env     expr.Env
	cache   cache
}

// open reads "local", "local[n]" and "local[*]".
func open(_ context.Context, url string) (mdslib.Engine, error) {
	e := &engine{workers: runtime.GOMAXPROCS(0), env: expr.Env{Location: time.Local}}
	n := strings.TrimSuffix(strings.TrimPrefix(url[len("local"):], "["), "]")
	if n == "" || n == "*" || n == ":" {
		return e, nil
	}
	workers, err := strconv.Atoi(n)
	if err != nil || workers < 1 {
		return nil, fmt.Errorf("local: %q: want local, local[n] with n workers, or local[*]", url)
	}
	e.workers = workers
	return e, nil
}

// Schema implements mdslib.Engine.
func (e *engine) Schema(ctx context.Context, p plan.Node) (mdslib.Schema, error) {
	r, err := e.build(ctx, p, nil)
	if err != nil {
		return mdslib.Schema{}, err
	}
	return r.schema, nil
}

// Batches implements mdslib.Engine. Batches hold up to 1024 rows or about 8 MB.
func (e *engine) Batches(ctx context.Context, p plan.Node) iter.Seq2[*mdslib.Batch, error] {
	return func(yield func(*mdslib.Batch, error) bool) {
		r, err := e.build(ctx, p, nil)
		if err != nil {
			yield(nil, err)
			return
		}
		r = r.fetchedAhead()
		for b, err := range ordered(ctx, e, r.partitions, func(rows []Row) (*mdslib.Batch, error) { return toBatch(r.schema, rows) }) {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// toBatch reads what was put off and turns rows into columns.
func toBatch(schema plan.Schema, rows []Row) (*mdslib.Batch, error) {
	values := make([][]any, len(rows))
	for i, row := range rows {
		values[i] = row.Values
		for c, v := range row.Values {
			read, err := force(v, row.Origin)
			if err != nil {
				return nil, err
			}
			if _, lazy := v.(expr.Lazy); lazy {
				if &values[i][0] == &row.Values[0] {
					values[i] = append([]any{}, row.Values...)
				}
				values[i][c] = read
			}
		}
	}
	return mdslib.NewBatch(schema, values)
}
