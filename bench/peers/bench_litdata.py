"""optimize and StreamingDataset of litdata."""
from bench_common import SAMPLE_BYTES, Checksum, clock, serve
from pathlib import Path

import litdata


def part(job):
    """The samples of one job; runs in litdata's worker, which reads the input itself."""
    folder, what, first, last = job
    size = SAMPLE_BYTES[what]
    with open(Path(folder, what), "rb") as f:
        f.seek(first * size)
        for i in range(first, last):
            yield {"data": f.read(size), "label": i}


def write(input, what, kind, out):
    n = Path(input, what).stat().st_size // SAMPLE_BYTES[what]
    jobs = [(input, what, i, min(i + 1000, n)) for i in range(0, n, 1000)]
    reply = {}
    with clock(reply):
        litdata.optimize(fn=part, inputs=jobs, output_dir=out, chunk_bytes="64MB", num_workers=1)
    return {"samples": n, **reply}


def read(folder):
    total, reply = Checksum(), {}
    dataset = litdata.StreamingDataset(folder, shuffle=False)
    with clock(reply):
        for sample in dataset:
            total.add(sample["data"])
    return {"samples": total.samples, "crc": total.crc, **reply}


if __name__ == "__main__":
    serve({"write": write, "read": read}, "litdata")
