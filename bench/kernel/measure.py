"""Measures how long a cell takes, beside gonb where GONB names its binary (`make bench-kernel`).

Both kernels are driven by the same Jupyter client, alternately, in one run. A time is from execute_request until both the
reply and the idle status are here. Prints one line a measurement, `name<TAB>ours<TAB>peer<TAB>ratio<TAB>unit`, the median
of the rounds (of loops the least); bench/out/kernel.json keeps every raw time, the command lines and the versions.
"""
import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jupyter_client
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

CLONE = Path(__file__).resolve().parents[2]
LOOPS = CLONE / "kernel/host/testdata/loops.txt"  # BenchmarkGuards of kernel/host measures the same

# The cells: imports, then statements. {n} is another number in each round, so that nobody finds the cell in a cache.
CELLS = {
    "cell_trivial_vs_gonb": ('import "fmt"', "x := {n}\nfmt.Println(x + 1)", "{n1}"),
    "cell_arrow_charts_vs_gonb": (
        'import (\n\t"bytes"\n\t"fmt"\n'
        '\t"github.com/apache/arrow/go/v17/arrow/array"\n\t"github.com/apache/arrow/go/v17/arrow/memory"\n'
        '\t"github.com/go-echarts/go-echarts/v2/charts"\n\t"github.com/go-echarts/go-echarts/v2/opts"\n)',
        "builder := array.NewInt64Builder(memory.DefaultAllocator)\n"
        "builder.AppendValues([]int64{{{n}, 2, 3}}, nil)\n"
        "column := builder.NewInt64Array()\n"
        "items := []opts.BarData{{}}\n"
        "for i := range column.Len() {{\n\titems = append(items, opts.BarData{{Value: column.Value(i)}})\n}}\n"
        "bar := charts.NewBar()\n"
        'bar.SetXAxis([]string{{"a", "b", "c"}}).AddSeries("values", items)\n'
        "var page bytes.Buffer\n"
        "if err := bar.Render(&page); err != nil {{\n\tpanic(err)\n}}\n"
        "fmt.Println(column.Value(0), page.Len() > 1000)",
        "{n} true",
    ),
    "cell_mdslib": (
        'import (\n\t"fmt"\n\t"gomosaic/mdslib"\n)',
        "names := mdslib.HashNames()\nfmt.Println(len(names) > 3, {n})",
        "true {n}",
    ),
}

TIMER = """
func best(f func() int) int64 {
	least := time.Hour
	for range 15 {
		at := time.Now()
		f()
		least = min(least, time.Since(at))
	}
	return int64(least)
}
"""


class Kernel:
    """A running kernel with its client, and what was started."""

    def __init__(self, spec_dir, name, log):
        specs = KernelSpecManager(kernel_dirs=[str(spec_dir)], ensure_native_kernel=False)
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
        self.command = self.manager.kernel_spec.argv
        self.temp = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        at = time.perf_counter()
        self.manager.start_kernel(stdout=log, stderr=log, cwd=self.temp.name, env={**os.environ, "TMPDIR": self.temp.name})
        self.session = self.manager.provisioner.pid  # it leads one of its own
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)
        self.start_seconds = time.perf_counter() - at

    def run(self, code, timeout=600):
        """Runs a cell; returns seconds, the text it printed, and the reply's content."""
        printed = []

        def keep(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        at = time.perf_counter()
        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=keep, allow_stdin=False)
        return time.perf_counter() - at, "".join(printed), reply["content"]

    def must(self, code):
        seconds, printed, reply = self.run(code)
        if reply["status"] != "ok":
            raise SystemExit(f"{' '.join(self.command)}\n{code}\nfailed: {' '.join(reply.get('traceback', []))}\n{printed}")
        return seconds, printed

    def close(self):
        """Ends the kernel and what it has left behind: gonb leaves its gopls, and files."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        for line in subprocess.check_output(["ps", "-eo", "pid=,sid="], text=True).splitlines():
            pid, session = map(int, line.split())
            if session == self.session:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.temp.cleanup()


class Ours(Kernel):
    def __init__(self, log):
        super().__init__(CLONE / ".venv/share/jupyter/kernels", "gomosaic", log)

    def cell(self, imports, statements):
        return f"{imports}\n{statements}"

    def host(self):
        """The process id of the cell host."""
        for line in subprocess.check_output(["ps", "-eo", "pid=,ppid=,args="], text=True).splitlines():
            pid, parent, args = line.split(None, 2)
            if int(parent) == self.manager.provisioner.pid and " host " in args:
                return int(pid)
        raise SystemExit("the kernel has no cell host")

    def resident_kb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.host()}/status").read_text())[1])


class Gonb(Kernel):
    """gonb, with the modules that the cells import at our versions. It compiles a program a cell: %% is its func main."""

    def __init__(self, spec_dir, log):
        (name,) = [p.name for p in Path(spec_dir).iterdir()]
        super().__init__(spec_dir, name, log)
        wanted = " ".join(re.findall(r"(?m)^\t(github.com/(?:apache/arrow|go-echarts)\S* v\S+)$", (CLONE / "go.mod").read_text())).replace(" v", "@v")
        self.must(f"!*go mod edit -require gomosaic@v0.0.0 -replace gomosaic={CLONE}\n!*go get gomosaic/mdslib {wanted}")

    def cell(self, imports, statements):
        return f"{imports}\n%%\n{statements}"


def install_gonb(binary, folder):
    """Lets gonb write its kernelspec into folder, and returns the folder of specs."""
    env = dict(os.environ, JUPYTER_DATA_DIR=str(folder), PATH=f"{Path(binary).resolve().parent}:{os.environ['PATH']}")
    subprocess.run([binary, "--install"], env=env, check=True, capture_output=True)
    return folder / "kernels"


def cells(kernels, rounds, raw):
    for name, (imports, statements, expected) in CELLS.items():
        raw[name] = {side: [] for side in kernels}
        for n in range(100, 102 + rounds):
            for side, kernel in kernels.items():
                seconds, printed = kernel.must(kernel.cell(imports, statements.format(n=n)))
                if printed.strip() != expected.format(n=n, n1=n + 1):
                    raise SystemExit(f"{name}: {side} printed {printed!r}")
                if n >= 102:  # after two that warm both up
                    raw[name][side].append(seconds)


def loops(kernel, rounds, raw, folder):
    """Loops in a cell, which are checked for interruption, and the same in a package, which are not: in one process, in turn."""
    source = LOOPS.read_text()
    names = re.findall(r"(?m)^func ([A-Z]\w*)\(\) int", source)
    (folder / "unchecked.go").write_text(f"package unchecked\n\n{source}")
    kernel.must(f'%use {folder} unchecked\nimport ("fmt"; "time"; "unchecked")\n{source}{TIMER}')
    report = "\n".join(f'fmt.Println("{name}", best({name}), best(unchecked.{name}))' for name in names)
    for name in names:
        raw[f"interrupt_overhead_{name.lower()}"] = {"ours": [], "peer": []}
    for _ in range(rounds):
        for line in kernel.must(report)[1].splitlines():
            name, checked, unchecked = line.split()
            sides = raw[f"interrupt_overhead_{name.lower()}"]
            sides["ours"].append(int(checked) / 1e6)
            sides["peer"].append(int(unchecked) / 1e6)


def resident(kernel, count, raw):
    settle = 'import "runtime/debug"\ndebug.FreeOSMemory()'  # leaves out the heap, which comes and goes
    kernel.must(settle)
    before = kernel.resident_kb()
    for n in range(count):
        kernel.must(kernel.cell(*CELLS["cell_trivial_vs_gonb"][:2]).format(n=n))
    kernel.must(settle)
    raw["rss_per_cell"] = {"ours": [(kernel.resident_kb() - before) / 1024 / count]}


def death(kernel, rounds, raw):
    """A cell whose process is killed: until it is reported and a fresh host is ready."""
    raw["fresh_host"] = {"ours": []}
    for _ in range(rounds):
        seconds, _, reply = kernel.run('import "syscall"\nsyscall.Kill(syscall.Getpid(), syscall.SIGKILL)')
        if reply["status"] != "error":
            raise SystemExit(f"a killed host was not reported: {reply}")
        kernel.must("1 + 1")
        raw["fresh_host"]["ours"].append(seconds)


UNITS = {"rss_per_cell": "MB"}


def lines(raw):
    """One (name, ours, peer, ratio, unit) for each measurement."""
    overheads = []
    for name, sides in raw.items():
        unit = UNITS.get(name, "ms" if name.startswith("interrupt") else "s")
        # A loop's time is the least, since other work on the machine can only add to it.
        middle = min if name.startswith("interrupt") else statistics.median
        ours = middle(sides["ours"])
        peer = middle(sides["peer"]) if sides.get("peer") else None
        ratio = ours / peer if peer else None
        if name.startswith("interrupt") and "fib" not in name and "closure" not in name:
            overheads.append(ratio)
        yield name, ours, peer, ratio, unit
    yield "interrupt_overhead", statistics.geometric_mean(overheads), 1.0, statistics.geometric_mean(overheads), "x"


def version(command):
    found = subprocess.run(command, capture_output=True, text=True)
    return (found.stdout or found.stderr).strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gonb", default=os.environ.get("GONB", ""), help="path of gonb's binary; default $GONB; without it the peer's column is -")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cells", type=int, default=40, help="trivial cells over which memory is measured")
    args = parser.parse_args()
    if args.rounds < 5:
        parser.error("--rounds: at least 5")
    binary = CLONE / ".venv/bin/gomosaic"
    raw, versions = {}, {
        "gomosaic": version([binary, "version"]), "go": version(["go", "version"]), "python": sys.version,
        "jupyter_client": jupyter_client.__version__, "machine": platform.platform(), "cores": os.cpu_count(),
    }
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        log = stack.enter_context(open(folder / "kernels.log", "w"))
        starters = {"ours": lambda: Ours(log)}
        if args.gonb:
            peer = shutil.which(args.gonb) or parser.error(f"no gonb at {args.gonb}")
            versions["gonb"] = version(["go", "version", "-m", peer])
            specs = install_gonb(peer, folder / "jupyter")
            starters["peer"] = lambda: Gonb(specs, log)
        raw["start_to_ready"] = {side: [] for side in starters}
        for _ in range(args.rounds):
            for side, start in starters.items():
                with contextlib.closing(start()) as kernel:
                    raw["start_to_ready"][side].append(kernel.start_seconds)
        kernels = {side: stack.enter_context(contextlib.closing(start())) for side, start in starters.items()}
        commands = {side: kernel.command for side, kernel in kernels.items()}
        cells(kernels, args.rounds, raw)
        (folder / "unchecked").mkdir()
        loops(kernels["ours"], args.rounds, raw, folder / "unchecked")
        resident(kernels["ours"], args.cells, raw)
        death(kernels["ours"], args.rounds, raw)
    found = list(lines(raw))
    for name, ours, peer, ratio, unit in found:
        print(name, f"{ours:.3f}", f"{peer:.3f}" if peer else "-", f"{ratio:.2f}" if ratio else "-", unit, sep="\t")
    out = CLONE / "bench/out/kernel.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({
        "measurements": [dict(zip(("name", "ours", "peer", "ratio", "unit"), line)) for line in found],
        "raw": raw, "commands": commands, "command": sys.argv, "versions": versions, "load": os.getloadavg(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }, indent=1) + "\n")


if __name__ == "__main__":
    main()
