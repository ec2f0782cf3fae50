package mdslib

// A DataFrame under a name of the engine's catalogue, and the engine's own view of it.

import (
	"context"
	"fmt"
)

// CreateTempView gives the DataFrame a name for the session's SQL; a name that is taken is an error. Nothing is run: the view
// is the plan. An engine without SQL, such as local, refuses.
func (d *DataFrame) CreateTempView(ctx context.Context, name string) error {
	e, err := d.catalog("CreateTempView")
	if err != nil {
		return err
	}
	return e.CreateTempView(ctx, d.node, name, false)
}

// CreateOrReplaceTempView is [DataFrame.CreateTempView] where the name may be taken.
func (d *DataFrame) CreateOrReplaceTempView(ctx context.Context, name string) error {
	e, err := d.catalog("CreateOrReplaceTempView")
	if err != nil {
		return err
	}
	return e.CreateTempView(ctx, d.node, name, true)
}

// Explain is the engine's description of how it runs the plan. The modes are Spark's: "" or simple, extended, codegen, cost and
// formatted.
func (d *DataFrame) Explain(ctx context.Context, mode string) (string, error) {
	e, err := d.catalog("Explain")
	if err != nil {
		return "", err
	}
	return e.Explain(ctx, d.node, mode)
}

func (d *DataFrame) catalog(what string) (CatalogEngine, error) {
	if e, ok := d.session.engine.(CatalogEngine); ok {
		return e, nil
	}
	return nil, fmt.Errorf("mdslib: %s: the engine %s has no catalogue: connect to Spark (sc://host:port)", what, d.session.url)
}
