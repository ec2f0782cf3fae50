"""Measures epochs of mobilenet_v2 beside Python's torch, torchvision and mosaicml-streaming (`make bench-train`).

Both halves, main.go and peer.py, train on the same MDS data set, on a GPU where there is one, in turn, each in processes of
its own. Prints one line a measurement, `name<TAB>ours<TAB>peer<TAB>ratio<TAB>unit`, the median of the epochs after the
first; bench/out/train.json keeps every raw time and the versions.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

CLONE = Path(__file__).resolve().parents[2]
GPU = torch.cuda.is_available()

# The tutorial's batches, which are bound by the launching of kernels; on a GPU also some that are not.
CASES = [{"name": "tutorial", "batch_size": 32, "pixels": 96, "bfloat16": False, "epochs": 3, "steps": 100}]
if GPU:
    CASES.append({"name": "large", "batch_size": 128, "pixels": 224, "bfloat16": True, "epochs": 3, "steps": 50})
else:
    CASES[0].update(epochs=3, steps=10)


def half(command, job):
    """Runs one half and yields its outcomes."""
    env = {**os.environ, "GOMOSAIC_TORCH_DIR": str(Path(torch.__file__).parent)}
    with subprocess.Popen([*command, json.dumps(job)], stdout=subprocess.PIPE, text=True, env=env) as process:
        for line in process.stdout:
            if line.startswith("{"):
                print(line, end="", file=sys.stderr, flush=True)
                yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with status {process.returncode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=9600 if GPU else 960, help="of the data set")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--train", type=Path, help="the built bench/train, where there is no Go")
    args = parser.parse_args()
    raw = {}
    with tempfile.TemporaryDirectory() as folder:
        train = args.train or Path(folder, "train")
        if not args.train:
            subprocess.run(["go", "build", "-o", train, "./bench/train"], cwd=CLONE, check=True)
        data = str(Path(folder, "data"))
        subprocess.run([train, "data", data, str(args.samples)], check=True)
        job = {"data": data, "device": "cuda" if GPU else "cpu", "cases": CASES}
        for _ in range(args.rounds):
            for side, command in (("ours", [train, "run"]), ("peer", [sys.executable, Path(__file__).with_name("peer.py")])):
                for outcome in half(command, job):
                    raw.setdefault(outcome["name"], {}).setdefault(side, []).append(outcome)
    out = CLONE / "bench/out"
    out.mkdir(parents=True, exist_ok=True)
    versions = {"torch": torch.__version__, "python": sys.version, "machine": platform.platform(), "cores": os.cpu_count(),
                "gpu": torch.cuda.get_device_name() if GPU else None}
    Path(out, "train.json").write_text(json.dumps({"versions": versions, "cases": CASES, "raw": raw}, indent=1) + "\n")
    print(f"# {versions['gpu'] or platform.processor()}, {versions['cores']} cores, torch {torch.__version__}")
    for name, sides in raw.items():
        def line(what, unit, of):
            ours, peer = (statistics.median(x for o in sides[side] for x in of(o)) for side in ("ours", "peer"))
            print(f"train_{name}_{what}\t{ours:.4g}\t{peer:.4g}\t{ours / peer:.2f}\t{unit}")
        line("epoch", "s", lambda o: o["epoch_seconds"])
        line("wait", "s", lambda o: o["wait_seconds"])
        line("step", "ms", lambda o: [o["step_seconds"] * 1e3])


if __name__ == "__main__":
    main()
