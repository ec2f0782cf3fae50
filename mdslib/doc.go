// Package mdslib converts DataFrames to Mosaic Data Shards (MDS) and reads and writes them, byte for byte as mosaicml-streaming 0.13 does.
//
// [MDSWriter] and [Dataset] write and read samples as maps, [Writer] and [Reader] as Go structs; MDSOptions.Format chooses JSON,
// CSV, TSV or XSV shards instead of MDS. [Verify], [RebuildIndex] and [MergeIndex] look after data sets.
package mdslib
