"""The relations of real_test.go by PySpark, against the same server: prints a JSON object, name → [schema, rows].

Usage: relations.py FOLDER, with SPARK_REMOTE set. FOLDER holds flowers.csv, colours.csv and flowers.json.
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
colours = spark.read.format("csv").option("header", "true").option("inferSchema", "true").load(folder + "/colours.csv")
numbers = spark.range(0, 100)
few = spark.range(0, 4).selectExpr("CAST(id AS INT) AS petals", "id * 2 AS twice")
left, right = csv.alias("l"), colours.alias("r")
gaps = few.selectExpr("IF(twice = 0, NULL, twice) AS l", "IF(twice = 2, double('NaN'), IF(twice = 4, NULL, twice / 4)) AS d", "CAST(IF(twice = 2, NULL, 0.1) AS FLOAT) AS f",
                      "IF(twice = 2, NULL, CAST(twice AS STRING)) AS s", "IF(twice = 6, NULL, twice > 2) AS b", "CAST(IF(twice = 0, NULL, 2.5) AS DECIMAL(10,2)) AS dec")
names, more = csv.select("name"), colours.select("name").union(colours.select("name"))
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
    "aggregate of odd names": few.select(F.expr("petals AS `größe`"), F.expr("twice AS `a.b`"), F.expr("petals % 2 AS `c d`")).groupBy("`c d`").agg(F.max("`größe`"), F.max("`a.b`")),
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
    "offset": numbers.offset(97),
    "limit of sorted": csv.orderBy(F.expr("height").desc(), "name").offset(1).limit(3),
    "join": csv.join(colours, "name"),
    "join two columns": csv.join(colours, ["petals", "name"], "inner"),
    "join left": csv.join(colours, "name", "left"),
    "join right": csv.join(colours, "name", "right_outer"),
    "join full": csv.join(colours, "name", "outer"),
    "join full long": few.join(numbers.filter("id < 6").selectExpr("id AS petals", "id + 1 AS next"), "petals", "full"),
    "join semi": csv.join(colours, "petals", "left_semi"),
    "join anti": csv.join(colours, "name", "anti"),
    "join cross": csv.crossJoin(colours.select("colour")),
    "join on": left.join(right, F.expr("l.name = r.name"), "inner").selectExpr("l.*", "r.colour", "r.petals AS p"),
    "join on all": left.join(right, F.expr("l.name = r.name AND l.petals = r.petals"), "left"),
    "join on more": left.join(right, F.expr("r.petals = l.petals AND l.height < r.rank"), "full"),
    "join on expressions": left.join(right, F.expr("upper(l.name) = concat(upper(r.name), '')"), "right").drop("rank"),
    "join on null": left.join(right, F.expr("l.name <=> r.name"), "inner").selectExpr("l.name", "colour"),
    "join on unequal": left.join(right, F.expr("l.petals > r.petals"), "left_outer").filter("r.colour IS NULL OR l.petals = 6"),
    "join on semi": left.join(right, F.expr("l.name = r.name AND r.rank > 2"), "semi"),
    "join on anti": left.join(right, F.expr("l.petals = r.petals AND r.colour = 'red'"), "leftanti"),
    "join of itself": csv.alias("a").join(csv.alias("b"), F.expr("a.petals = b.petals AND a.name < b.name"), "inner").groupBy(F.expr("a.petals")).agg(F.expr("count(b.height) AS n")).orderBy("petals"),
    "join aliased columns": left.join(right, "name", "inner").selectExpr("l.name", "l.petals", "r.petals", "r.colour"),
    "intersect": names.intersect(more),
    "intersect all": csv.select("petals").intersectAll(colours.select("petals")),
    "except": names.subtract(more.filter("name != 'rose'")),
    "except all": csv.select("name", "petals").exceptAll(colours.select("name", "petals")),
    "set of other types": few.select("petals").intersect(numbers.select("id")),
    "repartition by": numbers.repartition(3, F.expr("id % 10"), F.expr("id IS NULL")).selectExpr("spark_partition_id() AS p", "id"),
    "repartition by name": csv.repartition("name").groupBy("name").count(),
    "pivot": csv.groupBy("petals").pivot("name").count(),
    "pivot values": csv.groupBy("name", F.expr("petals > 4 AS many")).pivot("petals", [5, 6.0, "4", 9]).agg(F.expr("max(height) AS top"), F.expr("collect_list(height)")),
    "pivot counts and text": csv.groupBy("petals").pivot("name").agg(F.expr("count(1) + 1 AS n"), F.expr("max(name)")),
    "pivot sums": colours.selectExpr("*", "rank > 2 AS late").groupBy("name").pivot("late").sum("petals", "rank"),
    "pivot all": csv.groupBy().pivot("height").agg(F.expr("first(name) AS f")),
    "pivot nothing": csv.filter("petals > 10").groupBy().pivot("name", ["rose"]).count(),
    "pivot dates": numbers.withColumn("day", F.expr("date_add(DATE'2024-02-28', CAST(id % 3 AS INT))")).groupBy(F.expr("id % 2 AS odd")).pivot("day").agg(F.expr("sum(id)")),
    "unpivot": csv.unpivot(["name"], ["petals", "height"], "what", "much"),
    "unpivot the rest": few.withColumn("half", F.expr("petals / 2")).unpivot(["twice"], None, "column", "v"),
    "unpivot without ids": few.unpivot([], ["twice", "petals"], "variable", "value"),
    "to df": colours.toDF("a", "b c", "d", "a2").filter("`b c` IS NOT NULL").select("a2", "`b c`"),
    "with columns": csv.withColumns({"petals": F.expr("petals * 2"), "one more": F.expr("petals + 1"), "x": F.expr("concat(name, ' AS ', petals)")}),
    "describe": csv.describe(),
    "describe some": csv.withColumn("tall", F.expr("height > 0.4")).describe("name", "petals", "tall"),
    "describe nothing": csv.filter("petals > 10").describe(),
    "fill with text": colours.fillna("none"),
    "fill with a number": gaps.fillna(0.7),
    "fill one column": gaps.fillna(-1, subset=["d", "s"]),
    "fill with a bool": gaps.fillna(True),
    "drop any": gaps.dropna(),
    "drop any of some": gaps.dropna("any", subset=["s", "f"]),
    "drop all": gaps.dropna("all", subset=["d", "f", "s"]),
    "moments": csv.groupBy(F.expr("petals > 4 AS many")).agg(F.expr("stddev(height) AS s"), F.expr("stddev_pop(petals) AS sp"), F.expr("variance(height) AS v"),
                                                             F.expr("var_pop(height) AS vp"), F.expr("std(petals)")),
    "moments of distinct": csv.selectExpr("round(stddev_samp(DISTINCT petals), 9) AS d", "round(var_pop(DISTINCT petals), 9) AS v"),
    "coalesce": numbers.repartition(7).coalesce(2).selectExpr("spark_partition_id() AS p", "id").selectExpr("count(DISTINCT p) AS parts", "sum(id) AS s"),
}
out = {}
for name, frame in frames.items():
    out[name] = [frame.schema.simpleString(), [[text(v) for v in row] for row in frame.collect()]]
json.dump(out, sys.stdout)
