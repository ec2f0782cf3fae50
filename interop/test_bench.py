"""make bench-mds on little data: all its parts run, what is written and read agrees, and each line comes."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES = {"write_raw_10kb", "write_zstd3_2cores", "write_zstd3_1core", "write_sha1", "write_jpeg224", "dataframe_local", "read_seq_1kb", "read_random_p50", "open_index_20mb"}


class BenchTest(unittest.TestCase):
    def test_smoke(self):
        with tempfile.TemporaryDirectory() as folder:
            binary = Path(folder, "mds")
            subprocess.run(["go", "build", "-o", binary, "./bench/mds"], cwd=ROOT, check=True)
            run = subprocess.run([sys.executable, ROOT / "bench/mds/measure.py", "--ours", binary, "--smoke"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr[-4000:])
        lines = [line.split("\t") for line in run.stdout.splitlines()]
        self.assertLessEqual(LINES, {name for name, *_ in lines})
        for name, ours, peer, ratio, unit in lines:
            self.assertGreater(min(float(ours), float(peer), float(ratio)), 0, name)


if __name__ == "__main__":
    unittest.main()
