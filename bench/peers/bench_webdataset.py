"""ShardWriter and WebDataset of webdataset."""
import os

import webdataset
from bench_common import Checksum, clock, load, serve


def write(input, what, kind, out):
    samples = [{"__key__": f"{i:08d}", "bin": x, "cls": i} for i, x in enumerate(load(input, what))]
    os.makedirs(out)
    reply = {}
    with clock(reply):
        with webdataset.ShardWriter(out + "/shard-%05d.tar", maxsize=1 << 26, verbose=0) as writer:
            for sample in samples:
                writer.write(sample)
    return {"samples": len(samples), **reply}


def read(folder):
    shards = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    total, reply = Checksum(), {}
    dataset = webdataset.WebDataset(shards, shardshuffle=False).decode().to_tuple("bin", "cls")
    with clock(reply):
        for data, _ in dataset:
            total.add(data)
    return {"samples": total.samples, "crc": total.crc, **reply}


if __name__ == "__main__":
    serve({"write": write, "read": read}, "webdataset")
