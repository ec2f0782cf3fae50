#!/usr/bin/env python3
"""Writes types.parquet (by Spark 4.2), types.json (Spark's view of it) and dictionary.parquet (by pyarrow).

Run it with a Python that has pyspark 4.2.0 and pyarrow and a JDK 17:  python3 make.py
"""
import json
import os
import pathlib
import shutil
import tempfile

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

here = pathlib.Path(__file__).parent
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
rows = spark.sql("""
SELECT * FROM VALUES
 (true, 1Y, 2S, 3, 4L, CAST(1.5 AS FLOAT), 2.5D, 12.34BD, CAST('12345678901234567890.123' AS DECIMAL(38,3)), 'é', X'00FF', DATE'2024-02-29', TIMESTAMP'2024-02-29 12:34:56.789012', TIMESTAMP_NTZ'2024-02-29 12:34:56', array(1, NULL, 3), array(array('a'), array()), named_struct('x', 1, 'y', array('p', 'q')), map('k', 1, 'l', NULL)),
 (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (false, -1Y, -2S, -3, -4L, CAST('NaN' AS FLOAT), -0.0D, -0.01BD, CAST('-0.001' AS DECIMAL(38,3)), '', X'', DATE'1900-01-01', TIMESTAMP'1900-01-01 00:00:00', TIMESTAMP_NTZ'1969-12-31 23:59:59.5', array(), NULL, named_struct('x', NULL, 'y', NULL), map())
 AS t(b, by, sh, i, l, f, d, dec, big, s, bin, dt, ts, ntz, arr, nested, st, m)
""").coalesce(1)
out = tempfile.mkdtemp()
rows.write.mode("overwrite").parquet(out)
shutil.copy(next(pathlib.Path(out).glob("part-*.parquet")), here / "types.parquet")
back = spark.read.parquet(str(here / "types.parquet"))
schema = [[f.name, f.dataType.simpleString()] for f in back.schema]
text = [list(r) for r in back.selectExpr(*[f"to_json(struct({f.name}))" if f.dataType.typeName() in ("array", "struct", "map") else f"hex({f.name})" if f.name == "bin" else f"CAST({f.name} AS STRING)" for f in back.schema]).collect()]
lines = lambda part: ",\n".join(json.dumps(x, ensure_ascii=False) for x in part)
(here / "types.json").write_text('{"schema": [\n' + lines(schema) + '\n],\n"rows": [\n' + lines(text) + "\n]}\n")

table = pa.table({"word": pa.array(["a", "b", None, "a"]).dictionary_encode(), "u8": pa.array([1, 255, None, 0], pa.uint8()), "u64": pa.array([1, 2**64 - 1, None, 0], pa.uint64()), "t": pa.array([1, 2, None, 3], pa.timestamp("ns", "UTC")), "fixed": pa.array([b"ab", b"cd", None, b"ef"], pa.binary(2)), "h": pa.array([1.5, 2.5, None, -1.0], pa.float32())})
pq.write_table(table, here / "dictionary.parquet", row_group_size=3, compression="zstd")
