"""The relations of real_test.go by PySpark, against the same server: prints a JSON object, name → [schema, rows].

Usage: relations.py FOLDER, with SPARK_REMOTE set. FOLDER holds flowers.csv and flowers.json.
"""
import datetime
import decimal
import json
import sys

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

folder = sys.argv[1]
spark = SparkSession.builder.remote(__import__("os").environ["SPARK_REMOTE"]).getOrCreate()
spark.conf.set("spark.sql.shuffle.partitions", "2")


def text(v):
    """A value as real_test.go's text has it."""
    if v is None:
        return "NULL"
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, float):
        return v.hex() if v == v else "NaN"
    if isinstance(v, (bytes, bytearray)):
        return "0x" + bytes(v).hex()
    if isinstance(v, datetime.datetime):
        return str(int(v.timestamp()) * 1000000 + v.microsecond)
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, decimal.Decimal):
        return f"{v:f}"
    if isinstance(v, Row):
        return "{" + ", ".join(f"{k}: {text(x)}" for k, x in v.asDict().items()) + "}"
    if isinstance(v, dict):
        return "{" + ", ".join(sorted(f"{text(k)}: {text(x)}" for k, x in v.items())) + "}"
    if isinstance(v, (list, tuple)):
        return "[" + ", ".join(text(x) for x in v) + "]"
    return str(v)


csv = spark.read.format("csv").option("header", "true").option("inferSchema", "true").load(folder + "/flowers.csv")
lines = spark.read.format("json").load(folder + "/flowers.json")
numbers = spark.range(0, 100)
frames = {
    "csv": csv,
    "json": lines,
    "schema": spark.read.format("csv").schema("a STRING, b BIGINT, c FLOAT").option("header", "true").load(folder + "/flowers.csv"),
    "range": numbers,
    "sql": spark.sql("SELECT id, CAST(id AS STRING) AS s FROM range(7) WHERE id % 2 = 0"),
    "project": csv.selectExpr("upper(name) AS n", "petals * 2", "*"),
    "global aggregate": csv.selectExpr("count(*)", "sum(petals) AS s"),
    "with column": csv.withColumn("double", F.expr("petals * 2")).withColumn("NAME", F.expr("lower(name)")),
    "renamed": csv.withColumnRenamed("name", "flower").withColumnRenamed("nothing", "x"),
    "drop": csv.drop("name", "nothing"),
    "filter": csv.filter("petals > 4 AND name IS NOT NULL"),
    "limit": numbers.limit(3),
    "sort": csv.orderBy(F.expr("petals").desc_nulls_first(), F.expr("name").asc()),
    "sort descending": csv.orderBy(F.expr("name").desc(), F.expr("petals").asc_nulls_last()),
    "distinct": csv.selectExpr("petals").distinct(),
    "duplicates": csv.dropDuplicates(["petals"]).selectExpr("petals"),
    "union": csv.union(csv.filter("petals = 5")),
    "union by name": csv.selectExpr("name", "petals").unionByName(csv.selectExpr("petals", "name")),
    "repartition": numbers.repartition(3).selectExpr("spark_partition_id() AS p", "id").selectExpr("count(DISTINCT p) AS parts", "sum(id) AS s"),
    "aggregate": csv.groupBy(F.expr("petals")).agg(F.expr("count(1) AS count"), F.expr("max(name)"), F.expr("avg(petals + 1) AS mean")),
    "aggregate by expression": csv.groupBy(F.expr("petals % 2 AS odd")).agg(F.expr("count(DISTINCT name) AS names")),
    "sample": numbers.sample(withReplacement=False, fraction=0.3, seed=7),
    "split 0": numbers.randomSplit([3.0, 1.0], seed=11)[0],
    "split 1": numbers.randomSplit([3.0, 1.0], seed=11)[1],
    "types": spark.sql(
        "SELECT CAST(1 AS TINYINT) AS b, CAST(-2 AS SMALLINT) AS s, 3 AS i, 4L AS l, CAST(0.1 AS FLOAT) AS f, 0.1D AS d, 1.50BD AS dec,"
        " true AS t, X'00ff' AS bin, DATE'2026-11-27' AS day, TIMESTAMP'2026-11-27 10:00:00.123456Z' AS at, 'x' AS txt,"
        " array(1, NULL) AS a, map('k', 1) AS m, named_struct('p', 1, 'q', array('z')) AS st, CAST(NULL AS INT) AS none, array(named_struct('n', 1.0D)) AS deep"
    ),
    "null rows": spark.sql("SELECT IF(id = 1, NULL, id) AS i, IF(id = 0, NULL, CAST(id AS STRING)) AS s, IF(id = 2, NULL, X'01') AS b FROM range(3)"),
    "empty": numbers.filter("id < 0"),
}
out = {}
for name, frame in frames.items():
    out[name] = [frame.schema.simpleString(), [[text(v) for v in row] for row in frame.collect()]]
json.dump(out, sys.stdout)
