"""What the benchmarks that run gomosaic and its peers in turn share: a side is a process that does what it is asked to."""
import argparse
import contextlib
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLONE = Path(__file__).resolve().parents[1]
PEERS = CLONE / "bench/peers"


class Side:
    """A process that does what it is asked to."""

    def __init__(self, command, cores=None):
        self.command = [str(part) for part in command]
        if cores is not None:
            self.command = ["taskset", "-c", cores, *self.command]
        env = dict(os.environ, PYTHONPATH=str(PEERS), PYTHONDONTWRITEBYTECODE="1", TOKENIZERS_PARALLELISM="false")
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        self.requests = []

    def ask(self, do, **request):
        request = {"do": do, **request}
        self.requests.append(request)
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise SystemExit(f"{' '.join(self.command)}\n{json.dumps(request)[:500]}\nfailed:\n{self.log.read().decode(errors='replace')[-4000:]}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def version(command):
    found = subprocess.run(command, capture_output=True, text=True, cwd=CLONE)
    return (found.stdout or found.stderr).strip()


def arguments(doc, name):
    """A benchmark's command line. A smoke test is one round."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--ours", type=Path, required=True, help=f"gomosaic's side, built from bench/{name}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="one round with little data: shows that everything runs and agrees")
    parser.add_argument("--dir", help="where the data lie while they are needed; default the folder of temporary files")
    args = parser.parse_args()
    if args.rounds < 5:
        parser.error("--rounds: at least 5")
    if args.smoke:
        args.rounds = 1
    args.started = time.time()
    return args


def keep(name, args, found, sums, versions, **more):
    """Writes what was measured, and what it rests on, to bench/out."""
    out = CLONE / "bench/out" / (f"{name}-smoke.json" if args.smoke else f"{name}.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({
        "measurements": [dict(zip(("name", "ours", "peer", "ratio", "unit"), line)) for line in found], **more,
        "sha256": {**sums, "ours": hashlib.sha256(args.ours.read_bytes()).hexdigest()}, "command": sys.argv,
        "versions": {
            "gomosaic": version(["git", "describe", "--always", "--dirty"]), "go": version(["go", "version"]), "python": sys.version,
            "machine": platform.platform(), "cores": os.cpu_count(), **versions,
        },
        "load": os.getloadavg(), "seconds": time.time() - args.started, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }, indent=1) + "\n")
