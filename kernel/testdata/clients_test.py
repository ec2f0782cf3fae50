"""papermill, jupyter-console and nbconvert with the installed gomosaic kernel, as their users call them."""
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

import nbformat
import pexpect

from jupyter_test import notebook


def run(*arguments, folder):
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: {done.stdout}{done.stderr}")
    return done.stdout


class Papermill(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="a folder ")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        nb = notebook(
            "import \"fmt\"\nrate := 0.1 // learning rate\nvar name string = \"fashion\"",
            "func twice() float64 { return 2 * rate }",
            "fmt.Sprintf(\"%v %v %v %v %v %v\", twice(), name, ratios, sizes, flags[\"fast\"], nothing == nil)",
        )
        nb.cells[0].metadata.tags = ["parameters"]
        nbformat.write(nb, os.path.join(self.folder, "in.ipynb"))

    def test_parameters_cell(self):
        with open(os.path.join(self.folder, "values.yaml"), "w") as f:
            f.write('name: "é\\n\\"😀\\"\\ufeff"\nratios: [1, 0.5, .inf]\nsizes: [[1, 2], [3]]\nflags: {fast: true}\nnothing: null\n')
        run("papermill", "in.ipynb", "out.ipynb", "-p", "rate", "0.25", "-f", "values.yaml", folder=self.folder)
        nb = nbformat.read(os.path.join(self.folder, "out.ipynb"), 4)
        self.assertEqual([c.metadata.get("tags") for c in nb.cells[:2]], [["parameters"], ["injected-parameters"]])
        self.assertIn("rate := 0.25\n", nb.cells[1].source)
        self.assertEqual(nb.cells[3].outputs[0].data["text/plain"], "0.5 é\n\"😀\"\ufeff [1 0.5 +Inf] [[1 2] [3]] true true")

    def test_whole_number_for_a_float(self):
        run("papermill", "in.ipynb", "out.ipynb", "-p", "rate", "1", "-y", "{ratios: [1.5], sizes: [1], flags: {fast: true}, nothing: null}", folder=self.folder)
        nb = nbformat.read(os.path.join(self.folder, "out.ipynb"), 4)
        self.assertTrue(nb.cells[3].outputs[0].data["text/plain"].startswith("2 fashion"), nb.cells[3])

    def test_failing_cell(self):
        nb = notebook("x := []int{}", "x[3]", "x")
        nbformat.write(nb, os.path.join(self.folder, "bad.ipynb"))
        with self.assertRaisesRegex(AssertionError, "index out of range"):
            run("papermill", "bad.ipynb", "out.ipynb", folder=self.folder)
        nb = nbformat.read(os.path.join(self.folder, "out.ipynb"), 4)
        self.assertEqual([c.metadata.papermill.status for c in nb.cells if c.cell_type == "code"], ["completed", "failed", "pending"])

    def test_help_notebook(self):
        shown = run("papermill", "--help-notebook", "in.ipynb", folder=self.folder)
        self.assertRegex(shown, r"rate: Unknown type \(default 0.1\)\s+learning rate")
        self.assertRegex(shown, r'name: string \(default "fashion"\)')


class Nbconvert(unittest.TestCase):
    def test_formats(self):
        with tempfile.TemporaryDirectory() as folder:
            nb = notebook("x := 1", "display.HTML(\"<b>bold</b>\")")
            nb.metadata["language_info"] = {"name": "go", "file_extension": ".go", "mimetype": "text/x-go", "pygments_lexer": "go", "nbconvert_exporter": "script"}
            nbformat.write(nb, os.path.join(folder, "n.ipynb"))
            run("nbconvert", "--execute", "--to", "html", "n.ipynb", folder=folder)
            with open(os.path.join(folder, "n.html")) as f:
                self.assertIn("<b>bold</b>", f.read())
            run("nbconvert", "--to", "script", "n.ipynb", folder=folder)
            with open(os.path.join(folder, "n.go")) as f:
                self.assertIn("x := 1", f.read())


class Console(unittest.TestCase):
    """jupyter-console on a terminal of its own."""

    def setUp(self):
        # By default the console waits a second for is_complete and then never asks again: a busy machine can take longer.
        arguments = ["-m", "jupyter_console", "--kernel", "gomosaic", "--ZMQTerminalInteractiveShell.kernel_is_complete_timeout=60"]
        self.console = pexpect.spawn(sys.executable, arguments, timeout=60, encoding="utf-8", dimensions=(40, 120),
                                     env={**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"})
        self.addCleanup(self.console.close, force=True)
        self.see("In [1]:")

    def see(self, text):
        """Waits for text on the terminal, whose escape sequences may stand between any two characters."""
        self.console.expect(r"(?:\x1b\[[0-9;?]*[a-zA-Z])*".join(map(re.escape, text)))

    def enter(self, text, *seen):
        self.console.send(text + "\r")
        for each in seen:
            self.see(each)

    def test_session(self):
        self.enter("x := 40", "In [2]:")
        self.enter("x + 2", "Out[2]: 42", "In [3]:")
        self.enter("for i := range 2 {", "...:     ")  # incomplete: the line goes on, indented
        self.enter('println("line", i+7)', "...:     ")
        self.enter("}\r", "line 8", "In [4]:")
        self.enter("nothing", "undefined: nothing", "In [5]:")
        self.enter("for { }", "for")
        time.sleep(1)  # the cell compiles
        self.console.sendintr()
        self.enter("", "interrupted", "In [6]:")
        self.enter("x", "Out[6]: 40", "In [7]:")
        self.console.send("strings.ToU\t")
        self.see("ToUpperSpecial")
        self.console.send("\x03")
        self.console.sendeof()
        self.see("Do you really want to exit")
        self.console.send("y\r")
        self.console.expect(pexpect.EOF)


if __name__ == "__main__":
    unittest.main()
