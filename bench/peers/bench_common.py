"""What the peers' sides of `make bench-mds` share: the input, and a loop that answers requests.

A peer is a process that reads one JSON object a line, {"do": NAME, …}, and answers with one: its seconds, taken inside the
process so that imports don't count, and what proves the work. bench/mds/main.go is our side and speaks the same."""
import contextlib
import importlib.metadata
import json
import os
import sys
import time
import zlib
from pathlib import Path

import numpy as np

SAMPLE_BYTES = {"10kb": 10240, "1kb": 1024}
PIXELS = 224


def samples(n, size):
    """n samples of size bytes: one half noise, the other text that repeats; the same on every machine."""
    half = size // 2
    pool = np.random.default_rng(7).integers(0, 256, 1 << 22, dtype=np.uint8).tobytes()
    text = b"".join(b"%08d the quick brown fox " % i for i in range(4000))
    for i in range(n):
        a, b = i * 7919 % (len(pool) - half), i * 104729 % (len(text) - half)
        yield pool[a : a + half] + text[b : b + half]


def images(n):
    """n pictures of 224 x 224 pixels, RGB: smooth colours with noise; a JPEG file of one has some 12 kB."""
    from PIL import Image

    rng = np.random.default_rng(3)
    for _ in range(n):
        low = Image.fromarray(rng.integers(0, 256, (28, 28, 3), dtype=np.uint8))
        smooth = np.asarray(low.resize((PIXELS, PIXELS), Image.BICUBIC)).astype(int)
        yield np.clip(smooth + rng.integers(-12, 12, smooth.shape), 0, 255).astype(np.uint8).tobytes()


def load(folder, what):
    """The samples of an input file, as they were made."""
    data = Path(folder, what).read_bytes()
    size = SAMPLE_BYTES.get(what, PIXELS * PIXELS * 3)
    return [data[at : at + size] for at in range(0, len(data), size)]


class Checksum:
    """Of the samples read: the sum of their CRC-32s, which does not depend on their order."""

    def __init__(self):
        self.samples = self.crc = 0

    def add(self, data):
        self.samples += 1
        self.crc += zlib.crc32(data)


@contextlib.contextmanager
def clock(reply):
    at = time.perf_counter()
    yield
    reply["seconds"] = time.perf_counter() - at


def serve(commands, *packages):
    """Answers requests until standard input ends. What the libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    versions = {name: importlib.metadata.version(name) for name in packages}
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        print(json.dumps(versions if do == "versions" else commands[do](**request)), file=answers, flush=True)
