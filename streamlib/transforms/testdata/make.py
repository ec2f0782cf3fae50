"""Writes the images beside this file and golden.json: SHA-256 of the float32 bytes [3, h, w] that torchvision over Pillow
gives for pipelines over them and over ../../../mdslib/jpeg/testdata.

    python make.py       (needs numpy, Pillow, torch, torchvision; the golden file records which)
"""
import glob, hashlib, json, os, random, sys
import numpy as np
import PIL, torch, torchvision
from PIL import Image, ImageOps
from torchvision import transforms as T

os.chdir(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, "../../../mdslib/jpeg/testdata")
JPEGS = "../../../mdslib/jpeg/testdata"


def picture(w, h, seed):
    y, x = np.mgrid[0:h, 0:w].astype(np.int64)
    a = np.stack([(x * 7 + y * 3 + seed * 31) % 256, (x * x // 9 + y * 5) % 256, ((x // 4 + y // 4) % 2) * 200 + x * 13 % 56], 2)
    a[(x - w // 2) ** 2 + (y - h // 2) ** 2 < (min(w, h) // 3) ** 2] = (220, 30, 60)
    return Image.fromarray(a.astype(np.uint8))


picture(200, 150, 1).save("landscape.jpg", quality=85)
picture(120, 210, 2).save("portrait.jpg", quality=85, progressive=True)
picture(300, 40, 3).save("wide.jpg", quality=80, subsampling=0)
picture(30, 260, 4).save("tall.jpg", quality=80)
rgb = picture(37, 29, 5)
alpha = Image.fromarray((np.mgrid[0:29, 0:37][0] * 9 % 256).astype(np.uint8))
rgba = rgb.copy()
rgba.putalpha(alpha)
la = rgb.convert("L")
la.putalpha(alpha)
rgb.save("rgb.png")
rgba.save("rgba.png")
la.save("la.png")
rgb.convert("L").save("l.png")
rgb.convert("1").save("bit.png")
rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=40).save("p.png")
rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=12).save("p4.png", transparency=3)
rgb.save("trns.png", transparency=(220, 30, 60))
Image.fromarray((np.asarray(rgb.convert("L")).astype(np.uint16) * 3)).save("i16.png")


def rgb16(name, channels):
    """A PNG of 16 bits a channel, which Pillow reads and does not write."""
    import struct, zlib
    w, h = 21, 13
    rows = b"".join(b"\0" + b"".join(struct.pack(">H", (x * 2999 + y * 977 + c * 12345) % 65536) for x in range(w) for c in range(channels)) for y in range(h))
    chunk = lambda k, d: struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))
    head = struct.pack(">IIBBBBB", w, h, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


rgb16("rgb16.png", 3)
rgb16("rgba16.png", 4)
rgb16("la16.png", 2)

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def step(s):
    name, args = s[0], s[1:]
    if name == "Resize":
        return T.Resize(args[0])
    if name == "ResizeTo":
        return T.Resize((args[0], args[1]))
    if name == "CenterCrop":
        return T.CenterCrop(args[0])
    if name == "RandomResizedCrop":
        return T.RandomResizedCrop(args[0], scale=args[1:3], ratio=args[3:5])
    if name == "RandomHorizontalFlip":
        return T.RandomHorizontalFlip(args[0])
    if name == "ExifTranspose":
        return T.Lambda(ImageOps.exif_transpose)
    raise ValueError(name)


def digest(t):
    return hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest()


def run(files, steps, normalize=True, seed=None):
    """One case: the result of each file in order; with a seed, all draw from one generator."""
    if seed is not None:
        torch.manual_seed(seed)
    out = []
    for f in files:
        im = Image.open(f)
        if steps and steps[0][0] == "ExifTranspose":
            im = ImageOps.exif_transpose(im)
        im = im.convert("RGB")
        for s in steps:
            if s[0] != "ExifTranspose":
                im = step(s)(im)
        t = T.ToTensor()(im)
        if normalize:
            t = T.Normalize(MEAN, STD)(t)
        out.append({"file": f, "shape": list(t.shape), "sha256": digest(t)})
    return {"steps": steps, "normalize": normalize, "seed": seed, "results": out}


big = ["landscape.jpg", "portrait.jpg", "wide.jpg", "tall.jpg"]
png = sorted(glob.glob("*.png"))
corpus = [f for f in sorted(glob.glob(JPEGS + "/*.jpg")) if not os.path.basename(f).startswith("bad_")]
full = [0.08, 1.0, 3 / 4, 4 / 3]
cases = [
    run(big + png + corpus, [], normalize=False),
    run(big + png + corpus, [["Resize", 32], ["CenterCrop", 28]]),
    run(big + png, [["Resize", 96], ["CenterCrop", 80]]),
    run(big, [["Resize", 256], ["CenterCrop", 224]]),
    run(big, [["CenterCrop", 100], ["Resize", 60]]),
    run(big, [["ResizeTo", 50, 70], ["ResizeTo", 33, 90], ["CenterCrop", 31]]),
    run(big + png, [["CenterCrop", 101]]),
    run([f for f in corpus if "orientation" in f], [["ExifTranspose"], ["Resize", 20]]),
    run(big * 6 + png, [["RandomResizedCrop", 48] + full, ["RandomHorizontalFlip", 0.5]], seed=7),
    run(big * 6, [["RandomHorizontalFlip", 0.5], ["RandomResizedCrop", 40, 0.6, 1.0, 3 / 4, 4 / 3]], seed=2**40 + 5),
    run(big * 3, [["RandomResizedCrop", 24, 0.9, 1.0, 0.4, 0.5], ["RandomHorizontalFlip", 0.3], ["CenterCrop", 19]], seed=11),
]
r = random.Random(3)
for _ in range(60):  # shapes on both sides of Pillow 13's choice of the first pass
    cases.append(run([r.choice(big)], [["ResizeTo", r.randint(1, 260), r.randint(1, 260)]], normalize=False))
with open("golden.json", "w") as f:
    json.dump({"recipe": "make.py", "pillow": PIL.__version__, "torch": torch.__version__, "torchvision": torchvision.__version__, "cases": cases}, f, indent=None, separators=(",", ":"))
    f.write("\n")
print(len(cases), "cases,", sum(len(c["results"]) for c in cases), "images")
