#!/usr/bin/env python3
"""Writes expressions.json: what Spark 4.2 makes of each line of expressions.txt over the table below.

Run it with a Python that has pyspark 4.2.0 (requirements-reference.txt) and a JDK 17:  python3 expressions.py
Session time zone Europe/Berlin, ANSI mode as it is by default. Lines that start with # and empty ones are skipped;
lines that start with "agg " are aggregates of the whole table.
"""
import datetime
import decimal
import json
import math
import os
import pathlib
import sys

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
from pyspark.sql import SparkSession, functions as F, types as T

here = pathlib.Path(__file__).parent
ZONE = "Europe/Berlin"
TABLE = """
SELECT * FROM VALUES
 (1, 10L, 1.5D, CAST(2.5 AS FLOAT), 'file:/data/roses/a b.jpg', true, X'DEADBEEF', 12.34BD, DATE'2024-02-29', TIMESTAMP'2024-02-29 12:34:56.789012', array(1,2,3), array('x','y','z'), 1Y, 1S, named_struct('a', 1, 'b', 'one')),
 (-7, -3L, -2.5D, CAST('-0.0' AS FLOAT), 'Tulip É 花🌷', false, X'', -0.05BD, DATE'1969-12-31', TIMESTAMP'1969-12-31 23:59:59.5', array(-1,CAST(NULL AS INT)), array(), -128Y, -32768S, named_struct('a', -5, 'b', CAST(NULL AS STRING))),
 (2147483647, 9223372036854775807L, 1e300D, CAST('NaN' AS FLOAT), '', NULL, X'00FF', 99999999.99BD, DATE'1900-01-01', TIMESTAMP'2024-07-01 00:00:00', array(), array('a,b', NULL, 'ß'), 127Y, 32767S, NULL),
 (0, 0L, CAST('NaN' AS DOUBLE), CAST('Infinity' AS FLOAT), '  12  ', true, CAST('abc' AS BINARY), 0.00BD, DATE'2000-12-31', TIMESTAMP'2000-01-01 00:00:00', array(7), array('q'), 0Y, 0S, named_struct('a', 0, 'b', '')),
 (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
 AS t(i, l, d, f, s, b, bin, dec, dt, ts, arr, sarr, by, sh, st)
"""


def plain(v):
    if v is None:
        return None
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, float):
        return "NaN" if math.isnan(v) else repr(v)
    if isinstance(v, (bytes, bytearray)):
        return bytes(v).hex()
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, T.Row):
        return [plain(x) for x in v]
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return str(v)


def error_class(e):
    get = getattr(e, "getErrorClass", None) or getattr(e, "getCondition", None)
    c = get() if get else None
    if not c:
        text = str(e)
        if "[" in text:
            c = text[text.index("[") + 1 : text.index("]")]
    return c or "ERROR"


def main():
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", ZONE)
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    t = spark.sql(TABLE).coalesce(1).cache()
    t.count()
    out = []
    for line in (here / "expressions.txt").read_text().splitlines():
        e = line.strip()
        if not e or e.startswith("#"):
            continue
        case = {"expr": e}
        try:
            agg = e.startswith("agg ")
            q = t.agg(F.expr(e[4:])) if agg else t.selectExpr(e)
            field = q.schema[0]
            case["name"] = field.name
            case["type"] = field.dataType.simpleString()
            q = q.toDF("x")
            # Timestamps as microseconds, so that no zone of Python's comes in.
            if case["type"] == "timestamp":
                q = q.select(F.unix_micros("x"))
            elif case["type"] == "timestamp_ntz":
                q = q.select(q.x.cast("string"))
            case["rows"] = [plain(r[0]) for r in q.collect()]
        except Exception as x:
            case.pop("type", None)
            case.pop("name", None)
            case["error"] = error_class(x)
        out.append(case)
        print(json.dumps(case, ensure_ascii=False)[:200], file=sys.stderr)
    lines = ",\n".join(json.dumps(c, ensure_ascii=False) for c in out)
    (here / "expressions.json").write_text("[\n" + lines + "\n]\n")


main()
