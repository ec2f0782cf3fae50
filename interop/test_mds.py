"""MDS both ways, live against the pip package: random data sets over the whole space of columns and options are written by
Go and by Python, must be equal byte for byte where the format allows it, and are read by the other side.

INTEROP_CASES sets the number of data sets (default 200), INTEROP_SEED the first seed."""
import base64
import datetime
import decimal
import io
import json
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from PIL import Image
from streaming import CSVWriter, JSONWriter, LocalDataset, MDSWriter, StreamingDataset, TSVWriter, XSVWriter
from streaming.base.compression import decompress
from streaming.base.format.mds.encodings import mds_encode
from streaming.base.hashing import get_hash
from streaming.base.util import merge_index

ROOT = Path(__file__).resolve().parent.parent
CASES = int(os.environ.get("INTEROP_CASES", "200"))
SEED = int(os.environ.get("INTEROP_SEED", "1"))
HASHES = ["blake2b", "blake2s", "md5", "sha1", "sha224", "sha256", "sha384", "sha3_224", "sha3_256", "sha3_384", "sha3_512",
          "sha512", "xxh128", "xxh32", "xxh3_128", "xxh3_64", "xxh64"]
DTYPES = ["uint8", "int8", "uint16", "int16", "float16", "uint32", "int32", "float32", "uint64", "int64", "float64"]
LEVELS = {"br": (0, 11), "bz2": (1, 9), "gz": (0, 9), "snappy": None, "zstd": (1, 22)}
MODES = {"1": 1, "L": 1, "P": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "I": 4, "F": 4, "I;16": 2}


def random_compression(rng):
    name = rng.choice(list(LEVELS))
    return name if LEVELS[name] is None or rng.random() < 0.3 else f"{name}:{rng.randint(*LEVELS[name])}"


def random_text(rng):
    alphabet = "abcXYZ019 \t\n\"\\/\x00\x7fäß世界😀\u2028"
    return "".join(rng.choice(alphabet) for _ in range(rng.choice([0, 1, 5, 40, 400])))


def random_bytes(rng):
    n = rng.choice([0, 1, 10, 300, 5000])
    return rng.randbytes(n) if rng.random() < 0.5 else bytes([rng.randrange(4)]) * n


def random_array(rng, dtype=None, shape=None):
    dtype = dtype or rng.choice(DTYPES)
    if shape is None:
        shape = tuple(rng.choice([1, 2, 3, 7]) for _ in range(rng.randint(1, 4)))
        if rng.random() < 0.1:
            shape = (rng.choice([255, 256, 300]),)
    n = int(np.prod(shape))
    return np.frombuffer(rng.randbytes(n * np.dtype(dtype).itemsize), dtype).reshape(shape)


def random_json(rng, depth=0):
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [random_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {random_text(rng): random_json(rng, depth + 1) for _ in range(rng.randrange(4))}
    return [None, True, rng.randrange(-10**20, 10**20), rng.uniform(-1e6, 1e6) * 10.0 ** rng.randrange(-30, 30), random_text(rng), 0.0][kind]


def random_plain(rng, depth=0):
    """Plain data for a pickle. Equal strings and bytes are one object, as constants and names are in Python."""
    kind = rng.randrange(18 if depth < 3 else 13)
    if kind == 13:
        return [random_plain(rng, depth + 1) for _ in range(rng.choice([0, 1, 2, 5]))]
    if kind == 14:
        return tuple(random_plain(rng, depth + 1) for _ in range(rng.randrange(6)))
    if kind in (15, 16):
        return {sys.intern(random_text(rng)): random_plain(rng, depth + 1) for _ in range(rng.randrange(5))}
    if kind == 17:
        return rng.choice([set(), {5}, frozenset(), frozenset([(1, 2)])])
    zone = rng.choice([None, datetime.timezone.utc])
    return [
        lambda: None, lambda: rng.random() < 0.5, lambda: rng.choice([0, -1, 255, 65536, 2**31, -2**63, 10**rng.randrange(50), -10**rng.randrange(700)]),
        lambda: rng.choice([0.0, -0.0, 0.1, float("inf"), rng.uniform(-1, 1) * 10.0 ** rng.randrange(-300, 300)]),
        lambda: sys.intern(random_text(rng)), lambda: rng.choice(PLAIN_BYTES), lambda: random_array(rng), lambda: np.dtype(rng.choice(DTYPES)).type(rng.randrange(100)),
        lambda: np.array([rng.random() < 0.5 for _ in range(3)]), lambda: random_decimal(rng), lambda: datetime.date.fromordinal(rng.randrange(1, 3000000)),
        lambda: datetime.datetime.fromordinal(rng.randrange(1, 3000000)).replace(microsecond=rng.randrange(10**6), tzinfo=zone),
        lambda: datetime.timedelta(rng.randrange(-10**5, 10**5), rng.randrange(86400), rng.randrange(10**6)),
    ][kind]()


PLAIN_BYTES = [b"", b"\x00", b"ab" * 100, bytes(range(256)), b"z" * 70000]


def random_image(rng, modes):
    mode, width, height = rng.choice(modes), rng.randint(1, 20), rng.randint(1, 20)
    size = (width + 7) // 8 * height if mode == "1" else width * height * MODES[mode]
    if mode == "F":
        data = np.random.default_rng(rng.randrange(1000)).uniform(0, 255, width * height).astype("float32").tobytes()
    else:
        data = rng.randbytes(size)
    return Image.frombytes(mode, (width, height), data)


def smooth_image(rng):
    """An image without noise, so that two JPEG encoders at one quality must nearly agree on it."""
    width, height = rng.randint(8, 70), rng.randint(8, 70)
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 100 * np.sin(x / rng.uniform(9, 30) + y / rng.uniform(9, 30) + rng.random()) for _ in range(3)]
    return Image.fromarray(np.stack(planes, -1).astype("uint8"), "RGB")


def image_file(rng, form):
    """An image file as others make them: what a column takes as bytes, pixels that our own encoders would store otherwise."""
    file = io.BytesIO()
    if form == "PNG":
        image = random_image(rng, ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
        more = {}
        if image.mode == "P":
            image.putpalette(rng.randbytes(768))
            more = rng.choice([{}, {"transparency": rng.randbytes(rng.randint(1, 256))}])
        image.save(file, "PNG", compress_level=rng.randrange(10), **more)
    else:
        image = rng.choice([smooth_image(rng), random_image(rng, ["L", "RGB", "CMYK"])])
        more = {} if image.mode == "L" else {"subsampling": rng.randrange(3)}
        exif = Image.Exif()
        exif[0x0112] = rng.randint(1, 8)  # the orientation, which neither side applies
        image.save(file, "JPEG", quality=rng.randint(1, 100), progressive=rng.random() < 0.5, optimize=rng.random() < 0.5,
                   restart_marker_blocks=rng.choice([0, 1, 5]), exif=rng.choice([b"", exif.tobytes()]), **more)
    return file.getvalue()


def random_decimal(rng):
    sign, exponent = rng.choice(["", "-"]), rng.choice(["", "E+5", "E-9", "E+50"])
    return decimal.Decimal(f"{sign}{rng.randrange(10**rng.choice([1, 9, 30]))}.{rng.randrange(1000):03}{exponent}")


def value_for(rng, encoding):
    name = encoding.split(":")[0]
    if name == "bytes":
        return random_bytes(rng)
    if name == "str":
        return random_text(rng)
    if name in ("int", "int64"):
        return rng.choice([0, -1, 2**63 - 1, -2**63, rng.randrange(-10**9, 10**9)])
    if name.startswith(("int", "uint")):
        low, high = int(np.iinfo(name).min), int(np.iinfo(name).max)
        return rng.choice([low, high, rng.randint(low, high)])
    if name.startswith("float"):
        return float(np.dtype(name).type(rng.choice([0.0, -0.0, 1.5, float("inf"), float("nan"), rng.uniform(-1e4, 1e4)])))
    if name == "str_int":
        return rng.randrange(-10**rng.choice([1, 9, 40]), 10**9)
    if name == "str_float":
        return rng.choice([0.1, 1e16, 1e22, -0.0, 5e-324, 1e-5, rng.uniform(-1, 1) * 10.0 ** rng.randrange(-40, 40)])
    if name == "str_decimal":
        return random_decimal(rng)
    if name == "ndarray":
        parts = encoding.split(":")
        shape = tuple(map(int, parts[2].split(","))) if len(parts) > 2 else None
        return random_array(rng, parts[1] if len(parts) > 1 else None, shape)
    if name == "json":
        return random_json(rng)
    if name == "pkl":
        value = random_plain(rng)
        return (value,) if isinstance(value, bytes) else value  # bytes alone are taken for a pickle by both
    if name in ("jpeg", "png") and rng.random() < 0.4:
        return image_file(rng, name.upper())
    if name in ("jpeg", "pil", "png"):
        return image_for(rng, name)
    if name in ("jpeg_array", "jpegarray"):
        return [image_file(rng, "JPEG") for _ in range(rng.randint(1, 3))]  # the reference reads no empty one
    if name.startswith("list["):
        return [image_for(rng, name[5:-1]) for _ in range(rng.randrange(4))]
    raise ValueError(encoding)


def image_for(rng, encoding):
    """Pixels for a column of images or of lists of them."""
    if encoding == "jpeg":
        return smooth_image(rng)
    return random_image(rng, list(MODES) if encoding == "pil" else ["1", "L", "LA", "RGB", "RGBA", "I;16"])


def random_encoding(rng):
    kind = rng.choice(["bytes", "str", "int", *("int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64").split(),
                       "str_int", "str_float", "str_decimal", "ndarray", "ndarray", "ndarray", "json", "pil", "png", "jpeg", "pkl",
                       "list[pil]", "list[jpeg]", "list[png]", "jpeg_array", "jpegarray"])
    if kind == "ndarray":
        kind += rng.choice(["", ":" + rng.choice(DTYPES), ":" + rng.choice(DTYPES) + ":" + ",".join(str(rng.randint(1, 4)) for _ in range(rng.randint(1, 3)))])
    return kind


def wire(encoding, value):
    """A value as mdscat takes it."""
    def b64(data):
        return base64.b64encode(data).decode()
    if isinstance(value, bytes):
        return {"bytes": b64(value)}
    if encoding == "pkl":
        return {"pickle": b64(pickle.dumps(value))}
    if encoding == "json":
        return {"json": json.dumps(value)}
    if isinstance(value, str):
        return {"str": value}
    if isinstance(value, decimal.Decimal):
        return {"decimal": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, list):
        return {"list": json.dumps([wire("", v) for v in value])}
    if isinstance(value, np.ndarray):
        return {"array": f"{value.dtype.name}:{','.join(map(str, value.shape))}:{b64(value.tobytes())}"}
    return {"image": f"{value.mode}:{value.width}:{value.height}:{b64(value.tobytes())}"}


def unwire(value):
    """What mdscat printed for a value, as Python would have it."""
    (kind, text), = value.items()
    if kind == "pickle":
        return pickle.loads(base64.b64decode(text))
    if kind == "bytes":
        return base64.b64decode(text)
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "decimal":
        return decimal.Decimal(text)
    if kind == "json":
        return json.loads(text)
    if kind == "array":
        dtype, shape, data = text.split(":")
        return np.frombuffer(base64.b64decode(data), dtype).reshape(tuple(map(int, shape.split(","))))
    if kind == "list":
        return [unwire(v) for v in json.loads(text)]
    if kind == "image":
        mode, width, height, data = text.split(":")
        return Image.frombytes(mode, (int(width), int(height)), base64.b64decode(data))
    return text


def raw_shard(folder, info, part="data"):
    if info[f"zip_{part}"]:
        return decompress(info["compression"], (folder / info[f"zip_{part}"]["basename"]).read_bytes())
    return (folder / info[f"raw_{part}"]["basename"]).read_bytes()


def as_jpeg(image):
    """What is left of an image when Pillow has written it as JPEG and read it; or the image of a JPEG file."""
    file = io.BytesIO(image if isinstance(image, bytes) else b"")
    if not isinstance(image, bytes):
        image.save(file, "JPEG")
    return Image.open(file)


class MDSTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bin = tempfile.TemporaryDirectory()
        cls.mdscat = os.path.join(cls.bin.name, "mdscat")
        subprocess.run(["go", "build", "-o", cls.mdscat, "./interop/mdscat"], cwd=ROOT, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.bin.cleanup()

    def go(self, *args, stdin=""):
        done = subprocess.run([self.mdscat, *map(str, args)], input=stdin, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def go_write(self, samples, columns, **options):
        lines = [json.dumps({"columns": columns, **options})]
        lines += [json.dumps({name: wire(columns[name], value) for name, value in s.items()}) for s in samples]
        self.go("write", stdin="\n".join(lines))

    def go_read(self, folder):
        return [{name: unwire(v) for name, v in json.loads(line).items()} for line in self.go("read", folder).splitlines()]

    def python_read(self, folder):
        """All samples by LocalDataset, which reads raw shards: StreamingDataset never gives its file descriptors back, so
        that only test_streaming_dataset can afford it."""
        with tempfile.TemporaryDirectory() as temp:
            shutil.copy(folder / "index.json", temp)
            for info in json.loads((folder / "index.json").read_text())["shards"]:
                for part in ("data", "meta"):
                    if f"raw_{part}" in info:
                        raw = Path(temp, info[f"raw_{part}"]["basename"])
                        raw.parent.mkdir(exist_ok=True)
                        raw.write_bytes(raw_shard(folder, info, part))
            dataset = LocalDataset(temp)
            return [dataset[i] for i in range(dataset.num_samples)]

    def streaming_read(self, **kwargs):
        dataset = StreamingDataset(batch_size=1, shuffle=False, **kwargs)
        return list(dataset)

    def assert_values(self, encoding, got, want, where):
        if encoding == "pkl":
            want = pickle.loads(pickle.dumps(want))  # which objects are one is changed by reading: numpy copies its dtypes
            self.assertEqual(pickle.dumps(got), pickle.dumps(want), where)
            return
        if encoding in ("jpeg_array", "jpegarray") or encoding.startswith("list["):
            self.assertEqual(len(got), len(want), where)
            for g, w in zip(got, want):
                self.assert_values("jpeg" if encoding.startswith("jpeg") else encoding[5:-1], g, w, where)
        elif encoding == "jpeg":
            got, want = (np.asarray(v.convert("RGB")) for v in (got, as_jpeg(want)))
            np.testing.assert_array_equal(got, want, where)
        elif encoding == "png":
            want = Image.open(io.BytesIO(want)) if isinstance(want, bytes) else want
            if want.mode != "I;16":  # of the rest each side has modes of its own
                got, want = got.convert("RGBA"), want.convert("RGBA")
            self.assertEqual((got.mode, got.size, got.tobytes()), (want.mode, want.size, want.tobytes()), where)
        elif isinstance(want, Image.Image):
            if (want.mode, got.mode) == ("LA", "RGBA"):  # Go has no image with grey and alpha
                want = want.convert("RGBA")
            elif (want.mode, got.mode) == ("P", "L"):  # without a palette, which is not stored, indices are grey to Go
                want = Image.frombytes("L", want.size, want.tobytes())
            self.assertEqual((got.mode, got.size, got.tobytes()), (want.mode, want.size, want.tobytes()), where)
        elif isinstance(want, np.ndarray):
            self.assertEqual((got.dtype, got.shape, got.tobytes()), (want.dtype, want.shape, want.tobytes()), where)
        elif isinstance(want, float):
            self.assertEqual(struct.pack("<d", float(got)) if want == want else str(float(got)), struct.pack("<d", want) if want == want else "nan", where)
        else:
            self.assertEqual(got, want, where)

    def assert_samples(self, columns, got, want, where):
        self.assertEqual(len(got), len(want), where)
        for i, (g, w) in enumerate(zip(got, want)):
            self.assertEqual(sorted(g), sorted(columns), where)
            for name, encoding in columns.items():
                self.assert_values(encoding, g[name], w[name], f"{where}: sample {i}: column {name!r} ({encoding})")

    def assert_folders(self, two_encoders, ours, theirs, where):
        """Equal files where the format allows it; sound hashes of our own compressed files."""
        our_index, their_index = (json.loads((d / "index.json").read_text()) for d in (ours, theirs))
        if not two_encoders:
            for a, b in zip(our_index["shards"], their_index["shards"]):
                self.assertEqual(raw_shard(ours, a), raw_shard(theirs, b), where)
                if a["zip_data"]:
                    a["zip_data"].update({k: b["zip_data"][k] for k in ("bytes", "hashes")})
            self.assertEqual(json.dumps(our_index, sort_keys=True), (theirs / "index.json").read_text(), where)
        for shard in json.loads((ours / "index.json").read_text())["shards"]:
            stored = shard["zip_data"] or shard["raw_data"]
            data = (ours / stored["basename"]).read_bytes()
            self.assertEqual(len(data), stored["bytes"], where)
            self.assertEqual({h: get_hash(h, data) for h in shard["hashes"]}, stored["hashes"], where)
        self.assertEqual(json.dumps(json.loads((ours / "index.json").read_text()), sort_keys=True), (ours / "index.json").read_text(), where)

    def assert_rebuilt(self, folder, where):
        """From Python's shards Go makes the very index.json that Python wrote."""
        index = folder / "index.json"
        want = index.read_text()
        index.unlink()
        self.go("rebuild", folder)
        self.assertEqual(index.read_text(), want, "rebuilt, " + where)

    def test_random_data_sets(self):
        for seed in range(SEED, SEED + CASES):
            rng = random.Random(seed)
            names = rng.sample(["id", "Z", "zz", "data", "image", "größe", "世界", "a b", "😀"], rng.randint(1, 4))
            columns = {name: random_encoding(rng) for name in names}
            samples = [{name: value_for(rng, encoding) for name, encoding in columns.items()} for _ in range(rng.choice([0, 1, 7, 60]))]
            given = [{name: mds_encode(columns[name], value) if rng.random() < 0.1 else value for name, value in s.items()} for s in samples]  # every column takes bytes as they are
            two_encoders = any("png" in columns[name] and not isinstance(value, bytes) for s in given for name, value in s.items())  # of deflate, so two files
            compression = rng.choice([None, random_compression(rng)])
            hashes = sorted(rng.sample(HASHES, rng.choice([0, 1, 2, 17])))
            limit = rng.choice([None, 1, 700, "2kb", "1.5kb", 1 << 26])
            where = f"seed {seed}: {columns} {compression} {hashes} {limit}"
            with self.subTest(where), tempfile.TemporaryDirectory() as temp:
                ours, theirs = Path(temp, "ours"), Path(temp, "theirs")
                self.go_write(given, columns, out=str(ours), compression=compression or "", hashes=hashes, size_limit=str(limit or "none"))
                with MDSWriter(out=str(theirs), columns=columns, compression=compression, hashes=hashes, size_limit=limit) as writer:
                    for sample in given:
                        writer.write(sample)
                self.assert_folders(two_encoders, ours, theirs, where)
                self.assert_samples(columns, self.go_read(theirs), samples, "Go reads Python's, " + where)
                self.assertEqual(self.go("verify", ours).strip(), str(len(samples)), where)
                if samples:
                    self.assert_rebuilt(theirs, where)
                if samples:  # the reference opens no empty data set
                    self.assert_samples(columns, self.python_read(ours), samples, "Python reads Go's, " + where)

    def test_random_text_formats(self):
        """JSON, CSV, TSV and XSV shards of Go and Python are equal, data and meta, and each is read by the other."""
        writers = {"json": JSONWriter, "csv": CSVWriter, "tsv": TSVWriter, "xsv": XSVWriter}
        for seed in range(SEED, SEED + max(12, CASES // 4)):
            rng = random.Random(seed)
            form = rng.choice(list(writers))
            newline = rng.choice(["\n", "\r\n"])
            separator = rng.choice([";", " | ", "\x01"]) if form == "xsv" else {"csv": ",", "tsv": "\t"}.get(form, "")
            columns = {name: rng.choice(["str", "int", "float"]) for name in rng.sample(["id", "Z", "zz", "größe", "世界"], rng.randint(1, 4))}

            def text():
                value = random_text(rng)
                if form != "json":
                    for part in {*separator, *newline, separator, newline}:
                        value = value.replace(part, "")
                return value
            make = {"str": text, "int": lambda: rng.choice([0, -7, 2**63, 10**40, rng.randrange(-10**9, 10**9)]),
                    "float": lambda: rng.choice([0.1, -0.0, 1e16, 1e-5, 5e-324, float("inf"), float("-inf"), float("nan"), rng.uniform(-1, 1) * 10.0 ** rng.randrange(-40, 40)])}
            samples = [{name: make[encoding]() for name, encoding in columns.items()} for _ in range(rng.choice([0, 1, 7, 60]))]
            compression = rng.choice([None, random_compression(rng)])
            hashes, limit = sorted(rng.sample(HASHES, rng.choice([0, 1, 2, 17]))), rng.choice([None, 1, 700, "2kb", "1.5kb", 1 << 26])
            where = f"seed {seed}: {form} {columns} {compression} {hashes} {limit} {newline!r} {separator!r}"
            with self.subTest(where), tempfile.TemporaryDirectory() as temp:
                ours, theirs = Path(temp, "ours"), Path(temp, "theirs")
                extra = {"separator": separator} if form == "xsv" else {}
                self.go_write(samples, columns, out=str(ours), format=form, newline=newline, compression=compression or "", hashes=hashes, size_limit=str(limit or "none"), **extra)
                with writers[form](out=str(theirs), columns=columns, newline=newline, compression=compression, hashes=hashes, size_limit=limit, **extra) as writer:
                    for sample in samples:
                        writer.write(sample)
                indexes = [json.loads((d / "index.json").read_text()) for d in (ours, theirs)]
                for a, b in zip(*(i["shards"] for i in indexes)):
                    for part in ("data", "meta"):
                        files = []
                        for folder, shard in ((ours, a), (theirs, b)):
                            stored = shard[f"zip_{part}"] or shard[f"raw_{part}"]
                            data = (folder / stored["basename"]).read_bytes()
                            self.assertEqual({h: get_hash(h, data) for h in hashes}, stored["hashes"], where)
                            files.append(decompress(compression, data) if compression else data)
                        self.assertEqual(files[0], files[1], where)
                        if compression:
                            a[f"zip_{part}"].update({k: b[f"zip_{part}"][k] for k in ("bytes", "hashes")})
                self.assertEqual(json.dumps(indexes[0], sort_keys=True), (theirs / "index.json").read_text(), where)
                self.assertEqual(self.go("verify", ours).strip(), str(len(samples)), where)
                self.assert_samples(columns, self.go_read(theirs), samples, "Go reads Python's, " + where)
                if samples:  # the reference opens no empty data set
                    self.assert_rebuilt(theirs, where)
                    self.assert_samples(columns, self.python_read(ours), samples, "Python reads Go's, " + where)

    def test_jpeg_from_pixels(self):
        """Our JPEG of an image is Pillow's, to the byte."""
        rng = random.Random(SEED)
        images = [smooth_image(rng) for _ in range(20)] + [smooth_image(rng).convert("L")]
        with tempfile.TemporaryDirectory() as temp:
            ours, theirs = Path(temp, "ours"), Path(temp, "theirs")
            self.go_write([{"x": i} for i in images], {"x": "jpeg"}, out=str(ours))
            with MDSWriter(out=str(theirs), columns={"x": "jpeg"}) as writer:
                for image in images:
                    writer.write({"x": image})
            self.assertEqual((ours / "shard.00000.mds").read_bytes(), (theirs / "shard.00000.mds").read_bytes())

    def test_merge_index(self):
        with tempfile.TemporaryDirectory() as temp:
            ours, theirs = Path(temp, "ours"), Path(temp, "theirs")
            for part in range(12):
                self.go_write([{"n": part * 100 + i} for i in range(part)], {"n": "int"}, out=str(ours / str(part)),
                              compression=["", "zstd"][part % 2], hashes=["sha1"], size_limit="200")
            shutil.copytree(ours, theirs)
            self.go("merge", ours)
            merge_index(str(theirs))
            self.assertEqual((ours / "index.json").read_text(), (theirs / "index.json").read_text())
            want = [part * 100 + i for part in sorted(range(12), key=str) for i in range(part)]
            self.assertEqual([s["n"] for s in self.python_read(ours)], want)
            self.assertEqual([s["n"] for s in self.go_read(ours)], want)

    def test_resume(self):
        """Go goes on with a data set that Python began, and with one whose writer died; Python reads both."""
        columns = {"n": "int", "s": "str", "p": "pkl"}
        rng = random.Random(SEED)
        samples = [{name: value_for(rng, encoding) for name, encoding in columns.items()} for _ in range(100)]
        for died in (False, True):
            with self.subTest(died=died), tempfile.TemporaryDirectory() as temp:
                folder = Path(temp, "data")
                with MDSWriter(out=str(folder), columns=columns, hashes=["sha1"], size_limit="2kb") as writer:
                    for sample in samples[:60]:
                        writer.write(sample)
                begun = json.loads((folder / "index.json").read_text())["shards"]
                done = 60
                if died:  # while it wrote the last shard but one
                    (folder / "index.json").unlink()
                    os.truncate(folder / begun[-2]["raw_data"]["basename"], 100)
                    done = sum(s["samples"] for s in begun[:-2])
                self.go_write(samples[done:], columns, out=str(folder), resume=True, hashes=["sha1"], size_limit="2kb")
                self.assert_samples(columns, self.go_read(folder), samples, "Go")
                self.assert_samples(columns, self.python_read(folder), samples, "Python")
                self.assertEqual(json.loads((folder / "index.json").read_text())["shards"][:len(begun) - 2], begun[:-2])

    def test_streaming_dataset(self):
        """StreamingDataset reads Go's data, local and remote, and checks its hashes."""
        columns = {"n": "int", "s": "str", "x": "ndarray:float32", "p": "png"}
        rng = random.Random(SEED)
        samples = [{name: value_for(rng, encoding) for name, encoding in columns.items()} for _ in range(100)]
        for compression in ("", "zstd:7", "gz", "br", "bz2", "snappy"):
            with self.subTest(compression), tempfile.TemporaryDirectory() as temp:
                self.go_write(samples, columns, out=f"{temp}/a", compression=compression, size_limit="2kb", hashes=["sha1", "xxh64"])
                got = self.streaming_read(local=f"{temp}/a")
                self.assert_samples(columns, got, samples, f"local {compression}")
                self.go_write(samples, columns, out=f"{temp}/b", remote=f"{temp}/remote", compression=compression, size_limit="2kb", hashes=["sha1", "xxh64"])
                self.assertFalse(os.path.exists(f"{temp}/b"))
                got = self.streaming_read(remote=f"{temp}/remote", local=f"{temp}/cache", validate_hash="xxh64")
                self.assert_samples(columns, got, samples, f"remote {compression}")


if __name__ == "__main__":
    unittest.main()
