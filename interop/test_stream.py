"""Sample order and loader, live against the pip package: random arguments give the same order, the same batches and the
same bytes, and a run that one side saves the other continues.

INTEROP_ORDER_CASES sets the number of order cases (default 400), INTEROP_LOADER_CASES that of live loaders (default 16),
INTEROP_SEED the first seed."""
import hashlib
import json
import logging
import os
import random
import subprocess
import tempfile
import time
import unittest
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from streaming import MDSWriter, Stream, StreamingDataLoader, StreamingDataset
from streaming.base.batching import generate_work
from streaming.base.util import clean_stale_shared_memory, number_abbrev_to_int
from streaming.base.world import World

logging.disable(logging.WARNING)  # the reference warns of every dropped batch
ROOT = Path(__file__).resolve().parent.parent
ORDER_CASES = int(os.environ.get("INTEROP_ORDER_CASES", "400"))
LOADER_CASES = int(os.environ.get("INTEROP_LOADER_CASES", "16"))
SEED = int(os.environ.get("INTEROP_SEED", "1"))
ALGOS = ["naive", "py1s", "py2s", "py1br", "py1e"]
METHODS = ["random", "stratified", "per_stream", "device_per_stream"]


class Streamcat:
    """The Go half, one process for all requests."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        binary = os.path.join(self.folder.name, "streamcat")
        subprocess.run(["go", "build", "-o", binary, "./interop/streamcat"], cwd=ROOT, check=True)
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()


def reference_order(case):
    """The order that mosaicml-streaming computes for a case, without data: its own functions on the attributes that a
    StreamingDataset of these shards would have."""
    args = {"shuffle": False, "shuffle_algo": "py1e", "shuffle_seed": 9176, "shuffle_block_size": None, "num_canonical_nodes": None,
            "sampling_method": "balanced", "sampling_granularity": 1, "partition_algo": "relaxed", "batching_method": "random",
            "epoch_size": None, "batch_size": None, **case["args"]}
    ds = SimpleNamespace(**args)
    world = World(case["world"]["num_nodes"], case["world"]["ranks_per_node"], case["world"]["workers_per_rank"], 0)
    if case["replication"] is not None:
        world = world.replicate(case["replication"])
    ds.epoch_seed_change = ds.shuffle and ds.sampling_method == "balanced"
    ds.streams = [Stream(local="unused", **{k: v for k, v in s.items() if k != "sizes"}) for s in case["streams"]]
    ds.num_streams = len(ds.streams)
    sizes = [s["sizes"] for s in case["streams"]]
    ds.samples_per_shard = np.array(sum(sizes, []), np.int64)
    ds.sample_offset_per_shard = ds.samples_per_shard.cumsum() - ds.samples_per_shard
    ds.shards_per_stream = np.array([len(s) for s in sizes])
    ds.shard_offset_per_stream = ds.shards_per_stream.cumsum() - ds.shards_per_stream
    epoch_size = number_abbrev_to_int(ds.epoch_size) if ds.epoch_size else None
    ds.epoch_size = Stream.apply_weights(ds.streams, np.array([sum(s) for s in sizes], np.int64), epoch_size, ds.shuffle_seed)
    epoch, sample = case["epoch"], case["sample_in_epoch"]
    ds.initial_physical_nodes = None
    state = case["state_dict"]
    if state and state["epoch"] >= epoch:
        epoch, sample = state["epoch"], state["sample_in_epoch"]
        ds.num_canonical_nodes, ds.shuffle_seed = state["num_canonical_nodes"], state["shuffle_seed"]
        ds.initial_physical_nodes = state["initial_physical_nodes"]
    elif state:
        sample = 0
    if not ds.num_canonical_nodes:
        ds.num_canonical_nodes = world.num_nodes * (64 if ds.shuffle_algo in ("py1s", "py2s") else 1)
    StreamingDataset._set_shuffle_block_size(ds, world)
    ds.resample_streams = lambda *a: StreamingDataset.resample_streams(ds, *a)
    return generate_work(ds.batching_method, ds, world, epoch, sample)


def random_case(rng):
    count = rng.choice([1, 1, 2, 3])
    streams = [{"sizes": [rng.choice([1, 5, 20, rng.randint(1, 300)]) for _ in range(rng.randint(1, 12))]} for _ in range(count)]
    weights = rng.choice(["none", "none", "proportion", "repeat", "choose"])
    for s in streams:
        if weights == "proportion":
            s["proportion"] = rng.choice([1, 0.25, rng.random()])
        elif weights == "repeat":
            s["repeat"] = rng.choice([1, 0.5, 2, rng.uniform(0.2, 3)])
        elif weights == "choose" and rng.random() < 0.8:
            s["choose"] = rng.randint(1, 2 * sum(s["sizes"]))
    world = {"num_nodes": rng.choice([1, 1, 2, 3, 4]), "ranks_per_node": rng.choice([1, 2, 4, 8]), "workers_per_rank": rng.choice([1, 1, 2, 3])}
    args = {"batch_size": rng.randint(1, 12), "batching_method": rng.choice(METHODS), "shuffle": rng.random() < 0.8}
    if rng.random() < 0.9:
        args["shuffle_algo"] = rng.choice(ALGOS)
    if rng.random() < 0.5:
        args["num_canonical_nodes"] = rng.choice([1, 2, 4, 8, 6, 64])
    if rng.random() < 0.5:
        args["shuffle_block_size"] = rng.choice([3, 20, 100, 1000])
    if rng.random() < 0.5:
        args["shuffle_seed"] = rng.choice([0, 1, 2**31, 2**32 + 5, 2**62])
    if rng.random() < 0.3:
        args["sampling_method"], args["sampling_granularity"] = "fixed", rng.choice([1, 2, 10])
    if rng.random() < 0.3:
        args["partition_algo"] = "orig"
    if weights in ("none", "proportion") and rng.random() < 0.4:
        args["epoch_size"] = rng.choice([50, "100", "1k", 777])
    case = {"name": "", "streams": streams, "world": world, "args": args, "epoch": rng.randrange(4), "state_dict": None, "sample_in_epoch": 0, "replication": None}
    if rng.random() < 0.3:
        case["state_dict"] = {"epoch": rng.randrange(5), "sample_in_epoch": rng.choice([0, 16, 24 * rng.randrange(10), rng.randrange(500)]),
                              "num_canonical_nodes": rng.choice([1, 2, 4, 12]), "shuffle_seed": rng.choice([9176, 7]),
                              "initial_physical_nodes": rng.choice([None, 1, 2, 3, 4])}
    elif rng.random() < 0.2:
        case["sample_in_epoch"] = rng.randrange(200)
    if rng.random() < 0.15:
        case["replication"] = rng.choice([1, 2, 4, 3])
    return case


def tied(case):
    """Equal left-over shares of four or more streams or partial ties are decided by numpy's unstable sort, by CPU model."""
    return case["args"]["batching_method"] == "stratified" and len(case["streams"]) > 3


class TestOrder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.go = Streamcat()
        cls.addClassCleanup(cls.go.close)

    def test_random_cases(self):
        refused = 0
        for seed in range(SEED, SEED + ORDER_CASES):
            case = random_case(random.Random(seed))
            if tied(case):
                continue
            with self.subTest(seed=seed, case=json.dumps(case)), warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                got = self.go.ask({"order": case})
                try:
                    want = reference_order(case)
                except (ValueError, ZeroDivisionError, KeyError, IndexError, TypeError) as e:
                    refused += 1
                    self.assertIn("error", got, f"the reference refuses: {e!r}")
                    continue
                self.assertNotIn("error", got, got.get("error"))
                self.assertEqual(got["shape"], list(want.shape))
                self.assertEqual(got["ids"], want.flatten().tolist())
        self.assertLess(refused, ORDER_CASES * 0.6, "most cases should be answered")


class TestLoader(unittest.TestCase):
    SAMPLES = 211

    @classmethod
    def setUpClass(cls):
        clean_stale_shared_memory()
        cls.go = Streamcat()
        cls.addClassCleanup(cls.go.close)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.data = {}
        for compression in (None, "zstd", "gz"):
            out = os.path.join(cls.folder.name, f"data-{compression}")
            rng = random.Random(7)
            with MDSWriter(out=out, columns={"id": "int64", "text": "str", "blob": "bytes"}, compression=compression, hashes=["sha1", "xxh64"], size_limit=2500) as w:
                for i in range(cls.SAMPLES):
                    w.write({"id": i, "text": f"ß{i}", "blob": rng.randbytes(rng.randrange(100))})
            cls.data[compression] = out
        cls.caches = 0

    def cache(self):
        type(self).caches += 1
        return os.path.join(self.folder.name, f"cache-{self.caches}")

    def setUp(self):
        warnings.simplefilter("ignore")  # the reference's, on files it leaves open, small blocks, many workers

    def python(self, args, loader, state, epochs, stop_after):
        """What streamcat does, by the reference."""
        for attempt in range(5):
            try:
                dataset = StreamingDataset(**{**args, "local": self.cache()})
                break
            except FileExistsError:  # its shared memory is named by number, and another process was there first
                if attempt == 4:
                    raise
                time.sleep(attempt)
        batches = StreamingDataLoader(dataset, collate_fn=list, **loader)
        batches._get_batch_size = len
        if state is not None:
            batches.load_state_dict(state)
        digest, all_epochs = hashlib.sha256(), []
        for epoch in range(epochs):
            all_epochs.append([])
            for batch in batches:
                all_epochs[-1].append([int(s["id"]) for s in batch])
                for s in batch:
                    digest.update(s["text"].encode())
                    digest.update(s["blob"])
                if epoch == epochs - 1 and len(all_epochs[-1]) == stop_after:
                    break
        got = {"epochs": all_epochs, "digest": digest.hexdigest(), "state": batches.state_dict()}
        del batches, dataset
        clean_stale_shared_memory()
        return got

    def golang(self, args, loader, state, epochs, stop_after):
        dataset = {**args, "local": self.cache(), "world": {"Rank": 0, "Size": 1, "LocalRank": 0, "LocalSize": 1}}
        got = self.go.ask({"dataset": dataset, "loader": loader, "state": state, "epochs": epochs, "stop_after": stop_after})
        self.assertNotIn("error", got)
        return got

    def random_run(self, rng):
        args = {"remote": self.data[rng.choice(list(self.data))], "batch_size": rng.randint(1, 20), "shuffle": rng.random() < 0.8,
                "shuffle_algo": rng.choice(ALGOS), "shuffle_block_size": rng.choice([30, 100, 1000]), "shuffle_seed": rng.choice([9176, 3, 12345]),
                "validate_hash": rng.choice(["sha1", "xxh64"]), "keep_zip": rng.random() < 0.5}
        if rng.random() < 0.5:
            args["num_canonical_nodes"] = rng.choice([1, 2, 8])
        loader = {"num_workers": rng.choice([0, 0, 1, 2, 3]), "batch_size": args["batch_size"]}
        if rng.random() < 0.3:
            loader["batch_size"] = rng.randint(1, 20)
        if rng.random() < 0.3:
            loader["drop_last"] = True
        return args, loader

    def test_same_batches(self):
        for seed in range(SEED, SEED + LOADER_CASES):
            rng = random.Random(seed)
            args, loader = self.random_run(rng)
            with self.subTest(seed=seed, args=args, loader=loader):
                self.assertEqual(self.golang(args, loader, None, 2, 0), self.python(args, loader, None, 2, 0))

    def test_resume_across(self):
        """The state of a run stopped in Python goes on in Go, and the reverse; both as Python goes on itself."""
        for seed in range(SEED + 1000, SEED + 1000 + LOADER_CASES // 2):
            rng = random.Random(seed)
            args, loader = self.random_run(rng)
            epochs, stop = rng.randint(1, 2), rng.randint(1, 8)
            with self.subTest(seed=seed, args=args, loader=loader, epochs=epochs, stop=stop):
                python, golang = self.python(args, loader, None, epochs, stop), self.golang(args, loader, None, epochs, stop)
                self.assertEqual(golang, python)
                want = self.python(args, loader, python["state"], 1, 0)
                self.assertEqual(self.golang(args, loader, python["state"], 1, 0), want)
                self.assertEqual(self.python(args, loader, golang["state"], 1, 0), want)


if __name__ == "__main__":
    unittest.main()
