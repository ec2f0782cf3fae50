"""jupyter_kernel_test, the Jupyter developers' own test of a kernel, against the installed gomosaic kernel: nothing is skipped."""
import unittest

import jupyter_kernel_test

FIVE_WORDS = 'import "strings"\nstrings.Fields("one two three four five")'


class Conformance(jupyter_kernel_test.KernelTests):
    kernel_name = "gomosaic"
    language_name = "go"
    file_extension = ".go"

    code_hello_world = 'import "fmt"\nfmt.Println("hello, world")'
    code_stderr = 'import ("fmt"; "os")\nfmt.Fprintln(os.Stderr, "oh dear")'
    code_generate_error = "var m map[string]int\nm[\"a\"] = 1"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"gopher"[:2]', "result": "go"},
        {"code": "[]int{1, 2, 3}", "result": "[1 2 3]"},
        {"code": "2 + 2", "result": "4"},
        {"code": 'display.HTML("<b>bold</b>")', "mime": "text/html"},
    ]
    code_display_data = [
        {"code": 'Display(display.Markdown("*hello*"))', "mime": "text/markdown"},
        {"code": "import \"image\"\nDisplay(display.Image(image.NewGray(image.Rect(0, 0, 4, 4))))", "mime": "image/png"},
        {"code": 'Display(display.SVG("<svg xmlns=\'http://www.w3.org/2000/svg\'/>"))', "mime": "image/svg+xml"},
    ]
    code_clear_output = "display.Clear(false)"
    code_page_something = "strings.Fields?"
    code_inspect_sample = "strings.Fields"
    completion_samples = [
        {"text": "strings.ToUp", "matches": {"ToUpper", "ToUpperSpecial"}},
        {"text": "fallt", "matches": {"fallthrough"}},
        {"text": 'import "text/temp', "matches": {"text/template", "text/template/parse"}},
        {"text": "nothingAtAll."},
    ]
    complete_code_samples = ["x := 1", "for range 3 {\n\tprintln(1)\n}", "func f() {\n}", "", "// a comment", "x.\n\ty()", 'import "fmt"']
    incomplete_code_samples = ["for range 3 {", "x := ", "s := `raw", "f(1,", "/* open", "if a {\n} else {", "x.", "func f(a int"]
    invalid_code_samples = ["x := )", "func 1() {}", "if { } }"]
    code_history_pattern = "6*"
    supported_history_operations = ("tail", "range", "search")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kc.execute(FIVE_WORDS, reply=True, timeout=60)  # imports strings


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "gomosaic"
    support_iopub_welcome = True


def load_tests(loader, tests, pattern):
    """Only our classes: the imported base classes are tests too."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(c) for c in (Conformance, Welcome))
