"""The benchmarks on little data: all their parts run, what is written and read agrees, and each line comes."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES = {
    "mds": {"write_raw_10kb", "write_zstd3_2cores", "write_zstd3_1core", "write_sha1", "write_jpeg224", "dataframe_local", "read_seq_1kb", "read_random_p50", "open_index_20mb", "merge_100k_shards", "merge_100k_folders"},
    "spark": {"convert_100kb_rows", "convert_1kb_rows", "convert_cold", "writer_memory", "driver_memory", "small_query", "to_arrow_1gb", "merge_10000_partitions"},
}


class BenchTest(unittest.TestCase):
    def smoke(self, name):
        with tempfile.TemporaryDirectory() as folder:
            binary = Path(folder, name)
            subprocess.run(["go", "build", "-o", binary, f"./bench/{name}"], cwd=ROOT, check=True)
            run = subprocess.run([sys.executable, ROOT / f"bench/{name}/measure.py", "--ours", binary, "--smoke"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr[-4000:])
        lines = [line.split("\t") for line in run.stdout.splitlines()]
        self.assertLessEqual(LINES[name], {line[0] for line in lines})
        for line, *numbers, unit in lines:
            if not line.endswith("_over_server"):  # a difference, which may be any
                self.assertGreater(min(float(number) for number in numbers if number != "-"), 0, line)

    def test_mds(self):
        self.smoke("mds")

    def test_spark(self):
        self.smoke("spark")


if __name__ == "__main__":
    unittest.main()
