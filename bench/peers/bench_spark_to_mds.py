"""dataframe_to_mds of mosaicml-streaming on Spark, two cores of this machine."""
import os
import sys

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable

from bench_common import clock, serve
from pyspark.sql import SparkSession
from streaming.base.converters import dataframe_to_mds

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "3g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",
}


def dataframe(input, out):
    """Spark starts, and reads the files once, before the clock runs."""
    builder = SparkSession.builder.master("local[2]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.parquet(input)
    rows, reply = frame.count(), {}
    with clock(reply):
        dataframe_to_mds(frame, merge_index=True, mds_kwargs={"out": out, "columns": {"data": "bytes", "label": "int64"}, "compression": None})
    return {"samples": rows, **reply}


if __name__ == "__main__":
    serve({"dataframe": dataframe}, "mosaicml-streaming", "pyspark")
