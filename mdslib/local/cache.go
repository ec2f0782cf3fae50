package local

// Rows that are kept between runs: DataFrame.Cache.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gomosaic/mdslib/plan"
)

// cache is the steps whose rows are kept. A step is known by its address: the frames that are made of a frame share its steps.
type cache struct {
	mu   sync.Mutex
	kept map[plan.Node]*keptRows
}

// keptRows is a step's rows, a list for each partition, from its first run on.
type keptRows struct {
	mu     sync.Mutex
	filled bool
	lists  [][]Row
	schema plan.Schema
}

// Persist implements mdslib.CacheEngine.
func (e *engine) Persist(_ context.Context, p plan.Node, level string) error {
	if level != "" && !strings.HasPrefix(strings.ToUpper(level), "MEMORY_") {
		return fmt.Errorf("local: Persist: level %q: this engine keeps rows in memory only", level)
	}
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	if e.cache.kept == nil {
		e.cache.kept = map[plan.Node]*keptRows{}
	}
	if e.cache.kept[p] == nil {
		e.cache.kept[p] = &keptRows{}
	}
	return nil
}

// Unpersist implements mdslib.CacheEngine.
func (e *engine) Unpersist(_ context.Context, p plan.Node) error {
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	delete(e.cache.kept, p)
	return nil
}

func (c *cache) of(n plan.Node) *keptRows {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[n]
}

// keep is the relation of a step whose rows are kept. The first partition that is run computes them all.
func (e *engine) keep(ctx context.Context, n plan.Node, k *keptRows) (*relation, error) {
	k.mu.Lock()
	filled, parts, schema := k.filled, len(k.lists), k.schema
	k.mu.Unlock()
	var in *relation
	if !filled {
		var err error
		if in, err = e.step(ctx, n, nil); err != nil {
			return nil, err
		}
		parts, schema = len(in.partitions), in.schema
	}
	lists := func(ctx context.Context) ([][]Row, error) { return k.fill(ctx, e, in) }
	out := listed(schema, parts, lists)
	out.rows = func(ctx context.Context) ([]Row, error) {
		all, err := lists(ctx)
		return slices.Concat(all...), err
	}
	return out, nil
}

// fill computes the rows, unless they are there. A run that fails leaves nothing.
func (k *keptRows) fill(ctx context.Context, e *engine, in *relation) ([][]Row, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.filled {
		return k.lists, nil
	}
	lists, err := e.gather(ctx, in)
	if err != nil {
		return nil, err
	}
	k.filled, k.lists, k.schema = true, lists, in.schema
	return lists, nil
}
