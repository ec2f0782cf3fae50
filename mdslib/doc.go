// Package mdslib converts DataFrames to Mosaic Data Shards (MDS) and reads and writes them, byte for byte as mosaicml-streaming 0.13 does.
package mdslib
