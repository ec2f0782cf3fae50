"""Makes expressions.json: what Spark says of every expression in expressions.txt: its type and its value as text, or the
class of its error. Run it with the reference environment, from this folder:

    ../../../../.venv-reference/bin/python expressions.py > expressions.json
"""
import json
import sys
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.log.level", "OFF").getOrCreate())
cases = []
for line in (Path(__file__).parent / "expressions.txt").read_text().splitlines():
    case = {"expr": line}
    try:
        case["type"] = spark.range(1).selectExpr(line + " AS x").schema["x"].dataType.simpleString()
        case["value"] = spark.range(1).selectExpr(f"CAST(({line}) AS STRING) AS x").collect()[0]["x"]
    except Exception as error:
        get = getattr(error, "getCondition", None)
        case["error"] = (get() if get else None) or type(error).__name__
    cases.append(case)
json.dump({"spark": pyspark.__version__, "cases": cases}, sys.stdout, indent=1, ensure_ascii=False)
print()
