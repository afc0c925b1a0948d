"""Write the notebooks without solutions to build/student: `make student`.

A code cell with the tag `solution` is emptied: the student writes it anew. Its metadata hold two
texts, "task", what the cell must do, and "check", an assertion that a right answer passes. Outputs
and links to the solutions are removed.
"""

import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from colorlib.paths import REPOSITORY, out, replacing

TAG = "solution"


def solution_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", ())]


def student_version(notebook: NotebookNode) -> NotebookNode:
    """The notebook, changed in place: a solution becomes its task, an error and its check.

    Raises ValueError for a solution that lacks one of the two texts.
    """
    for cell in solution_cells(notebook):
        task, check = (cell.metadata.get(key, "") for key in ("task", "check"))
        if not task or "assert " not in check:
            start = cell.source.partition("\n")[0]
            raise ValueError(
                f'a cell tagged {TAG!r} ("{start}") needs metadata "task" (a sentence) and "check" '
                f"(with an assert), got {task!r} and {check!r}"
            )
        comment = "\n".join(f"# {line}" for line in task.splitlines())
        cell.source = f'{comment}\nraise NotImplementedError("replace this line")\n\n{check}'
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            for key in ("executed", "execution", "check", "task"):
                cell.metadata.pop(key, None)
        else:
            lines = cell.source.splitlines()
            cell.source = "\n".join(x for x in lines if "solutions.ipynb" not in x)
    return notebook


def main(folder: Path) -> None:
    for path in sorted((REPOSITORY / "notebooks").glob("0*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        count = len(solution_cells(notebook))
        text = nbformat.writes(student_version(notebook)) + "\n"
        with replacing(folder / path.name) as part:
            part.write_text(text, encoding="utf-8")
        print(f"{folder / path.name}: {count} cells to write")


if __name__ == "__main__":
    try:
        main(out() / "student")
    except ValueError as error:
        sys.exit(f"student_notebooks: {error}")
