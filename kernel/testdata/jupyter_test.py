"""Jupyter's own clients against the installed gomosaic kernel; kernel/jupyter_test.go runs this."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

import nbformat
import zmq
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

MESSAGES = 100_000 if os.environ.get("GOMOSAIC_LONG") else 20_000


def notebook(*cells):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nb.metadata["kernelspec"] = {"name": "gomosaic", "display_name": "Go (gomosaic)", "language": "go"}
    return nb


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        started = time.time()
        cls.km, cls.kc = start_new_kernel(kernel_name="gomosaic", startup_timeout=60)
        print(f"start_new_kernel: {time.time() - started:.2f} s", file=sys.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.kc.stop_channels()
        cls.km.shutdown_kernel()

    def run_cell(self, code, **options):
        outputs = []
        reply = self.kc.execute_interactive(code, timeout=60, output_hook=outputs.append, **options)
        return reply["content"], [m for m in outputs if m["msg_type"] not in ("status", "execute_input")]

    def test_state_and_result(self):
        self.run_cell("answer := 6")
        reply, outputs = self.run_cell("answer * 7")
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(outputs[-1]["content"]["data"]["text/plain"], "42")

    def test_kernelspec_environment(self):
        _, outputs = self.run_cell('import "os"\nos.Getenv("FROM_KERNELSPEC")')
        self.assertIn("yes", outputs[-1]["content"]["data"]["text/plain"])

    def test_latency(self):
        self.run_cell("a := 1")
        times = []
        for _ in range(5):
            started = time.time()
            self.run_cell("a++")
            times.append(time.time() - started)
        print(f"trivial cell: {sorted(times)[2] * 1000:.0f} ms", file=sys.stderr)

    def test_interrupt_request(self):
        mid = self.kc.execute("for {\n}")
        while self.kc.get_iopub_msg(timeout=60)["msg_type"] != "execute_input":
            pass
        time.sleep(1)
        self.km.interrupt_kernel()
        while True:
            reply = self.kc.get_shell_msg(timeout=60)
            if reply["parent_header"]["msg_id"] == mid:
                break
        self.assertEqual(reply["content"]["status"], "error")
        self.assertEqual(self.run_cell("1 + 1")[0]["status"], "ok")

    def test_silent_subscriber(self):
        """A client that stops reading must not starve another (go-zeromq's own PUB fails this)."""
        silent = zmq.Context.instance().socket(zmq.SUB)
        silent.setsockopt(zmq.RCVHWM, 1)
        silent.connect(f"tcp://127.0.0.1:{self.km.iopub_port}")
        silent.subscribe(b"")
        healthy = self.km.client()
        healthy.start_channels()
        healthy.wait_for_ready(timeout=60)
        # Displays are never coalesced: each is a message.
        mid = healthy.execute(
            'import "strings"\npad := strings.Repeat("x", 1200)\n'
            f'for i := range {MESSAGES} {{ Display(display.MakeData("text/plain", pad)); _ = i }}')
        received, started = 0, time.time()
        while True:
            m = healthy.get_iopub_msg(timeout=60)
            if m["parent_header"].get("msg_id") != mid:
                continue
            received += m["msg_type"] == "display_data"
            if m["msg_type"] == "error":
                self.fail("\n".join(m["content"]["traceback"]))
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
                break
        print(f"{received} messages beside a silent subscriber: {time.time() - started:.1f} s", file=sys.stderr)
        healthy.stop_channels()
        silent.close(0)
        self.assertEqual(received, MESSAGES)

    def test_reconnect(self):
        for _ in range(5):
            kc = self.km.client()
            kc.start_channels()
            kc.wait_for_ready(timeout=60)
            self.assertTrue(kc.is_alive())
            kc.stop_channels()


class Notebooks(unittest.TestCase):
    def test_nbclient(self):
        nb = notebook('import "fmt"\nx := 40\nfmt.Println("from cell", 1)', "x + 2")
        NotebookClient(nb, timeout=60).execute()
        self.assertEqual(nb.cells[0].outputs[0].text, "from cell 1\n")
        self.assertEqual(nb.cells[1].outputs[0].data["text/plain"], "42")
        self.assertEqual([c.execution_count for c in nb.cells], [1, 2])

    def test_nbconvert(self):
        with tempfile.TemporaryDirectory(prefix="a folder ") as folder:
            source = os.path.join(folder, "note book.ipynb")
            nbformat.write(notebook("x := 1", "x + 1"), source)
            subprocess.run([sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", source],
                           check=True, capture_output=True, timeout=120)
            nb = nbformat.read(source, 4)
            self.assertEqual(nb.cells[1].outputs[0].data["text/plain"], "2")
            self.assertEqual(nb.metadata.language_info.name, "go")


if __name__ == "__main__":
    unittest.main()
