"""Measures writing and reading MDS beside mosaicml-streaming, litdata and webdataset (`make bench-mds`).

Each library, and gomosaic, is a process that does what it is asked to and takes its own time (bench/peers, main.go); the
sides take turns, round by round, on the same input. What is written is read back by the reader of its own, before the
rounds by gomosaic's and mosaicml-streaming's both, and its CRC-32s must be those of the input; the shards of gomosaic and
mosaicml-streaming must hold the same bytes. Prints one line a measurement, `name<TAB>ours<TAB>peer<TAB>ratio<TAB>unit`:
medians of the rounds, and how many times better ours is. bench/out/mds.json keeps every raw time, the requests, the command
lines, the versions and the checksums.
"""
import contextlib
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import pyarrow
import pyarrow.parquet
import zstandard

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "peers")]
import bench_common  # noqa: E402
from side import PEERS, Side, arguments, keep, version  # noqa: E402

# Lines of writing: the kind, the input, and the sides beside ours. Names that end in 1core run pinned to one core.
WRITES = {
    "write_raw_10kb": ("raw", "10kb", ["streaming", "litdata", "webdataset"]),
    "write_zstd3_2cores": ("zstd3", "10kb", ["streaming"]),
    "write_zstd3_1core": ("zstd3", "10kb", ["streaming"]),
    "write_sha1": ("sha1", "10kb", ["streaming"]),
    "write_jpeg224": ("jpeg224", "images", ["streaming"]),
}


def file_sums(folder):
    """SHA-256 of each file of a data set below its folder, of compressed shards that of their contents."""
    sums = {}
    for path in sorted(Path(folder).rglob("*.mds*")):
        data = path.read_bytes()
        name = str(path.relative_to(folder))
        if path.suffix == ".zstd":
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
            name = name.removesuffix(".zstd")
        sums[name] = hashlib.sha256(data).hexdigest()
    return sums


class Bench:
    def __init__(self, args, folder, stack):
        self.args, self.folder, self.stack = args, folder, stack
        self.input = folder / "input"
        self.raw, self.sums, self.sides = {}, {}, {}
        self.found = []
        self.expected = {}

    def side(self, name):
        """A side's process, started when it is first needed."""
        if name not in self.sides:
            who, _, where = name.partition("@")
            command = [self.args.ours] if who == "ours" else [sys.executable, PEERS / f"bench_{who}.py"]
            one = str(max(os.sched_getaffinity(0))) if where == "1core" else None
            self.sides[name] = self.stack.enter_context(contextlib.closing(Side(command, one)))
        return self.sides[name]

    def make_input(self):
        """The samples as files, which every side reads, and their checksums."""
        self.input.mkdir()
        for what, source in {
            "10kb": bench_common.samples(self.args.samples, 10240),
            "1kb": bench_common.samples(2 * self.args.samples, 1024),
            "images": bench_common.images(self.args.images),
        }.items():
            total, digest = bench_common.Checksum(), hashlib.sha256()
            with open(self.input / what, "wb") as f:
                for sample in source:
                    f.write(sample)
                    total.add(sample)
                    digest.update(sample)
            self.expected[what] = {"samples": total.samples, "crc": total.crc}
            self.sums[f"input/{what}"] = digest.hexdigest()

    def record(self, name, side, round, seconds):
        self.raw.setdefault(name, {}).setdefault(side, []).append(seconds)
        print(f"{name}, round {round + 1}, {side}: {seconds:.4g} s", file=sys.stderr)

    def same(self, what, got, expected):
        if {key: got.get(key) for key in expected} != expected:
            raise SystemExit(f"{what}: {got} instead of {expected}")

    def report(self, name, side, unit, per_second=None):
        """A line: rates where per_second is what a run handles, else times. Without a side it has ours alone."""
        if side is None:
            ours = statistics.median(self.raw[name]["ours"])
            self.found.append((name, ours, None, None, unit))
            print(name, f"{ours:.4g}", "-", "-", unit, sep="\t", flush=True)
            return
        ours, peer = (statistics.median(self.raw[name][who]) for who in ("ours", side))
        ratio = peer / ours
        if per_second:
            ours, peer = per_second / ours, per_second / peer
        elif unit == "us":
            ours, peer = ours * 1e6, peer * 1e6
        line = name if side == "streaming" else f"{name}_{side}"
        self.found.append((line, ours, peer, ratio, unit))
        print(line, f"{ours:.4g}", f"{peer:.4g}", f"{ratio:.2f}", unit, sep="\t", flush=True)

    def writes(self):
        for name, (kind, what, peers) in WRITES.items():
            where = "@1core" if name.endswith("1core") else ""
            processes = {"ours": "ours" + where, "streaming": "mds_write" + where, "litdata": "litdata", "webdataset": "webdataset"}
            for round in range(-1, self.args.rounds):  # one more for those that make their samples first
                sums = {}
                for who in ["ours", *peers] if round >= 0 else ["ours", "streaming"]:
                    out = self.folder / "out" / f"{name}-{who}"
                    got = self.side(processes[who]).ask("write", input=str(self.input), what=what, kind=kind, out=str(out))
                    if round >= 0:
                        self.record(name, who, round, got["seconds"])
                    sums[who] = file_sums(out) if who in ("ours", "streaming") else {}
                    self.read_back(name, who, kind, what, out, thorough=round < 0)
                    shutil.rmtree(out)
                if sums["ours"] != sums["streaming"]:
                    raise SystemExit(f"{name}: the shards differ: {sums}")
                self.sums.setdefault(name, []).append(sums)
            for who in peers:
                if kind == "jpeg224":
                    self.report(name, who, "images/s", got["samples"])
                else:
                    self.report(name, who, "MB/s", self.expected[what]["samples"] * 10240 / 1e6)

    def read_back(self, name, who, kind, what, out, thorough):
        """Reads what was written: pictures as they are encoded, since JPEG changes their pixels."""
        if kind == "jpeg224":
            both = [self.side(reader).ask("read_encoded", folder=str(out)) for reader in ("ours", "mds_read")]
            self.same(f"{name} of {who} read by both", both[0], both[1])
            return
        readers = ["ours"] if who in ("ours", "streaming") else [who]
        if who in ("ours", "streaming") and thorough:
            readers.append("mds_read")
        for reader in readers:
            self.same(f"{name} of {who} read by {reader}", self.side(reader).ask("read", folder=str(out)), self.expected[what])

    def reads(self):
        """Samples of 1 KB in stored order, each library from data of its own."""
        name, peers = "read_seq_1kb", ["streaming", "litdata", "webdataset"]
        folders = {}
        for who, writer in {"ours": "ours", "litdata": "litdata", "webdataset": "webdataset"}.items():
            folders[who] = str(self.folder / f"1kb-{who}")
            self.side(writer).ask("write", input=str(self.input), what="1kb", kind="raw", out=folders[who])
        folders["streaming"] = folders["ours"]
        for round in range(self.args.rounds):
            for who in ["ours", *peers]:
                got = self.side("mds_read" if who == "streaming" else who).ask("read", folder=folders[who])
                self.same(f"{name} of {who}", got, self.expected["1kb"])
                self.record(name, who, round, got["seconds"])
        for who in peers:
            self.report(name, who, "samples/s", self.expected["1kb"]["samples"])

    def randoms(self):
        """Samples of 10 KB here and there."""
        name, folder = "read_random_p50", self.folder / "10kb"
        self.side("ours").ask("write", input=str(self.input), what="10kb", kind="raw", out=str(folder))
        rng = random.Random(1)
        order = [rng.randrange(self.args.samples) for _ in range(min(5000, self.args.samples))]
        for round in range(self.args.rounds):
            crcs = []
            for who, process in {"ours": "ours", "streaming": "mds_read"}.items():
                got = self.side(process).ask("random", folder=str(folder), order=order)
                self.record(name, who, round, got["seconds"])
                crcs.append((got["samples"], got["crc"]))
            if crcs[0] != crcs[1]:
                raise SystemExit(f"{name}: the checksums differ: {crcs}")
        self.report(name, "streaming", "us")

    def open_index(self):
        """An index of many shards that are not there: it is opened, nothing is read."""
        name, folder = "open_index_20mb", self.folder / "index"
        folder.mkdir()
        shard = {
            "column_encodings": ["bytes"], "column_names": ["data"], "column_sizes": [None], "compression": None, "format": "mds",
            "hashes": [], "samples": 1000, "size_limit": 67108864, "version": 2, "zip_data": None,
        }
        size = len(json.dumps({**shard, "raw_data": {"basename": "shard.00000.mds", "bytes": 67000000, "hashes": {}}}))
        shards = [{**shard, "raw_data": {"basename": f"shard.{i:05}.mds", "bytes": 67000000, "hashes": {}}} for i in range(self.args.index_bytes // size)]
        (folder / "index.json").write_text(json.dumps({"shards": shards, "version": 2}, sort_keys=True))
        for round in range(self.args.rounds):
            for who, process in {"ours": "ours", "streaming": "mds_read"}.items():
                got = self.side(process).ask("open_index", folder=str(folder))
                self.same(f"{name} of {who}", got, {"samples": 1000 * len(shards)})
                self.record(name, who, round, got["seconds"])
        self.report(name, "streaming", "s")

    def merges(self):
        """The indexes of folders made into one; both write the same text. Where each shard has a folder of its own the reference takes minutes, and is left out."""
        shard = {
            "column_encodings": ["bytes"], "column_names": ["data"], "column_sizes": [None], "compression": None, "format": "mds",
            "hashes": [], "samples": 1000, "size_limit": 67108864, "version": 2, "zip_data": None,
        }
        shards = self.args.shards
        for name, folders, processes in [
            ("merge_100k_shards", shards // 1000, {"ours": "ours", "streaming": "mds_read"}),
            ("merge_100k_folders", shards, {"ours": "ours"}),
        ]:
            root = self.folder / name
            entries = [{**shard, "raw_data": {"basename": f"shard.{i:05}.mds", "bytes": 67000000, "hashes": {}}} for i in range(shards // folders)]
            text = json.dumps({"shards": entries, "version": 2}, sort_keys=True)
            for i in range(folders):
                part = root / f"{i:06}"
                part.mkdir(parents=True)
                (part / "index.json").write_text(text)
            for round in range(self.args.rounds):
                for who, process in processes.items():
                    got = self.side(process).ask("merge", folder=str(root))
                    self.record(name, who, round, got["seconds"])
                    merged = hashlib.sha256((root / "index.json").read_bytes()).hexdigest()
                    if self.sums.setdefault(name, merged) != merged:
                        raise SystemExit(f"{name}: the merged indexes differ")
                    (root / "index.json").unlink()
            self.report(name, "streaming" if "streaming" in processes else None, "s")
            shutil.rmtree(root)

    def dataframe(self):
        """Rows of 100 KB in eight Parquet files to MDS, beside Spark's and beside a copy of the files."""
        name, source = "dataframe_local", self.folder / "parquet"
        source.mkdir()
        data = (self.input / "10kb").read_bytes()
        rows = [data[at : at + 102400] for at in range(0, len(data), 102400)]
        labels = list(range(len(rows)))
        for k in range(8):
            part = slice(len(rows) * k // 8, len(rows) * (k + 1) // 8)
            table = pyarrow.table({"data": pyarrow.array(rows[part], pyarrow.binary()), "label": pyarrow.array(labels[part], pyarrow.int64())})
            pyarrow.parquet.write_table(table, source / f"{k}.parquet", compression="none", use_dictionary=False, row_group_size=100)
        expected = {"samples": len(rows), "crc": sum(map(zlib.crc32, rows))}
        peers = {"ours": "ours"} if shutil.which("java") is None else {"ours": "ours", "streaming": "spark_to_mds"}
        for round in range(0 if self.args.smoke else -1, self.args.rounds):  # one more: Spark's first is slow
            for who, process in peers.items():
                out = self.folder / "out" / f"{name}-{who}"
                got = self.side(process).ask("dataframe", input=str(source), out=str(out))
                if round >= 0:
                    self.record(name, who, round, got["seconds"])
                self.same(f"{name} of {who}", self.side("ours").ask("read", folder=str(out)), expected)
                shutil.rmtree(out)
            if round < 0:
                continue
            out = self.folder / "out" / "copy"
            at = time.perf_counter()
            subprocess.run(["cp", "-r", "--reflink=never", source, out], check=True)
            self.record(name, "copy", round, time.perf_counter() - at)
            shutil.rmtree(out)
        megabytes = len(data) / 1e6
        if "streaming" in peers:
            self.report(name, "streaming", "MB/s", megabytes)
        else:
            print("dataframe_local: no java here, so Spark cannot run", file=sys.stderr)
        self.report(name, "copy", "MB/s", megabytes)


def main():
    args = arguments(__doc__, "mds")
    args.samples, args.images, args.index_bytes, args.shards = 20_000, 200, 20_000_000, 100_000
    if args.smoke:
        args.samples, args.images, args.index_bytes, args.shards = 2_000, 10, 200_000, 2000
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=args.dir, prefix="gomosaic-bench-")))
        bench = Bench(args, folder, stack)
        bench.make_input()
        for part in (bench.writes, bench.reads, bench.randoms, bench.open_index, bench.merges, bench.dataframe):
            part()
        versions = {"java": version(["java", "-version"]) if shutil.which("java") else None}
        for name, side in bench.sides.items():
            versions[name] = side.ask("versions")
        commands = {name: {"command": side.command, "requests": side.requests} for name, side in bench.sides.items()}
    keep("mds", args, bench.found, bench.sums, versions, raw_seconds=bench.raw, commands=commands)


if __name__ == "__main__":
    main()
