package mdslib

// Rows that are kept, so that a plan that is used often is run once.

import (
	"context"
	"fmt"
)

// Cache keeps the rows when they are computed next, for this DataFrame and those made of it from now on: Spark in the memory
// and on the disks of its executors, the local engine in this process's memory, file contents apart. Nothing is run yet.
// [DataFrame.Unpersist] frees them.
func (d *DataFrame) Cache(ctx context.Context) error { return d.Persist(ctx, "") }

// Persist is [DataFrame.Cache] with one of Spark's storage levels: MEMORY_ONLY, MEMORY_AND_DISK, DISK_ONLY, each with _2 for
// two copies, OFF_HEAP; "" is the default. The local engine has memory only.
func (d *DataFrame) Persist(ctx context.Context, level string) error {
	e, err := d.cache("Persist")
	if err != nil {
		return err
	}
	return e.Persist(ctx, d.node, level)
}

// Unpersist frees what [DataFrame.Cache] keeps; if that is nothing, it does nothing.
func (d *DataFrame) Unpersist(ctx context.Context) error {
	e, err := d.cache("Unpersist")
	if err != nil {
		return err
	}
	return e.Unpersist(ctx, d.node)
}

func (d *DataFrame) cache(what string) (CacheEngine, error) {
	if e, ok := d.session.engine.(CacheEngine); ok {
		return e, nil
	}
	return nil, fmt.Errorf("mdslib: %s: the engine %s keeps no rows", what, d.session.url)
}
