// Package streamlib streams Mosaic Data Shards into batches: cache, sample order, loader.
package streamlib
