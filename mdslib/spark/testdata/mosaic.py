"""Reads the data set of TestMosaicReads with mosaicml-streaming, by index and as a stream, and compares each sample with the row
that Spark computed it as."""
import hashlib
import sys

from streaming import StreamingDataset

folder, rows = sys.argv[1], int(sys.argv[2])


def check(sample, i):
    want = {"id": i, "s": f"name {i}", "data": hashlib.sha256(str(i).encode()).digest(), "d": i / 4}
    assert dict(sample) == want, (i, sample)


dataset = StreamingDataset(local=folder, shuffle=False, batch_size=1, validate_hash="sha1")
assert len(dataset) == rows, len(dataset)
for i in range(rows):
    check(dataset[i], i)
assert sorted(int(sample["id"]) for sample in dataset) == list(range(rows))
