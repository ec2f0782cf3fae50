"""Measures Spark from Go beside PySpark (`make bench-spark`): DataFrames to MDS by tasks on the executors, and rows to Arrow.

One server of Spark Connect with two executors, local-cluster[2,1,1024], serves both sides, which take turns: gomosaic
(main.go), and PySpark with dataframe_to_mds of mosaicml-streaming (bench/peers/bench_spark_connect.py). A pair is one run of
each, one after the other; a line's ratio is the median of the pairs' ratios. Pairs that warm the server up are left out, and
each run begins when the server's processes have come to rest, so that none pays for what another left to do. What is converted
is read back after each run: its CRC-32s must be those of the input. Prints one line a measurement,
`name<TAB>ours<TAB>peer<TAB>ratio<TAB>unit`. bench/out/spark.json keeps every raw value, the requests, the command lines and the
versions.
"""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pyspark

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "peers")]
import bench_common  # noqa: E402
from side import PEERS, Side, arguments, keep, version  # noqa: E402

MASTER = "local-cluster[2,1,1024]"
PARTITIONS = 4
SMALL = "SELECT id FROM range(10)"
WARM_UP = 5  # pairs, while Java compiles what is called often
COLUMNS = {"data": "bytes", "label": "int64"}


class Server:
    """Spark Connect on this machine, for as long as it is open."""

    def __init__(self, folder):
        home, spark = folder / "home", Path(pyspark.__file__).parent
        home.mkdir(parents=True)
        for entry in spark.iterdir():  # Spark writes into its home's folder work
            (home / entry.name).symlink_to(entry)
        self.command = [
            str(home / "bin/spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--name", "bench", "--master", MASTER,
            "--driver-memory", "4g", "--conf", "spark.driver.maxResultSize=0", "--conf", "spark.ui.enabled=false",
            "--conf", "spark.connect.grpc.binding.address=127.0.0.1", "--conf", "spark.connect.grpc.binding.port=0",
            "--conf", f"spark.local.dir={folder / 'local'}", "--conf", f"spark.sql.warehouse.dir={folder / 'warehouse'}", "spark-internal",
        ]
        env = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
        env.pop("SPARK_REMOTE", None)
        self.folder, self.log = folder, folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=env, cwd=folder, start_new_session=True)
        limit = time.time() + 300
        while not (port := re.search(r"Spark Connect server started at: \S*:(\d+)", self.log.read_text(errors="replace"))):
            if self.process.poll() is not None or time.time() > limit:
                self.close()
                raise SystemExit(f"Spark did not start:\n{self.last}")
            time.sleep(0.2)
        self.remote = f"sc://127.0.0.1:{port[1]}"

    def close(self):
        self.last = self.log.read_text(errors="replace")[-4000:]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def cpu_seconds():
    """What the processes that this benchmark has started have used so far."""
    parents, seconds = {}, {}
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            if entry.name.isdigit():
                words = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(words[1])
                seconds[int(entry.name)] = sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")

    def ours(pid):
        return pid in parents and (parents[pid] == os.getpid() or ours(parents[pid]))

    return sum(used for pid, used in seconds.items() if ours(pid))


def settle():
    """Waits until the processes that this benchmark has started use less than a tenth of a core."""
    limit, used = time.time() + 15, cpu_seconds()
    while time.time() < limit:
        time.sleep(0.5)
        before, used = used, cpu_seconds()
        if abs(used - before) < 0.05:
            return


class Writers:
    """The most memory that the processes which write shards hold at one time: theirs alone, and their part of what they share."""

    def __init__(self, name):
        self.name, self.peak, self.ended = name, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def watch(self):
        while not self.ended.wait(0.1):
            self.peak = max(self.peak, sum(self.held(entry) for entry in os.scandir("/proc") if entry.name.isdigit()))

    def held(self, entry):
        with contextlib.suppress(OSError, ValueError):
            if self.name in Path(entry.path, "cmdline").read_bytes():
                for line in Path(entry.path, "smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        return int(line.split()[1]) * 1024
        return 0


# What the command lines of the processes that write say.
WRITERS = {"ours": b"gomosaic-worker", "peer": b"pyspark.daemon"}


def peak(process):
    """The most memory that a process has held, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())[1]) * 1024


class Bench:
    def __init__(self, args, folder, stack):
        self.args, self.folder, self.stack = args, folder, stack
        self.raw, self.found, self.sums, self.how, self.commands = {}, [], {}, set(), {}
        self.servers = 0
        self.reader = stack.enter_context(contextlib.closing(Side([args.ours])))

    def server(self):
        self.servers += 1
        return contextlib.closing(Server(self.folder / f"spark{self.servers}"))

    def sides(self, stack, server=None):
        """Both sides' processes, in the order of a pair, connected if a server is given."""
        both = {"ours": [self.args.ours], "peer": [sys.executable, PEERS / "bench_spark_connect.py"]}
        both = {who: stack.enter_context(contextlib.closing(Side(command))) for who, command in both.items()}
        for who, side in both.items():
            versions = side.ask("versions")  # Python has imported what it needs
            self.commands.setdefault(who, {"command": side.command, "versions": versions})
            if server:
                side.ask("connect", remote=server.remote)
        return both

    def make(self, name, rows, size, write):
        """What both sides are asked to convert, and what it must be: rows of binary data and a label, as write puts them into a folder."""
        folder, samples = self.folder / name, list(bench_common.samples(rows, size))
        folder.mkdir()
        source = {"input": str(folder), "columns": COLUMNS, **write(folder, samples)}
        digest = hashlib.sha256()
        for sample in samples:
            digest.update(sample)
        self.sums[name] = digest.hexdigest()
        return source, {"samples": rows, "crc": sum(map(zlib.crc32, samples))}

    @staticmethod
    def files(folder, samples):
        """A file a row, as pictures are."""
        for i, sample in enumerate(samples):
            (folder / f"{i:06}.bin").write_bytes(sample)
        return {"format": "binaryFile", "select": ["content AS data", "CAST(regexp_extract(path, '([0-9]+)[.]bin$', 1) AS BIGINT) AS label"]}

    @staticmethod
    def tables(folder, samples):
        """Eight Parquet files."""
        for k in range(8):
            part = slice(len(samples) * k // 8, len(samples) * (k + 1) // 8)
            table = pyarrow.table({"data": pyarrow.array(samples[part], pyarrow.binary()), "label": pyarrow.array(range(len(samples))[part], pyarrow.int64())})
            pyarrow.parquet.write_table(table, folder / f"{k}.parquet", compression="none", use_dictionary=False, row_group_size=max(1, (8 << 20) // len(samples[0])))
        return {"format": "parquet", "select": ["data", "label"]}

    def record(self, name, who, value):
        self.raw.setdefault(name, {}).setdefault(who, []).append(value)
        print(f"{name}, {who}: {value:.4g}", file=sys.stderr, flush=True)

    def report(self, name, unit, scale=1.0, per=None):
        """A line of the medians; rates where per says what one run handles. The ratio is the median of the pairs'."""
        ours, peers = self.raw[name]["ours"], self.raw[name]["peer"]
        ratio = statistics.median(p / o for o, p in zip(ours, peers, strict=True))
        values = [(per / v if per else v * scale) for v in (statistics.median(ours), statistics.median(peers))]
        self.line(name, *values, ratio, unit)

    def line(self, name, ours, peer, ratio, unit):
        self.found.append((name, ours, peer, ratio, unit))
        print(name, f"{ours:.4g}", f"{peer:.4g}", f"{ratio:.2f}", unit, sep="\t", flush=True)

    def convert(self, sides, who, source, expected):
        """One conversion, read back."""
        out = self.folder / "out"
        settle()
        got = sides[who].ask("convert", **source, partitions=PARTITIONS, out=str(out))
        if who == "ours":
            if "executors" not in got["how"]:
                raise SystemExit(f"the executors did not write the shards: {got['how']}")
            self.how.add(got["how"])
        read = self.reader.ask("read", folder=str(out))  # not by a side: that has its memory measured
        if {key: read.get(key) for key in expected} != expected:
            raise SystemExit(f"{source['input']} by {who}: {read} instead of {expected}")
        shutil.rmtree(out)
        return got["seconds"]

    def rows(self, name, sides, source, expected, memory=False):
        """Pairs of conversions; with memory set also what the writers hold."""
        warm_up = 1 if self.args.smoke else WARM_UP
        for round in range(-warm_up, self.args.rounds):
            for who in sides:
                with Writers(WRITERS[who]) if memory else contextlib.nullcontext() as writers:
                    seconds = self.convert(sides, who, source, expected)
                if round >= 0:
                    self.record(name, who, seconds)
                    if memory:
                        self.record("writer_memory", who, writers.peak)
        self.report(name, "rows/s", per=expected["samples"])

    def rows_100kb(self, sides):
        rows = self.args.megabytes * 10
        files = self.make("files", rows, 100_000, self.files)
        self.rows("convert_100kb_rows", sides, *files)
        self.rows("convert_100kb_parquet", sides, *self.make("100kb", rows, 100_000, self.tables), memory=True)
        self.report("writer_memory", "MB", scale=1e-6)
        return files

    def rows_1kb(self, server):
        """By processes of their own: their memory is that of drivers that have done nothing else. An expression has Spark read
        the files, and its shuffle deal the rows out, for both sides."""
        rows = self.args.megabytes * 1000
        tenth, whole = self.make("1kb-tenth", rows // 10, 1000, self.tables), self.make("1kb", rows, 1000, self.tables)
        with contextlib.ExitStack() as stack:
            sides = self.sides(stack, server)
            for who in sides:
                self.convert(sides, who, *tenth)
                self.record("driver_memory_tenth", who, peak(sides[who].process))
            self.rows("convert_1kb_rows", sides, *whole)
            for who in sides:
                self.record("driver_memory", who, peak(sides[who].process))
            source, expected = whole
            self.rows("convert_1kb_shuffled", sides, {**source, "select": ["data", "label + 0 AS label"]}, expected)
        self.report("driver_memory_tenth", "MB", scale=1e-6)
        self.report("driver_memory", "MB", scale=1e-6)

    def small(self, sides):
        """A query of ten rows, again and again; the server's own time is that of a bare call, whose answers nobody reads."""
        name, times = "small_query", 30
        for round in range(-1, self.args.rounds):
            for who, side in sides.items():
                got = side.ask("small", query=SMALL, times=times)
                if got["samples"] != 10:
                    raise SystemExit(f"{name} by {who}: {got['samples']} rows")
                bare = sides["ours"].ask("bare", query=SMALL, times=times)
                if round >= 0:
                    self.record(name, who, statistics.median(got["each"]))
                    over = statistics.median(got["each"]) - statistics.median(bare["each"])
                    self.record(f"{name}_over_server", who, over)
        self.report(name, "ms", scale=1e3)
        ours, peer = (statistics.median(self.raw[f"{name}_over_server"][who]) * 1e3 for who in ("ours", "peer"))
        self.line(f"{name}_over_server", ours, peer, peer / ours, "ms")

    def to_arrow(self, sides):
        name, rows = "to_arrow_1gb", self.args.megabytes * 10_000
        query = f"SELECT id, id / 3 AS x, repeat(CAST(id % 10 AS STRING), 240) AS text FROM range(0, {rows}, 1, {8 * PARTITIONS})"  # an executor holds a partition's results
        for round in range(-1, self.args.rounds):
            for who, side in sides.items():
                got = side.ask("to_arrow", query=query)
                if got["samples"] != rows or got["bytes"] < rows * 256:
                    raise SystemExit(f"{name} by {who}: {got} instead of {rows} rows")
                if round >= 0:
                    self.record(name, who, got["seconds"])
        self.report(name, "MB/s", per=rows * 260 / 1e6)

    def merge(self, sides):
        """The indexes of 10,000 partitions become one."""
        name, folder, count = "merge_10000_partitions", self.folder / "partitions", self.args.partitions
        for i in range(count):
            shard = {
                "column_encodings": ["bytes"], "column_names": ["data"], "column_sizes": [None], "compression": None, "format": "mds", "hashes": [],
                "raw_data": {"basename": "shard.00000.mds", "bytes": 67000000, "hashes": {}}, "samples": 1000, "size_limit": 67108864, "version": 2, "zip_data": None,
            }
            part = folder / f"{i:05}"
            part.mkdir(parents=True)
            (part / "index.json").write_text(json.dumps({"shards": [shard], "version": 2}, sort_keys=True))
        for _ in range(self.args.rounds):
            for who, side in sides.items():
                got = side.ask("merge", folder=str(folder))
                if len(json.loads((folder / "index.json").read_text())["shards"]) != count:
                    raise SystemExit(f"{name} by {who}: shards are missing")
                (folder / "index.json").unlink()
                self.record(name, who, got["seconds"])
        self.report(name, "s")

    def cold(self, name, server, source, expected):
        """A session's first job, from connecting to the data set, on a server that is warm, or else on one that has just started."""
        for who in ("ours", "peer"):
            with contextlib.ExitStack() as stack:
                sides = self.sides(stack)
                remote = (server or stack.enter_context(self.server())).remote
                settle()
                at = time.perf_counter()
                sides[who].ask("connect", remote=remote)
                connected = time.perf_counter() - at
                self.record(name, who, connected + self.convert(sides, who, source, expected))

    def run(self):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(self.server())
            sides = self.sides(stack, server)
            self.commands["server"] = server.command
            large = self.rows_100kb(sides)
            self.rows_1kb(server)
            self.small(sides)
            self.to_arrow(sides)
            self.merge(sides)
            for who, side in sides.items():
                self.commands[who]["requests"] = side.requests
            for _ in range(self.args.rounds):
                self.cold("convert_cold", server, *large)
            self.report("convert_cold", "s")
        for _ in range(self.args.rounds):
            self.cold("convert_cold_server", None, *large)
        self.report("convert_cold_server", "s")


def main():
    args = arguments(__doc__, "spark")
    args.megabytes, args.partitions = 400, 10_000
    if args.smoke:
        args.megabytes, args.partitions = 4, 100
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers end with us
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=args.dir, prefix="gomosaic-bench-")))
        bench = Bench(args, folder, stack)
        bench.run()
    keep("spark", args, bench.found, bench.sums, {"java": version(["java", "-version"])}, raw=bench.raw, commands=bench.commands, how=sorted(bench.how))


if __name__ == "__main__":
    main()
