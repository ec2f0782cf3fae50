#!/usr/bin/env python3
"""Writes spark.json: what Spark 4.2 makes of small files, read by its sources and taken through its DataFrame methods.

Run it with a Python that has pyspark 4.2.0 (requirements-reference.txt) and a JDK 17:  python3 spark.py
Session time zone Europe/Berlin, ANSI mode as it is by default. Where a case has several files the rows are in no order.
"""
import bz2
import datetime
import decimal
import gzip
import json
import math
import os
import pathlib
import shutil
import sys
import tempfile

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
from pyspark.sql import SparkSession, functions as F, types as T

here = pathlib.Path(__file__).parent
ZONE = "Europe/Berlin"

PEOPLE = 'name,age,city\nAda,36,London\nBob,,Paris\n"Carl, C",7,\nDora,36,Paris\nEve,-1,London\n'
NUMBERS = "n,v\n" + "".join(f"{i * 7919 % 1000},{i % 13}\n" for i in range(1000))
EVENTS = (
    '{"id": 1, "at": {"y": 2, "x": 1.5}, "tags": ["x", "y"], "mixed": 1, "big": 12345678901234567890, "f": 1e3, "when": "2024-02-29T12:34:56Z"}\n\n'
    '{"id": 2, "extra": true, "mixed": "s", "none": null, "tags": [], "ID2": 4, "when": "x"}\n'
    '{"mixed": {"a": [1, 2.0]}, "at": null, "at2": {}, "extra": false}\n'
)


def case(name, format, files, options=None, load=("",), schema=None, ops=()):
    return {
        "name": name, "format": format, "files": files, "options": options or {}, "load": list(load),
        **({"schema": schema} if schema else {}), "ops": [list(o) for o in ops],
    }


def one(text):
    return {"a.csv": text}


HEADER = {"header": "true"}
INFER = {"header": "true", "inferSchema": "true"}


def partitioned(*folders, options=None, **more):
    name = "partitions " + " ".join([*folders, *(f"{k}={v}" for k, v in (options or {}).items()), *(f"load {p}" for p in more.get("load", []))])
    return case(name, "binaryFile", {f"{f}/x.bin": "x" for f in folders}, options, ops=[("drop", ["path", "modificationTime", "length", "content"])], **more)


CASES = [
    # partition folders
    partitioned("k=1", "k=2"),
    partitioned("k=1", "k=2147483648"),
    partitioned("k=1", "k=99999999999999999999"),
    partitioned("k=9223372036854775808", "k=1.5"),
    partitioned("k=1", "k=1.5"),
    partitioned("k=1", "k=1e3"),
    partitioned("k=01", "k=2"),
    partitioned("k=+1", "k=2"),
    partitioned("k=1f", "k=2"),
    partitioned("k=1d", "k=2"),
    partitioned("k=NaN", "k=2"),
    partitioned("k=Infinity", "k=2"),
    partitioned("k=-0.0", "k=2"),
    partitioned("k= 1", "k=2"),
    partitioned("k=", "k=2"),
    partitioned("k=true", "k=false"),
    partitioned("k=1", "k=x"),
    partitioned("k=2024-01-02", "k=2024-02-29"),
    partitioned("k=2024-01-02", "k=2024"),
    partitioned("k=2024-1-2", "k=2024-02-29"),
    partitioned("k=2024-01-02", "k=2024-02-29 12%3A34%3A56"),
    partitioned("k=2024-02-29 12%3A34%3A56", "k=2024-02-29 12%3A34%3A56.789"),
    partitioned("k=2024-02-29T12%3A34%3A56", "k=2024-02-29T12%3A34%3A56Z"),
    partitioned("k=2024-01-02", "k=x"),
    partitioned("k=2024-01-02", "k=1"),
    partitioned("k=__HIVE_DEFAULT_PARTITION__", "k=2"),
    partitioned("k=__HIVE_DEFAULT_PARTITION__", "k=x"),
    partitioned("k=__HIVE_DEFAULT_PARTITION__"),
    partitioned("k=a%2Fb%25c", "k=é ü"),
    partitioned("k%20x=1", "k%20x=2"),
    partitioned("a=1/b=x", "a=2/b=y"),
    partitioned("a=1/b=x", "a=2/c=y"),
    partitioned("a=1/b=x", "a=2"),
    partitioned("a=1", "plain"),
    partitioned("a=1/_b=2", "a=2/_b=3"),
    partitioned("a=1/.b=2", "a=2/.b=3"),
    partitioned("a=1/a=2"),
    partitioned("k=1", "k=x", options={"recursiveFileLookup": "true"}),
    partitioned("k=1", "k=2", load=["k=1"]),
    partitioned("k=1", "k=2", load=["k=1"], options={"basePath": "{root}"}),
    partitioned("k=1", "k=2", load=["k=*"]),
    partitioned("k=1/l=a", "k=2/l=b", load=["k=1", "k=2"]),
    partitioned("k=1/l=a", "k=2/l=b", load=["*/l=a"], options={"basePath": "{root}"}),
    case("partition column of the data's name", "csv", {"n=7/a.csv": "n,m\n1,2\n", "n=8/a.csv": "n,m\n3,4\n"}, INFER),
    case("partition column behind the data", "csv", {"k=7/a.csv": "n,m\n1,2\n", "k=x/a.csv": "n,m\n3,4\n"}, INFER),
    case("partition columns as the schema has them", "csv", {"k=7/a.csv": "n\n1\n"}, HEADER, schema="n INT, k STRING"),
    # which files
    case("hidden files", "binaryFile", {"a": "x", ".b": "x", "_c": "x", "_d=1": "x", "e._COPYING_": "x", "f_": "x", "sub/g": "x"}, ops=[("select", ["path", "length", "CAST(content AS STRING) AS text"])]),
    case("hidden folders", "binaryFile", {"a/x": "x", "_b/x": "x", ".c/x": "x", "_d=1/x": "x"}, {"recursiveFileLookup": "true"}, ops=[("select", ["path"])]),
    case("pathGlobFilter", "binaryFile", {"a.jpg": "x", "b.JPG": "x", "c.jpeg": "x", "d.png": "x", "e.jpg.txt": "x"}, {"pathGlobFilter": "*.{jpg,jp[d-f]g}"}, ops=[("select", ["path"])]),
    case("globs", "binaryFile", {"a1/x": "x", "a2/y": "x", "b1/x": "x", "a3/s/z": "x"}, load=["a[1-2]/?", "{b1,a3/s}/*"], ops=[("select", ["path"])]),
    case("negated class", "binaryFile", {"a1/x": "x", "a2/y": "x", "b1/x": "x"}, load=["a[^1]/*"], ops=[("select", ["path"])]),
    case("glob of hidden files", "binaryFile", {"_a": "x", ".b": "x", "c": "x"}, load=["*"], ops=[("select", ["path"])]),
    case("a glob that matches nothing", "binaryFile", {"a": "x"}, load=["nope*"], ops=[("select", ["path"])]),
    case("a path that is not there", "binaryFile", {"a": "x"}, load=["nope"], ops=[("select", ["path"])]),
    case("modifiedAfter", "binaryFile", {"a": "x"}, {"modifiedAfter": "2020-01-01T00:00:00"}, ops=[("select", ["path"])]),
    case("modifiedBefore", "binaryFile", {"a": "x"}, {"modifiedBefore": "2020-01-01T00:00:00"}, ops=[("select", ["path"])]),
    case("a file given twice", "binaryFile", {"a": "x", "b": "x"}, load=["a", "a", ""], ops=[("select", ["path"])]),
    # csv
    case("csv plain", "csv", one("a,b\n1,2,3\n4\n")),
    case("csv people", "csv", one(PEOPLE), INFER),
    case("csv header cells", "csv", one("a,,a,A, b ,\"c d\"\n1,2,3,4,5,6\n"), INFER),
    case("csv header of several files", "csv", {"a.csv": "a,b\n1,2\n", "b.csv": "a,b\n3,4\n"}, INFER),
    case("csv types", "csv", one("i,l,d,s,b,dt,ts,e,m,n\n1,1,1,1,true,2024-01-02,2024-01-02 03:04:05,,1,NaN\n2,3000000000,1.5,x,FALSE,2024-01-03,2024-01-03,,2024-01-02,1\n"), INFER),
    case("csv decimals", "csv", one("a,b,c\n1,12345678901234567890,1.5\n2,3,12345678901234567890\n"), INFER),
    case("csv numbers", "csv", one("a,b,c,d,e,f\n1e3,+1,-0,007, 1,.5\n1,2,3,4,5,6.\n"), INFER),
    case("csv numbers with letters", "csv", one("a,b,c,d\n1f,1d,1L,0x1F\n1,2,3,4\n"), INFER),
    case("csv infinities", "csv", one("a,b,c\nInf,-Inf,NaN\n1,2,3\n"), INFER),
    case("csv timestamps", "csv", one("a,b,c,d\n2024-02-29T12:34:56,2024-02-29T12:34:56Z,2024-02-29 12:34:56.789,2024-02-29T12:34:56+02:00\n2024-02-29,2024-02-29,2024-02-29,2024-02-29\n"), INFER),
    case("csv quotes", "csv", one('a,b\n"x ""y""",\'z\'\n"a\\"b","c\\\\d"\n"x"y,"x" ,  "z"\n'), HEADER),
    case("csv other quote and separator", "csv", one("'a\\'b'\t-\n\n#c\nx\t''\n"), {"sep": "\\t", "quote": "'", "nullValue": "-", "comment": "#"}),
    case("csv long separator", "csv", one("a||b\n1||2\n"), {"sep": "||", **INFER}),
    case("csv delimiter", "csv", one("a;b\n1;2\n"), {"delimiter": ";", **INFER}),
    case("csv no quote", "csv", one('a,b\n"x,y"\n'), {"quote": "", **HEADER}),
    case("csv white space", "csv", one("a , b\n x , y \n\" p \", q\n"), HEADER),
    case("csv white space ignored", "csv", one("a , b\n x , y \n\" p \", q\n"), {"ignoreLeadingWhiteSpace": "true", "ignoreTrailingWhiteSpace": "true", **HEADER}),
    case("csv empty values", "csv", one('a,b,c\n,"",x\n'), HEADER),
    case("csv emptyValue", "csv", one('a,b,c\n,"",x\n'), {"emptyValue": "EMPTY", **HEADER}),
    case("csv nullValue", "csv", one('a,b,c\nNA,"NA",1\nx,,NA\n'), {"nullValue": "NA", **INFER}),
    case("csv multiLine", "csv", one('a,b\n"x\ny",2\r\n"p",3\r\n'), {"multiLine": "true", **INFER}),
    case("csv one line per row", "csv", one('a,b\n"x\ny",2\n'), HEADER),
    case("csv lineSep", "csv", one("a,b;1,2;3,4"), {"lineSep": ";", **INFER}),
    case("csv carriage returns", "csv", one("a,b\r\n1,2\r\n"), INFER),
    case("csv byte order mark", "csv", one("\ufeffa,b\n1,2\n"), INFER),
    case("csv empty file", "csv", one(""), HEADER),
    case("csv header only", "csv", one("a,b\n"), INFER),
    case("csv blank lines", "csv", one("a,b\n\n1,2\n\n  \n3,4\n"), HEADER),
    case("csv short and long rows", "csv", one("a,b\n1\n1,2,3\n"), INFER),
    case("csv schema", "csv", one("x,y,z\n1,2,3\nq,5,6\n"), HEADER, schema="a INT, b STRING, c DOUBLE"),
    case("csv schema, failfast", "csv", one("x,y,z\n1,2,3\nq,5,6\n"), {"mode": "FAILFAST", **HEADER}, schema="x INT, y STRING, z DOUBLE"),
    case("csv schema, dropmalformed", "csv", one("x,y,z\n1,2,3\nq,5,6\n7,8,9\n"), {"mode": "DROPMALFORMED", **HEADER}, schema="x INT, y STRING, z DOUBLE"),
    case("csv schema of all types", "csv", one("1,2,3,4,1.5,2.5,1.25,true,2024-02-29,2024-02-29 12:34:56,s\n-1,-2,-3,-4,NaN,-Inf,9.999,FALSE,1969-12-31,1969-12-31T23:59:59.5,\n"), schema="by TINYINT, sh SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, de DECIMAL(10,2), b BOOLEAN, dt DATE, ts TIMESTAMP, s STRING"),
    case("csv out of range", "csv", one("300\n3000000000\n1.0\n 1\n"), schema="a TINYINT"),
    case("csv dateFormat", "csv", one("a,b\n29/02/2024,29.02.2024 12:34\n"), {"dateFormat": "dd/MM/yyyy", "timestampFormat": "dd.MM.yyyy HH:mm", **HEADER}, schema="a DATE, b TIMESTAMP"),
    case("csv samplingRatio", "csv", one("a\n1\n2\n"), {"samplingRatio": "1.0", **INFER}),
    case("csv gz", "csv", {"a.csv.gz": "x\n1\n2\n"}, INFER),
    case("csv bz2", "csv", {"a.csv.bz2": "x\n1\n2\n"}, INFER),
    # json
    case("json", "json", {"a.jsonl": EVENTS}),
    case("json of several files", "json", {"a.json": '{"a": 1}\n', "b.json": '{"a": 1.5, "b": "x"}\n'}),
    case("json multiLine", "json", {"a.json": '[{"a": 1},\n {"a": 2, "b": [1, null]}]', "b.json": '{"a": \n3}'}, {"multiLine": "true"}),
    case("json primitivesAsString", "json", {"a.json": '{"a": 1, "b": true, "c": 1.50, "d": {"e": 2}}\n'}, {"primitivesAsString": "true"}),
    case("json prefersDecimal", "json", {"a.json": '{"a": 1.5, "b": 12345678901234567890}\n'}, {"prefersDecimal": "true"}),
    case("json malformed, permissive", "json", {"a.json": '{"a": 1}\n{"a": \n{"a": 3}\n'}, {"mode": "PERMISSIVE"}, schema="a BIGINT"),
    case("json malformed, failfast", "json", {"a.json": '{"a": 1}\n{"a": \n{"a": 3}\n'}, {"mode": "FAILFAST"}),
    case("json malformed, dropmalformed", "json", {"a.json": '{"a": 1}\n{"a": \n{"a": 3}\n'}, {"mode": "DROPMALFORMED"}),
    case("json corrupt record", "json", {"a.json": '{"a": 1}\n{"a": \n{"a": 3}\n'}),
    case("json schema", "json", {"a.json": '{"a": 1, "b": "2024-02-29", "c": [1, 2], "d": {"x": 1.5}, "e": "2024-02-29T12:34:56", "f": 1.25, "g": "AAEC"}\n{"b": null}\n'}, schema="a INT, b DATE, c ARRAY<INT>, d STRUCT<x: DOUBLE>, e TIMESTAMP, f DECIMAL(10,2), g BINARY, z STRING"),
    case("json schema of strings", "json", {"a.json": '{"a": 1, "b": [1, 2.50], "c": {"x": true}, "d": false, "e": null}\n'}, schema="a STRING, b STRING, c STRING, d STRING, e STRING"),
    case("json schema maps", "json", {"a.json": '{"m": {"b": 1, "a": 2}}\n'}, schema="m MAP<STRING, INT>"),
    case("json schema that does not fit", "json", {"a.json": '{"a": "x", "b": 1}\n{"a": 1, "b": "y"}\n'}, schema="a INT, b INT"),
    case("json numbers", "json", {"a.json": '{"a": 1, "b": 1.0, "c": 1e2, "d": -0}\n{"a": 9223372036854775808, "b": 2, "c": 3, "d": -0.0}\n'}),
    case("json names in two cases", "json", {"a.json": '{"a": 1, "A": 2}\n'}),
    case("json allowComments", "json", {"a.json": "{'a': 1 /* c */}\n"}, {"allowComments": "true", "allowSingleQuotes": "true"}),
    case("json allowUnquotedFieldNames", "json", {"a.json": "{a: 1}\n"}, {"allowUnquotedFieldNames": "true"}),
    case("json dropFieldIfAllNull", "json", {"a.json": '{"a": null, "b": [], "c": 1}\n'}, {"dropFieldIfAllNull": "true"}),
    case("json gz", "json", {"a.json.gz": '{"a": 1}\n'}),
    case("json not objects", "json", {"a.json": '1\n[{"a": 1}, {"a": 2}]\n"x"\n'}, {"mode": "PERMISSIVE"}, schema="a BIGINT"),
    # methods
    case("select", "csv", one(PEOPLE), INFER, ops=[("select", ["upper(name) AS who", "age + 1", "*"])]),
    case("withColumn", "csv", one(PEOPLE), INFER, ops=[("withColumn", "AGE", "coalesce(age, 0) * 2"), ("withColumn", "n", "length(name)")]),
    case("withColumnRenamed", "csv", one(PEOPLE), INFER, ops=[("withColumnRenamed", "NAME", "who"), ("withColumnRenamed", "nosuch", "x")]),
    case("drop", "csv", one(PEOPLE), INFER, ops=[("drop", ["CITY", "nosuch"])]),
    case("filter", "csv", one(PEOPLE), INFER, ops=[("filter", "age > 0 OR city = 'Paris'")]),
    case("limit", "csv", one(PEOPLE), INFER, ops=[("limit", 2)]),
    case("orderBy", "csv", one(PEOPLE), INFER, ops=[("orderBy", ["city desc", "age asc nulls last", "name"])]),
    case("orderBy nulls", "csv", one(PEOPLE), INFER, ops=[("orderBy", ["age", "name desc"])]),
    case("distinct", "csv", one("a,b\n1,x\n1,x\n,x\n,x\nNaN,\nNaN,\n"), INFER, ops=[("distinct",), ("orderBy", ["a", "b"])]),
    case("dropDuplicates", "csv", one(PEOPLE), INFER, ops=[("dropDuplicates", ["city"]), ("select", ["city"]), ("orderBy", ["city"])]),
    case("union", "csv", one(PEOPLE), INFER, ops=[("unionSelf", ["name", "age * 2.5", "city"])]),
    case("union of text and numbers", "csv", one("a,b\n1,x\n"), INFER, ops=[("unionSelf", ["b", "b"])]),
    case("unionByName", "csv", one(PEOPLE), INFER, ops=[("unionByNameSelf", ["city", "age * 2L AS age", "name"])]),
    case("count", "csv", one(PEOPLE), INFER, ops=[("groupCount", ["city"]), ("orderBy", ["city"])]),
    case("agg", "csv", one(PEOPLE), INFER, ops=[("groupAgg", ["city"], ["sum(age)", "avg(age) AS a", "min(name)", "max(age)", "count(*)", "count(age)", "count(DISTINCT age) AS d"]), ("orderBy", ["city"])]),
    case("agg of all", "csv", one(PEOPLE), INFER, ops=[("groupAgg", [], ["sum(age)", "avg(age)", "min(city)", "max(city)", "count(1)"])]),
    case("agg of decimals", "csv", one(PEOPLE), INFER, ops=[("groupAgg", [], ["sum(CAST(age AS DECIMAL(10,2))) AS s", "avg(CAST(age AS DECIMAL(10,2))) AS a", "avg(age * 1.5) AS b"])]),
    case("group by an expression", "csv", one(PEOPLE), INFER, ops=[("groupAgg", ["age IS NULL AS unknown"], ["max(age)"]), ("orderBy", ["unknown"])]),
    # the sampler: one file, one partition
    *[case(f"sample {f} {s}", "csv", one(NUMBERS), INFER, ops=[("sample", f, s)]) for f, s in [(0.1, 7), (0.5, 42), (0.01, -3), (0.9, 1 << 40), (1.0, 5), (0.0, 5)]],
    *[case(f"randomSplit {i} {s}", "csv", one(NUMBERS), INFER, ops=[("randomSplit", [9.0, 1.0], s, i)]) for i, s in [(0, 42), (1, 42), (1, 7)]],
    case("randomSplit of three", "csv", one(NUMBERS), INFER, ops=[("randomSplit", [1.0, 2.0, 2.5], 3, 1)]),
    case("randomSplit of text", "csv", one(PEOPLE), INFER, ops=[("randomSplit", [1.0, 1.0], 11, 0)]),
    case("sample of a filter", "csv", one(NUMBERS), INFER, ops=[("filter", "v > 3"), ("sample", 0.2, 99)]),
]


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
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return str(v)


def error_class(e):
    get = getattr(e, "getErrorClass", None) or getattr(e, "getCondition", None)
    return (get() if get else None) or str(e).splitlines()[0][:120]


def run(spark, c, root):
    for name, text in c["files"].items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode()
        data = gzip.compress(data) if name.endswith(".gz") else bz2.compress(data) if name.endswith(".bz2") else data
        path.write_bytes(data)
    r = spark.read.format(c["format"])
    for k, v in c["options"].items():
        r = r.option(k, v.replace("{root}", str(root)))
    if "schema" in c:
        r = r.schema(c["schema"])
    d = r.load([str(root / p) if p else str(root) for p in c["load"]])
    for op, *a in c["ops"]:
        if op == "select":
            d = d.selectExpr(*a[0])
        elif op == "withColumn":
            d = d.withColumn(a[0], F.expr(a[1]))
        elif op == "drop":
            d = d.drop(*a[0])
        elif op == "orderBy":
            def key(k):
                return F.expr("struct(1)") if not k else k
            d.createOrReplaceTempView("t")
            d = spark.sql("SELECT * FROM t ORDER BY " + ", ".join(a[0]))
        elif op == "dropDuplicates":
            d = d.dropDuplicates(a[0])
        elif op == "unionSelf":
            d = d.union(d.selectExpr(*a[0]))
        elif op == "unionByNameSelf":
            d = d.unionByName(d.selectExpr(*a[0]))
        elif op == "groupCount":
            d = d.groupBy(*[F.expr(x) for x in a[0]]).count()
        elif op == "groupAgg":
            d = d.groupBy(*[F.expr(x) for x in a[0]]).agg(*[F.expr(x) for x in a[1]])
        elif op == "randomSplit":
            d = d.randomSplit(a[0], a[1])[a[2]]
        elif op == "sample":
            d = d.sample(a[0], a[1])
        else:
            d = getattr(d, op)(*a)
    out = {"type": d.schema.simpleString()}
    # Timestamps as microseconds, so that no zone of Python's comes in.
    show = d.toDF(*[f"c{i}" for i in range(len(d.columns))])
    cols = []
    for f in show.schema:
        t = f.dataType.simpleString()
        cols.append(F.unix_micros(f.name) if t == "timestamp" else F.col(f.name).cast("string") if t == "timestamp_ntz" else F.col(f.name))
    rows = [plain(list(r)) for r in show.select(*cols).collect()]
    out["rows"] = json.loads(json.dumps(rows, ensure_ascii=False).replace(str(root), "{root}"))
    if len(c["files"]) > 1:
        out["rows"].sort(key=lambda r: json.dumps(r, ensure_ascii=False))
    return out


def main():
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", ZONE)
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    out = []
    for c in CASES:
        root = pathlib.Path(tempfile.mkdtemp())
        try:
            c.update(run(spark, c, root))
        except Exception as x:
            c["error"] = error_class(x).replace(str(root), "{root}")
        shutil.rmtree(root)
        out.append(c)
        print(json.dumps(c, ensure_ascii=False)[:300], file=sys.stderr, flush=True)
    lines = ",\n".join(json.dumps(c, ensure_ascii=False) for c in out)
    (here / "spark.json").write_text("[\n" + lines + "\n]\n")


main()
