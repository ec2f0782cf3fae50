"""PySpark over Spark Connect, with dataframe_to_mds of mosaicml-streaming: the peer's side of `make bench-spark`."""
import json
from time import perf_counter

from bench_common import clock, serve
from pyspark.sql import SparkSession
from streaming.base.converters import dataframe_to_mds
from streaming.base.util import merge_index

spark = None


def connect(remote):
    """Leaves the session it has, if any, for a new one."""
    global spark
    if spark is not None:
        spark.stop()
    reply = {}
    with clock(reply):
        spark = SparkSession.builder.remote(remote).create()
        spark.version
    return reply


def convert(format, input, select, columns, partitions, out):
    reply = {}
    with clock(reply):
        frame = spark.read.format(format).load(input).selectExpr(*select).repartition(partitions)
        dataframe_to_mds(frame, merge_index=True, mds_kwargs={"out": out, "columns": columns, "compression": "zstd"})
    return {"samples": sum(shard["samples"] for shard in json.load(open(out + "/index.json"))["shards"]), **reply}


def to_arrow(query):
    reply = {}
    with clock(reply):
        table = spark.sql(query).toArrow()
    return {"samples": table.num_rows, "bytes": table.nbytes, **reply}


def small(query, times):
    frame, each = spark.sql(query), []
    for _ in range(times):
        at = perf_counter()
        rows = frame.collect()
        each.append(perf_counter() - at)
    return {"samples": len(rows), "each": each}


def merge(folder):
    reply = {}
    with clock(reply):
        merge_index(folder, keep_local=True)
    return reply


if __name__ == "__main__":
    serve({"connect": connect, "convert": convert, "to_arrow": to_arrow, "small": small, "merge": merge}, "mosaicml-streaming", "pyspark")
