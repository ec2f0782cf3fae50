package mdslib

import "testing"

// TestFileNames: what an overwrite may remove, and nothing else.
func TestFileNames(t *testing.T) {
	for name, want := range map[string]bool{
		"index.json": true, "shard.00000.mds": true, "shard.123456.mds.zstd": true, "shard.00001.csv.meta": true, "shard.00001.csv.meta.br": true,
		"shard.00001.json.gz": true, ".index.json.tmp-81": true, ".shard.00000.mds.tmp-x": true, "_running": true, "_running-a7qw": true, "_failed-a7qw": true, "_runningx": false,
		"": false, "index.json.bak": false, "shard": false, "shard.0000.mds": false, "shard.0000x.mds": false, "shard.00000": false, "shard.00000.": false,
		"shard.00000.txt": false, "shard.00000.mds.lz4": false, "shard.00000.mds.": false, "shard.00000.mds.zstd.zstd": false, "shard.00000.mds.meta.meta": false,
		"shard.00000.meta": false, "xshard.00000.mds": false, "shard.+0000.mds": false, "notes.tmp-1": false, "a/shard.00000.mds": false,
	} {
		if isDatasetFile(name) != want {
			t.Errorf("isDatasetFile(%q) is %v", name, !want)
		}
	}
	for key, want := range map[string]bool{"00000/index.json": true, "123456/x": true, "0000/x": false, "00000/": false, "00000/a/b": false, "a0000/x": false, "00000": false} {
		if isPartitionFile(key) != want {
			t.Errorf("isPartitionFile(%q) is %v", key, !want)
		}
	}
}
