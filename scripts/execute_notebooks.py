"""Execute notebooks, in place or into a folder, and keep with each cell the hash of what ran.

    python scripts/execute_notebooks.py notebooks/03_evaluation.ipynb
    python scripts/execute_notebooks.py --output build/notebooks notebooks/0*.ipynb

A code cell whose metadata "executed" is not the hash of its source was edited after it ran. A
notebook that fails is not written.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from colorlib.paths import replacing

KEY = "executed"  # of a code cell's metadata


def source_hash(source: str) -> str:
    """The hash of a cell's source, as it is kept in the cell's metadata."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def edited_cells(notebook: NotebookNode) -> list[int]:
    """The numbers of the code cells whose source is not the one that was executed."""
    return [
        number
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.metadata.get(KEY) != source_hash(cell.source)
    ]


def execute(notebook: NotebookNode, folder: Path, record_timing: bool = False) -> NotebookNode:
    """Run all cells in a fresh kernel in `folder`, and keep the hash of each."""
    options = {"record_timing": record_timing, "store_widget_state": False, "timeout": None}
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, **options).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata[KEY] = source_hash(cell.source)
    return notebook


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, help="a folder; without it, in place")
    args = parser.parse_args()
    for path in args.notebooks:
        print(f"executing {path}", flush=True)
        try:
            notebook = execute(nbformat.read(path, as_version=4), path.parent)
        except CellExecutionError as error:
            print(f"execute_notebooks: {path}: {error}", file=sys.stderr)
            return 1
        with replacing((args.output or path.parent) / path.name) as part:
            part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
