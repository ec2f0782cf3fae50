"""DataFrames, live against Spark and the pip package's dataframe_to_mds: the same Parquet file becomes the same shards, and
what gomosaic writes of a DataFrame is read by Spark and by LocalDataset."""
import decimal
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ["PYSPARK_PYTHON"] = sys.executable  # Spark's workers run the reference, too
from pyspark.sql import SparkSession, types as T
from streaming import LocalDataset
from streaming.base.converters import dataframe_to_mds

ROOT = Path(__file__).resolve().parent.parent
GOMOSAIC = ROOT / ".venv/bin/gomosaic"

# What both infer alike: tinyint and smallint the reference takes for unsigned, and the others it refuses.
SCHEMA = T.StructType([
    T.StructField("i", T.IntegerType()), T.StructField("l", T.LongType()), T.StructField("f", T.FloatType()), T.StructField("d", T.DoubleType()),
    T.StructField("dec", T.DecimalType(12, 3)), T.StructField("s", T.StringType()), T.StructField("b", T.BinaryType()),
    T.StructField("ai", T.ArrayType(T.IntegerType())), T.StructField("al", T.ArrayType(T.LongType())), T.StructField("ash", T.ArrayType(T.ShortType())),
    T.StructField("af", T.ArrayType(T.FloatType())), T.StructField("ad", T.ArrayType(T.DoubleType())),
])


def rows(rng, n):
    few = lambda make: [make() for _ in range(rng.randint(1, 5))]
    real = lambda: rng.choice([0.0, -0.0, 1.5, float("inf"), rng.uniform(-1e9, 1e9)])
    single = lambda: rng.choice([0.0, 1.5, -2.25, float("-inf"), rng.randrange(1 << 20) / 8])
    for _ in range(n):
        yield (
            rng.randrange(-1 << 31, 1 << 31), rng.randrange(-1 << 63, 1 << 63), single(), real(), decimal.Decimal(rng.randrange(-10**11, 10**11)).scaleb(-3),
            "".join(rng.choice('aé世😀 "\n\\') for _ in range(rng.randrange(20))), rng.randbytes(rng.randrange(200)),
            few(lambda: rng.randrange(-1 << 31, 1 << 31)), few(lambda: rng.randrange(-1 << 63, 1 << 63)), few(lambda: rng.randrange(-1 << 15, 1 << 15)), few(single), few(real),
        )


def gomosaic(*args):
    out = subprocess.run([GOMOSAIC, "mds", *map(str, args)], capture_output=True, text=True)
    if out.returncode:
        raise AssertionError(f"gomosaic mds {args}: {out.stderr}")
    return out.stdout


@unittest.skipUnless(shutil.which("java"), "Spark needs Java")
class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = (
            SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
        )
        cls.spark.sparkContext.setLogLevel("OFF")
        cls.folder = Path(tempfile.mkdtemp(prefix="interop-frame-"))
        cls.frame = cls.spark.createDataFrame(list(rows(random.Random(1), 300)), SCHEMA).coalesce(1)
        cls.frame.write.parquet(str(cls.folder / "parquet"))

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()
        shutil.rmtree(cls.folder)

    def reference(self, name, **kwargs):
        out = self.folder / name
        frame = self.spark.read.parquet(str(self.folder / "parquet")).coalesce(1)
        dataframe_to_mds(frame, merge_index=True, mds_kwargs={"out": str(out), "compression": None, **kwargs})
        (part,) = [p for p in out.iterdir() if p.is_dir()]
        return part

    def test_same_shards(self):
        """One shard of all rows, several of at most 20 kB, and chosen columns: byte for byte."""
        cases = [
            ({"size_limit": None}, []),
            ({"size_limit": "20kb", "hashes": ["sha1", "xxh64"]}, ["--size-limit", "20kb", "--hashes", "sha1,xxh64"]),
            ({"size_limit": None, "columns": {"l": "int64", "s": "str", "af": "ndarray:float32"}}, ["--columns", "l=int64,s=str,af=ndarray:float32"]),
        ]
        for i, (kwargs, flags) in enumerate(cases):
            with self.subTest(**kwargs):
                want = self.reference(f"reference{i}", **kwargs)
                out = self.folder / f"ours{i}"
                gomosaic("convert", self.folder / "parquet", out, *flags)
                ours = out / "00000"
                self.assertEqual([p.name for p in sorted(ours.iterdir())], [p.name for p in sorted(want.iterdir()) if not p.name.startswith(".")])
                for p in ours.iterdir():
                    self.assertEqual(p.read_bytes(), (want / p.name).read_bytes(), p.name)
                merged, theirs = (json.loads((d / "index.json").read_text()) for d in (out, want.parent))
                for a, b in zip(merged["shards"], theirs["shards"], strict=True):
                    b["raw_data"]["basename"] = "00000/" + b["raw_data"]["basename"].split("/")[1]
                    self.assertEqual(list(a), list(b))
                    self.assertEqual(a, b)

    def test_read_by_local_dataset(self):
        """Many partitions under one merged index: every row comes back."""
        source, out = self.folder / "many", self.folder / "many-mds"
        self.spark.read.parquet(str(self.folder / "parquet")).select("i", "s", "b").repartition(4).write.parquet(str(source))
        gomosaic("convert", source, out, "--size-limit", "4kb", "--hashes", "md5")
        got = sorted((int(x["i"]), x["s"], x["b"]) for x in LocalDataset(str(out)))
        want = sorted((r.i, r.s, bytes(r.b)) for r in self.frame.select("i", "s", "b").collect())
        self.assertEqual(got, want)

    def test_tables_read_by_spark(self):
        """Parquet, CSV and JSON lines that gomosaic writes have the rows of the Parquet that Spark wrote."""
        program = self.folder / "write"
        program.mkdir()
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "gomosaic", "display_name": "Go", "language": "go"}}, "cells": [{
            "cell_type": "code", "id": "a", "execution_count": None, "metadata": {}, "outputs": [], "source": f"""
                frame := check1(mdslib.Connect(ctx, "local")).Read().Format("parquet").Load({json.dumps(str(self.folder / "parquet"))}).
                	WithColumn("at", "timestamp_micros(l DIV 10000)").WithColumn("day", "CAST(at AS DATE)")
                check(frame.Write().Parquet(ctx, {json.dumps(str(self.folder / "ours-parquet"))}))
                check(frame.Write().Format("json").Save(ctx, {json.dumps(str(self.folder / "ours-json"))}))
                check(frame.Drop("b", "ai", "al", "ash", "af", "ad").Write().Format("csv").Option("header", "true").Save(ctx, {json.dumps(str(self.folder / "ours-csv"))}))
            """}]}
        (program / "a.ipynb").write_text(json.dumps(notebook))
        env = {**os.environ, "TZ": "UTC"}
        out = subprocess.run([GOMOSAIC, "run", "-q", "-o", "-", str(program / "a.ipynb")], capture_output=True, text=True, env=env)
        self.assertEqual(out.returncode, 0, out.stderr + out.stdout)
        source = self.spark.read.parquet(str(self.folder / "parquet")).selectExpr("*", "timestamp_micros(l DIV 10000) AS at", "CAST(timestamp_micros(l DIV 10000) AS DATE) AS day")
        want = source.orderBy("l").collect()
        parquet = self.spark.read.parquet(str(self.folder / "ours-parquet"))
        self.assertEqual(parquet.schema.simpleString(), source.schema.simpleString())
        self.assertEqual(parquet.orderBy("l").collect(), want)
        self.assertEqual(self.spark.read.schema(source.schema).json(str(self.folder / "ours-json")).orderBy("l").collect(), want)
        flat = source.drop("b", "ai", "al", "ash", "af", "ad")
        read = self.spark.read.options(header=True, multiLine=True).schema(flat.schema).csv(str(self.folder / "ours-csv"))
        text = lambda rows: [tuple("" if v is None else v for v in r) for r in rows]  # Spark reads an empty value as NULL
        self.assertEqual(text(read.orderBy("l").collect()), text(flat.orderBy("l").collect()))


if __name__ == "__main__":
    unittest.main()
