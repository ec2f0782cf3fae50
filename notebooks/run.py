"""Runs a notebook headless with the gomosaic kernel, as `make tutorial` does.

Writes the executed notebook and its HTML under notebooks/out/ and prints the validation accuracy of its last training
epoch (read from the executed notebook), where things are and how long each section took. A cell that fails ends the run
with its error; the notebook as far as it got is kept beside the other output as *.failed.ipynb.
"""
import argparse
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter

TAB_STYLE = "<style>pre { tab-size: 4 }</style>"  # as JupyterLab shows Go's tabs; browsers take 8 columns
ACCURACY = re.compile(r"^validation accuracy: (\d\.\d+)$", re.MULTILINE)


def section_of(cell):
    """The heading that a markdown cell opens, or None."""
    if cell.cell_type != "markdown":
        return None
    heading = re.match(r"##? (\d+\. .*)", cell.source)
    return heading.group(1) if heading else None


def cells_until(notebook, last):
    """The cells up to the end of section `last`."""
    for i, cell in enumerate(notebook.cells):
        heading = section_of(cell)
        if heading and int(heading.split(".")[0]) > last:
            return notebook.cells[:i]
    return notebook.cells


def text_of(cell):
    """All plain text that a cell printed or showed."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            parts.append(output.text)
        elif "data" in output:
            parts.append(output.data.get("text/plain", ""))
    return "\n".join(parts)


def accuracy_of(notebook):
    """The last `validation accuracy: …` line of section 4, as text, or None."""
    section, found = "", None
    for cell in notebook.cells:
        section = section_of(cell) or section
        if section.startswith("4."):
            for match in ACCURACY.finditer(text_of(cell)):
                found = match.group(1)
    return found


def write(path, text):
    """Replaces the file at path as a whole."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--out", type=Path, help="folder of the output (default: out/ beside the notebook)")
    parser.add_argument("--until", type=int, help="run the sections up to this one only")
    parser.add_argument("--setup-seconds", type=float, help="seconds that the set-up took, for the summary")
    args = parser.parse_args()
    out = args.out or args.notebook.parent / "out"
    out.mkdir(parents=True, exist_ok=True)

    notebook = nbformat.read(args.notebook, as_version=4)
    if args.until is not None:
        notebook.cells = cells_until(notebook, args.until)
    seconds = {}
    state = {"section": "", "since": time.time()}

    def enter(name):
        now = time.time()
        if state["section"]:
            seconds[state["section"]] = seconds.get(state["section"], 0) + now - state["since"]
        if name != state["section"] and name:
            print(f"  {name} …", flush=True)
        state.update(section=name, since=now)

    def on_cell_start(cell, cell_index):
        heading = section_of(cell)
        if heading:
            enter(heading)

    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="gomosaic",
        resources={"metadata": {"path": str(args.notebook.parent)}},
        on_cell_start=on_cell_start,
    )
    print(f"Running {args.notebook}", flush=True)
    enter("kernel start")
    try:
        client.execute()
    except (CellExecutionError, DeadKernelError) as error:
        failed = out / (args.notebook.stem + ".failed.ipynb")
        write(failed, nbformat.writes(notebook))
        sys.exit(f"{error}\nThe notebook as far as it got: {failed}")
    enter("")

    executed = out / args.notebook.name
    page = executed.with_suffix(".html")
    write(executed, nbformat.writes(notebook))
    html, _ = HTMLExporter(template_name="lab").from_notebook_node(notebook)
    write(page, html.replace("</head>", TAB_STYLE + "</head>", 1))

    print()
    accuracy = accuracy_of(notebook)
    if accuracy is not None:
        print(f"validation accuracy: {accuracy}")
        print()
    print(f"notebook  {executed}")
    print(f"page      {page}")
    if args.setup_seconds is not None:
        print(f"{args.setup_seconds:7.1f} s  set-up")
    for name, spent in seconds.items():
        print(f"{spent:7.1f} s  {name}")
    print("Open it live: make lab")


if __name__ == "__main__":
    main()
