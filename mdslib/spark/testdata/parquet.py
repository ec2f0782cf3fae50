"""Writes Parquet files of one schema into a folder with PyArrow: each codec, data page version and encoding that both Spark and we read."""
import itertools
import sys

import pyarrow as pa
import pyarrow.parquet as pq

columns = {
    "flag": (pa.bool_(), ["PLAIN", "RLE"], lambda k: k % 3 == 0),
    "b": (pa.int8(), ["PLAIN", "DELTA_BINARY_PACKED"], lambda k: k % 256 - 128),
    "s": (pa.int16(), ["PLAIN", "DELTA_BINARY_PACKED"], lambda k: k * 31 % 65536 - 32768),
    "i": (pa.int32(), ["PLAIN", "DELTA_BINARY_PACKED"], lambda k: k * 2654435761 % 2**32 - 2**31),
    "n": (pa.int64(), ["PLAIN", "DELTA_BINARY_PACKED"], lambda k: k * 11400714819323198485 % 2**64 - 2**63),
    "f": (pa.float32(), ["PLAIN", "PLAIN"], lambda k: k / 8),
    "d": (pa.float64(), ["PLAIN", "PLAIN"], lambda k: k / 7),
    "text": (pa.string(), ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"], lambda k: f"row {k // 9} é"),
    "data": (pa.binary(), ["PLAIN", "DELTA_BYTE_ARRAY"], lambda k: bytes([k % 256]) * (k % 50)),
}


def write(path, first, rows, null, **options):
    values = {name: pa.array([None if null and (k + c) % null == 0 else value(k) for k in range(first, first + rows)], type)
              for c, (name, (type, _, value)) in enumerate(columns.items())}
    schema = pa.schema([pa.field(name, type, nullable=null > 0) for name, (type, _, _) in columns.items()])
    pq.write_table(pa.table(values, schema), path, **options)


kinds = [
    {"use_dictionary": True},
    {"use_dictionary": True, "dictionary_pagesize_limit": 100},
    {"use_dictionary": False},
    {"use_dictionary": False, "column_encoding": {name: encodings[0] for name, (_, encodings, _) in columns.items()}},
    {"use_dictionary": False, "column_encoding": {name: encodings[1] for name, (_, encodings, _) in columns.items()}},
]
codecs = itertools.cycle(["none", "snappy", "gzip", "zstd"])
for n, (kind, version, null) in enumerate(itertools.product(kinds, ["1.0", "2.0"], [0, 1, 3])):
    write(f"{sys.argv[1]}/{n:02d} %20é.parquet", 1000 * n, 150, null, compression=next(codecs), data_page_version=version,
          data_page_size=300, write_batch_size=7, row_group_size=[1000, 40][n % 2], **kind)
write(f"{sys.argv[1]}/empty.parquet", 0, 0, 3)
