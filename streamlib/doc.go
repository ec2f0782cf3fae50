// Package streamlib streams Mosaic Data Shards into batches: cache, sample order, loader.
//
// A [StreamingDataset] brings the shards of one or more streams (a remote folder, a local one, or both) to this machine
// as they are needed and gives random access to their samples. A [StreamingDataLoader] iterates it in the order of
// mosaicml-streaming 0.13 (package order), decodes and transforms on all cores, and can stop and go on at any batch.
//
//	dataset, err := streamlib.NewStreamingDataset(ctx, streamlib.DatasetOptions{Remote: remote, Local: local, Shuffle: true, BatchSize: 32})
//	loader := streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{})
//	for batch, err := range loader.Batches(ctx) {
//		…
//	}
//
// Processes that share a cache folder need nothing but that folder: each shard is downloaded once, by whoever needs it
// first, under a lock that ends with its process; files appear by renaming, whole. What goes wrong in the background is
// the error of the batch that needed it; nothing is skipped or cut short.
package streamlib
