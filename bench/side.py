"""What the benchmarks that run gomosaic and its peers in turn share: a side is a process that does what it is asked to."""
import contextlib
import json
import os
import subprocess
import tempfile
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
