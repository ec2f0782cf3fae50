"""MDSWriter of mosaicml-streaming."""
from bench_common import PIXELS, clock, load, serve
from PIL import Image
from streaming import MDSWriter

OPTIONS = {"raw": {}, "zstd3": {"compression": "zstd:3"}, "sha1": {"hashes": ["sha1"]}, "jpeg224": {}}
prepared = {}


def rows(folder, what):
    """The input as samples, made before the clock runs."""
    if what not in prepared:
        data = load(folder, what)
        if what == "images":
            pictures = [Image.frombytes("RGB", (PIXELS, PIXELS), x) for x in data]
            prepared[what] = [{"data": pictures[i % len(pictures)], "label": i} for i in range(10 * len(pictures))]
        else:
            prepared[what] = [{"data": x, "label": i} for i, x in enumerate(data)]
    return prepared[what]


def write(input, what, kind, out):
    columns = {"data": "jpeg" if kind == "jpeg224" else "bytes", "label": "int64"}
    samples, reply = rows(input, what), {}
    with clock(reply):
        with MDSWriter(out=out, columns=columns, **OPTIONS[kind]) as writer:
            for sample in samples:
                writer.write(sample)
    return {"samples": len(samples), **reply}


if __name__ == "__main__":
    serve({"write": write}, "mosaicml-streaming", "numpy", "pillow", "zstd")
