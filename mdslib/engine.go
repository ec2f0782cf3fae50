package mdslib

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"gomosaic/mdslib/plan"
)

// Engine runs plans. Implementations MUST be safe for concurrent use and MUST stop early with the context's error when
// it is done. The plan is never changed. Errors about an expression say which and where, errors about a row name its
// file and place.
type Engine interface {
	// Schema checks the plan and returns its columns without running it.
	Schema(ctx context.Context, p plan.Node) (Schema, error)

	// Batches runs the plan and yields its rows in the plan's order; after an error it ends. The consumer may stop early.
	Batches(ctx context.Context, p plan.Node) iter.Seq2[*Batch, error]

	// ConvertMDS runs the plan and writes its rows as one MDS data set, partitions in parallel, by the rules of
	// [Conversion]: a failure leaves no index.json of this attempt. opts.Columns and opts.Compression are resolved.
	ConvertMDS(ctx context.Context, p plan.Node, opts MDSOptions) (*Report, error)

	// Write runs the plan and writes its rows as files of tables or to a table; see [DataFrameWriter].
	Write(ctx context.Context, p plan.Node, spec WriteSpec) error
}

// SQLEngine is implemented by engines that keep a session of SQL: statements and settings.
type SQLEngine interface {
	// SQL runs a command and returns the plan of its rows; of a query it returns the plan, not yet run.
	SQL(ctx context.Context, query string) (plan.Node, error)

	// Conf returns a setting of the session; one that is not known is an error.
	Conf(ctx context.Context, key string) (string, error)

	// SetConf changes a setting of the session; one that is the server's own is an error.
	SetConf(ctx context.Context, key, value string) error
}

// CatalogEngine is implemented by engines that keep plans under names, and say how they run them.
type CatalogEngine interface {
	// CreateTempView gives a plan a name in the session's catalogue; a name that is taken is an error unless replace is set.
	CreateTempView(ctx context.Context, p plan.Node, name string, replace bool) error

	// Explain describes how the plan is run; "" is the simple mode.
	Explain(ctx context.Context, p plan.Node, mode string) (string, error)
}

// CacheEngine is implemented by engines that keep the rows of plans.
type CacheEngine interface {
	// Persist keeps the rows of a plan from when they are computed next. level is one of Spark's StorageLevel; "" is the default.
	Persist(ctx context.Context, p plan.Node, level string) error

	// Unpersist forgets them; a plan that isn't kept is no error.
	Unpersist(ctx context.Context, p plan.Node) error
}

// EngineDriver opens the engine a URL names.
type EngineDriver func(ctx context.Context, url string) (Engine, error)

var engines = struct {
	sync.RWMutex
	open map[string]EngineDriver
}{open: map[string]EngineDriver{}}

// RegisterEngine makes an engine known to [Connect] by its URL scheme, such as "local" or "sc", in the manner of
// database/sql. It panics if the scheme is taken.
func RegisterEngine(scheme string, open EngineDriver) {
	engines.Lock()
	defer engines.Unlock()
	if scheme == "" || open == nil || engines.open[scheme] != nil {
		panic("mdslib: RegisterEngine: scheme " + scheme + " is taken, or the driver is nil")
	}
	engines.open[scheme] = open
}

// openEngine opens the engine that url names: a scheme alone, scheme[n] or scheme:rest.
func openEngine(ctx context.Context, url string) (Engine, error) {
	scheme, _, _ := strings.Cut(url, ":")
	scheme, _, _ = strings.Cut(scheme, "[") // local[4], as Spark spells a master with four workers
	scheme = strings.ToLower(strings.TrimSpace(scheme))
	engines.RLock()
	open, names := engines.open[scheme], slices.Sorted(maps.Keys(engines.open))
	engines.RUnlock()
	if open != nil {
		return open(ctx, url)
	}
	linked := "no engine is linked into this program: import _ \"gomosaic/mdslib/local\""
	if len(names) > 0 {
		linked = "linked into this program: " + strings.Join(names, ", ")
	}
	switch scheme {
	case "sc", "spark-local", "databricks":
		return nil, fmt.Errorf("mdslib: Connect %s: Spark is not linked into this program: import _ \"gomosaic/mdslib/spark\" (%s)", scheme, linked)
	}
	return nil, fmt.Errorf("mdslib: Connect: unknown engine %q (%s)", scheme, linked)
}
