"""Writes data/, one image of each of Pillow's modes that a pil column may hold, by the reference, and expected.json, what
the reference reads back: mode, size and pixels.

    python make.py          (needs mosaicml-streaming and Pillow; expected.json records which)
"""
import json, os, shutil
import PIL
from PIL import Image
import streaming
from streaming import LocalDataset, MDSWriter

os.chdir(os.path.dirname(os.path.abspath(__file__)))
SIZES = {"1": None, "L": 1, "P": 1, "LA": 2, "RGB": 3, "RGBA": 4, "RGBX": 4, "CMYK": 4, "YCbCr": 3, "I": 4, "F": 4, "I;16": 2}
W, H = 11, 3


def image(mode):
    n = (W + 7) // 8 * H if mode == "1" else W * H * SIZES[mode]
    data = bytes((7 + 37 * i) % 256 for i in range(n))
    if mode == "1":
        data = bytes(b & (0xE0 if i % 2 else 0xFF) for i, b in enumerate(data))  # bits beyond the width are none of the image's
    if mode == "F":
        data = Image.frombytes("L", (W, H), bytes((7 + 37 * i) % 256 for i in range(W * H))).convert("F").tobytes()
    im = Image.frombytes(mode, (W, H), data)
    if mode == "P":
        im.putpalette(bytes(255 - i // 3 for i in range(768)))  # which the format does not store
    return im


shutil.rmtree("data", ignore_errors=True)
with MDSWriter(out="data", columns={"mode": "str", "x": "pil"}, hashes=["sha1"], size_limit=None) as writer:
    for mode in SIZES:
        writer.write({"mode": mode, "x": image(mode)})
read = LocalDataset("data")
samples = [{"mode": read[i]["x"].mode, "size": list(read[i]["x"].size), "pixels": read[i]["x"].tobytes().hex()} for i in range(len(read))]
with open("expected.json", "w") as f:
    json.dump({"streaming": streaming.__version__, "Pillow": PIL.__version__, "samples": samples}, f, indent=1)
    f.write("\n")
