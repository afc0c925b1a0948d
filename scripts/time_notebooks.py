"""How long the notebooks take in their quick profile, and which of their parts: `make times`.

Measured with CIFAR-100 (if the data root has it) and with the built-in sample, each in a data root
without runs; kept as the result `times`. `make publish` writes the committed ones into the
notebooks.
"""

import os
import re
import tempfile
from datetime import datetime
from pathlib import Path

import nbformat
from execute_notebooks import execute
from nbformat import NotebookNode

from colorlib import paths
from colorlib.model import load_model
from colorlib.report import store

NOTEBOOKS = sorted((paths.REPOSITORY / "notebooks").glob("0*.ipynb"))
DATA = ("cifar100", "peers", "photos")  # of the data root; runs and prepared arrays stay behind


def parts(notebook: NotebookNode) -> dict[str, float]:
    """Seconds of each part of an executed notebook, by its heading."""
    found, title = {}, "the beginning"
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            title = (re.findall(r"^## (.*)", cell.source, re.M) or [title])[-1]
        elif cell.cell_type == "code":
            times = cell.metadata.get("execution", {})
            began, done = (
                datetime.fromisoformat(times[key].replace("Z", "+00:00"))
                for key in ("iopub.execute_input", "shell.execute_reply")
            )
            found[title] = found.get(title, 0.0) + (done - began).total_seconds()
    return found


def measure(root: Path | None) -> dict[str, dict[str, float]]:
    """notebook -> its parts, run with the data of `root`, or with the built-in sample."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        data.mkdir()
        for name in DATA if root else ():
            if (root / name).is_dir():
                (data / name).symlink_to(root / name)
        os.environ |= {"COLORLIB_DATA": str(data), "COLORLIB_OUT": str(out)}
        os.environ |= {"https_proxy": "http://127.0.0.1:9", "TQDM_DISABLE": "1"}  # no network
        for path in NOTEBOOKS:
            done = execute(nbformat.read(path, as_version=4), path.parent, record_timing=True)
            found[path.stem] = parts(done)
            print(f"{path.stem}: {sum(found[path.stem].values()):.0f} s", flush=True)
    return found


def main() -> None:
    root, target = paths.data_root(), os.environ.get("COLORLIB_OUT", "")
    networks = {name: load_model(name) for name in ("cifar", "photo")}
    data = {"source": "cifar100 and sample", "title": "CIFAR-100 and the built-in sample"}
    made = store.provenance(networks, {"profile": "quick"}, data, command="make times")
    measured = {"sample": measure(None)}
    if (root / "cifar100" / "test.npy").is_file():
        measured["cifar100"] = measure(root)
    os.environ["COLORLIB_OUT"] = target  # `measure` set it anew
    store.save_result("times", made | {"seconds": measured})


if __name__ == "__main__":
    main()
