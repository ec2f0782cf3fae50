"""Writes the corpus of small JPEG files and golden.json: for each *.jpg here the SHA-256 of
Image.open(f).convert("RGB").tobytes(), or the kind of error, with the versions that gave them.

    python make.py          (needs numpy and Pillow; the golden file records which)

Files that this script does not write (made by ../encode_corpus_test.go) are hashed as well.
"""
import glob, hashlib, io, json, os, struct
import numpy as np
import PIL
from PIL import Image, features

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def picture(w, h, seed=0):
    """A smooth field, hard edges, fine stripes and noise: everything a decoder can get wrong shows up."""
    y, x = np.mgrid[0:h, 0:w].astype(np.int64)
    r = (x * 7 + y * 3 + seed * 31) % 256
    g = (x * x // 9 + y * 5 + seed * 17) % 256
    b = ((x // 4 + y // 4) % 2) * 200 + (x * 13 % 56)
    a = np.stack([r, g, b], 2)
    a[(x - w // 2) ** 2 + (y - h // 2) ** 2 < (min(w, h) // 3) ** 2] = (220, 30, 60)
    s = seed * 2654435761 + 1
    noise = (x * 73856093 ^ y * 19349663 ^ s) % 41 - 20
    return Image.fromarray(np.clip(a + noise[..., None], 0, 255).astype(np.uint8))


def save(name, im, patch=None, **kw):
    buf = io.BytesIO()
    im.save(buf, "JPEG", **kw)
    data = bytearray(buf.getvalue())
    if patch:
        data = patch(data)
    with open(name + ".jpg", "wb") as f:
        f.write(data)


def sof(data):
    return next(i for i in range(len(data)) if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC2))


def swap_sampling(data):
    """4:2:2 becomes 4:4:0: height and width, horizontal and vertical factor change places; the blocks stay as they are."""
    i = sof(data)
    data[i + 5 : i + 9] = data[i + 7 : i + 9] + data[i + 5 : i + 7]
    data[i + 11] = 0x12
    return data


def four_one_one(data):
    """4:2:0 becomes 4:1:1: the same four luma blocks a unit, in one row."""
    data[sof(data) + 11] = 0x41
    return data


def one_by_four(data):
    data[sof(data) + 11] = 0x14
    return data


def ycck(data):
    i = data.index(b"Adobe")
    data[i + 11] = 2
    return data


def missing_bytes(data):
    return data[: len(data) - 40]


def no_end(data):
    return data[:-2]


def early_end(data):
    """The end marker in the middle of the data: Pillow fills the rest with grey."""
    return data[: len(data) * 2 // 3] + b"\xff\xd9"


def lost_restart(data):
    """One restart marker becomes the next but one, and another is overwritten."""
    marks = [i for i in range(len(data) - 1) if data[i] == 0xFF and 0xD0 <= data[i + 1] <= 0xD7]
    data[marks[3] + 1] = 0xD0 + (data[marks[3] + 1] - 0xD0 + 2) % 8
    data[marks[9]] = 0x12
    return data


def junk(data):
    """Trailing bytes, and bytes between segments, are skipped."""
    i = sof(data)
    return data[:i] + b"\x00\x11\x22" + data[i:] + b"junk behind the end"


def twelve_bit(data):
    data[sof(data) + 4] = 12
    return data


def arithmetic(data):
    data[sof(data) + 1] = 0xC9
    return data


for w, h in [(1, 1), (1, 17), (17, 1), (2, 2), (3, 5), (17, 9), (8, 8), (16, 16), (33, 31), (5, 40)]:
    for ss in (0, 1, 2):
        save(f"size_{w}x{h}_{ss}", picture(w, h, w + h), quality=88, subsampling=ss)
    save(f"size_{w}x{h}_progressive", picture(w, h, w), quality=85, progressive=True)
for q in (10, 50, 75, 95, 100):
    save(f"quality_{q}", picture(61, 47, q), quality=q)
    save(f"quality_{q}_progressive", picture(61, 47, q), quality=q, progressive=True, subsampling=q % 3)
save("optimised", picture(64, 40, 1), quality=80, optimize=True)
save("restart_blocks", picture(90, 70, 2), quality=80, restart_marker_blocks=2)
save("restart_rows_progressive", picture(90, 70, 3), quality=80, restart_marker_rows=1, progressive=True)
save("grey", picture(45, 37, 4).convert("L"), quality=80)
save("grey_progressive", picture(45, 37, 5).convert("L"), quality=80, progressive=True)
save("rgb", picture(45, 37, 6), quality=90, keep_rgb=True)
save("cmyk", picture(45, 37, 7).convert("CMYK"), quality=90)
save("cmyk_progressive", picture(45, 37, 7).convert("CMYK"), quality=90, progressive=True)
save("ycck", picture(45, 37, 8).convert("CMYK"), ycck, quality=90)
save("s440", picture(47, 35, 9), swap_sampling, quality=85, subsampling=1)
save("s440_narrow", picture(40, 2, 9), swap_sampling, quality=85, subsampling=1)
save("s440_progressive", picture(47, 35, 9), swap_sampling, quality=85, subsampling=1, progressive=True)
save("s411", picture(64, 64, 10), four_one_one, quality=85, subsampling=2)
save("s141", picture(64, 64, 10), one_by_four, quality=85, subsampling=2)
for o in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = o
    save(f"orientation_{o}", picture(24, 16, 11), quality=80, exif=exif.tobytes())
save("trailing_junk", picture(40, 30, 12), junk, quality=80)
save("bad_early_end", picture(80, 60, 13), early_end, quality=80)
save("bad_early_end_progressive", picture(80, 60, 13), early_end, quality=80, progressive=True)
save("bad_lost_restart", picture(160, 60, 14), lost_restart, quality=80, restart_marker_blocks=3)
save("bad_truncated", picture(80, 60, 15), missing_bytes, quality=80)
save("bad_truncated_progressive", picture(80, 60, 15), missing_bytes, quality=80, progressive=True)
save("bad_no_end", picture(40, 30, 16), no_end, quality=80)
save("bad_twelve_bit", picture(40, 30, 17), twelve_bit, quality=80)
save("bad_arithmetic", picture(40, 30, 18), arithmetic, quality=80)

golden = {}
for f in sorted(glob.glob("*.jpg")):
    try:
        im = Image.open(f)
        rgb = im.convert("RGB")
        orientation = im.getexif().get(0x0112, 1)
        golden[f] = {"size": list(rgb.size), "orientation": orientation, "sha256": hashlib.sha256(rgb.tobytes()).hexdigest()}
    except Exception as e:
        golden[f] = {"error": f"{type(e).__name__}: {e}"}
encoded = []
for f in ["size_33x31_0", "size_17x9_2", "size_1x1_0", "size_5x40_1", "quality_100", "restart_blocks", "grey", "s440", "cmyk"]:
    for quality in (3, 50, 75, 92, 100):
        for subsampling in (0, 1, 2):
            for progressive in (False, True):
                im = Image.open(f + ".jpg")
                if im.mode == "L" and subsampling:
                    continue  # Pillow writes a factor that changes no pixel
                im = im if im.mode == "L" else im.convert("RGB")
                buf = io.BytesIO()
                im.save(buf, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive)
                data = buf.getvalue()
                encoded.append({"file": f + ".jpg", "quality": quality, "subsampling": subsampling, "progressive": progressive,
                                "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
with open("golden.json", "w") as f:
    json.dump({"recipe": "make.py", "pillow": PIL.__version__, "libjpeg_turbo": features.version("libjpeg_turbo"), "files": golden, "encoded": encoded}, f, indent=1)
    f.write("\n")
print(len(golden), "files,", sum(os.path.getsize(f) for f in golden), "bytes")
