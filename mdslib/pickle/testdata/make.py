"""Writes golden.json: values of plain data as Python pickles them, in protocols 0 to 5. Run by Python 3.11 with numpy 2.

Each entry is protocol → base64 of zlib of the pickle (of large values protocol 4 alone); the Go tests have the values. Strings are interned, as constants and
names are in Python: of equal ones there is one object."""
import base64
import datetime
import decimal
import json
import pickle
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np

shared = [1, 2]
cyclic = []
cyclic.append(cyclic)
in_tuple = ([],)
in_tuple[0].append(in_tuple)
utc = datetime.timezone.utc
array = np.arange(3, dtype="int32")

PLAIN = {
    "none": None, "true": True, "false": False,
    "ints": [0, 1, 255, 256, 65535, 65536, -1, -128, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**63 - 1, 2**63, -2**63, -2**63 - 1, 10**30, -10**30, 2**2039, -2**2039, 2**2100],
    "floats": [0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf")],
    "nan": float("nan"),
    "texts": ["", "a", "héllo 世界 😀", "a\\u0041\\", "line\nbreak\r\x00\x1a", "x" * 255, "x" * 256, "a"],
    "bytes": [b"", b"\x00\x01\xff", b"y" * 255, b"y" * 256, b"\x00\x01\xff"],
    "long text": ["before", "x" * 70000, "after"],
    "long bytes": [b"z" * 65535, b"z" * 65536, b"after"],
    "frames": [70000] * 30000,
    "list": [], "list of one": [7], "list of 1000": list(range(1000)), "list of 1001": list(range(1001)), "list of 2000": list(range(2000)),
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "dict": {}, "dict of one": {"k": 1}, "dict of many": {"b": 1, "a": [None, True, {"b": "a"}], 3: 4.5, None: b"", (1, 2): "t"},
    "dict of 1000": {i: None for i in range(1000)}, "dict of 1001": {i: None for i in range(1001)},
    "set": set(), "set of one": {5}, "frozensets": [frozenset(), frozenset([5])], "set of 1000": set(range(1000)),
    "ordered": OrderedDict([("z", 1), ("a", 2)]),
    "shared": [shared, shared, {"x": shared}],
    "cyclic": cyclic, "cyclic tuple": in_tuple,
    "memo beyond 255": [[i] for i in range(300)] + ["end", "end"],
    "bytearray": bytearray(b"abc"),
}
RICH = {
    "decimals": [decimal.Decimal("1.10"), decimal.Decimal("-1E+50"), decimal.Decimal("NaN"), decimal.Decimal("1.10")],
    "datetimes": [datetime.datetime(2024, 2, 29, 23, 59, 58, 123456), datetime.datetime(1, 1, 1), datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=utc),
                  datetime.datetime(9999, 12, 31, tzinfo=datetime.timezone(datetime.timedelta(hours=-5, minutes=-30)))],
    "dates": [datetime.date(2024, 2, 29), datetime.date(1, 1, 1)],
    "timedeltas": [datetime.timedelta(0), datetime.timedelta(days=-1, microseconds=5), datetime.timedelta(seconds=86399, days=3)],
    "scalars": [np.int8(-1), np.uint8(255), np.int16(-2), np.uint16(3), np.int32(-4), np.uint32(5), np.int64(-6), np.uint64(7), np.float16(1.5), np.float32(0.1), np.float64(0.1), np.bool_(True)],
    "arrays": [np.arange(6, dtype="int16").reshape(2, 3), np.array([1.5, -2]), np.arange(4, dtype="uint8"), np.array([1, 0], "float16"), np.arange(2, dtype="uint64")],
    "same array": [array, array, array.copy()],
    "fortran": np.asfortranarray(np.arange(6, dtype="int32").reshape(2, 3)),
    "big-endian": np.arange(3, dtype=">i4"),
    "bools": np.array([True, False]),
    "array of no dimensions": np.array(5, "int64"),
    "empty array": np.zeros((2, 0), "float32"),
    "arrays of one byte": [np.array([7], "uint8"), np.array([7], "uint8"), np.zeros(0, "uint8"), b"", b"\x07"],
    "equal ones": [decimal.Decimal("1"), decimal.Decimal("1"), "1", np.arange(3), np.arange(3), np.float32(2), np.float32(2),
                   datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1), datetime.date(2024, 1, 1), datetime.date(2024, 1, 1)],
    "mixed": {"image": np.zeros((2, 2), "uint8"), "loss": np.float32(0.25), "when": datetime.datetime(2024, 1, 1, tzinfo=utc), "price": decimal.Decimal("9.99")},
}
REFUSED = {
    "system": b"cos\nsystem\n(S'true'\ntR.", "eval": b"\x80\x04\x8c\x08builtins\x94\x8c\x04eval\x94\x93\x94\x8c\x031+1\x94\x85\x94R\x94.",
    "complex": pickle.dumps(1 + 2j, 4), "range": pickle.dumps(range(3), 4), "path": pickle.dumps(Path("x"), 4), "object array": pickle.dumps(np.array([{}]), 4),
}


def pack(data):
    return base64.b64encode(zlib.compress(data, 9)).decode()


def entries(values):
    return {name: [pack(pickle.dumps(value, p)) if p == 4 or len(pickle.dumps(value)) < 1000 else None for p in range(6)] for name, value in values.items()}


out = {"python": "3.11", "numpy": np.__version__, "plain": entries(PLAIN), "rich": entries(RICH), "refused": {n: pack(d) for n, d in REFUSED.items()}}
Path(__file__).with_name("golden.json").write_text(json.dumps(out, indent=0) + "\n")
