"""Writes golden_old.json: SHA-256 of the bytes that Pillow before 13 gives for resizes of the images beside this file, for
ResizeOptions.HorizontalFirst. Run it with such a Pillow (made with the version that the file records)."""
import hashlib, json, os, random
import PIL
from PIL import Image

assert int(PIL.__version__.split(".")[0]) < 13, PIL.__version__
os.chdir(os.path.dirname(os.path.abspath(__file__)))
r, cases = random.Random(5), []
for _ in range(40):
    f = r.choice(["landscape.jpg", "portrait.jpg", "wide.jpg", "tall.jpg"])
    h, w = r.randint(1, 120), r.randint(1, 260)
    im = Image.open(f).convert("RGB").resize((w, h), Image.BILINEAR)
    cases.append({"file": f, "height": h, "width": w, "sha256": hashlib.sha256(im.tobytes()).hexdigest()})
with open("golden_old.json", "w") as out:
    json.dump({"recipe": "make_old.py", "pillow": PIL.__version__, "cases": cases}, out, separators=(",", ":"))
    out.write("\n")
