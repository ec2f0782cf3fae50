"""StreamingDataset of mosaicml-streaming: iteration, random access, opening; and merge_index."""
import time

from bench_common import Checksum, clock, serve
from streaming import LocalDataset, StreamingDataset
from streaming.base.util import clean_stale_shared_memory, merge_index


def read(folder):
    total, reply = Checksum(), {}
    dataset = StreamingDataset(local=folder, batch_size=64, shuffle=False)
    with clock(reply):
        for sample in dataset:
            total.add(sample["data"])
    return {"samples": total.samples, "crc": total.crc, **reply}


def read_encoded(folder):
    """All samples' bytes as they are stored, whatever their encodings."""
    total = Checksum()
    dataset = LocalDataset(local=folder)
    for i in range(len(dataset)):
        shard, row = dataset.spanner[i]
        total.add(dataset.shards[shard].get_sample_data(row))
    return {"samples": total.samples, "crc": total.crc}


def random(folder, order):
    dataset = StreamingDataset(local=folder, batch_size=64)
    total, latencies = Checksum(), []
    for i in order:
        at = time.perf_counter()
        sample = dataset[i]
        latencies.append(time.perf_counter() - at)
        total.add(sample["data"])
    latencies.sort()
    return {"samples": total.samples, "crc": total.crc, "seconds": latencies[len(latencies) // 2]}


def open_index(folder):
    clean_stale_shared_memory()
    reply = {}
    with clock(reply):
        dataset = StreamingDataset(local=folder, batch_size=64)
    return {"samples": dataset.num_samples, **reply}


def merge(folder):
    reply = {}
    with clock(reply):
        merge_index(folder)
    return reply


if __name__ == "__main__":
    serve({"read": read, "read_encoded": read_encoded, "random": random, "open_index": open_index, "merge": merge}, "mosaicml-streaming", "numpy", "torch")
