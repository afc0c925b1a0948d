"""Results on file: measured once, kept in data/results/*.json; tables and prose come from there."""

import json
from datetime import date

from colorlib import paths
from colorlib.data import slug


def save_result(name: str, content: dict) -> dict:
    """Write `content` as NAME.json into the results folder; return it.

    What does not say by which command it was made is the notebooks'.
    """
    made = {"full": "make full", "quick": "make report"}[paths.profile()]
    content = {"command": made, "date": date.today().isoformat()} | content
    paths.write_json(paths.results() / f"{name}.json", content)
    return content


def load_result(name: str, committed: bool = False) -> dict:
    """NAME.json of this run's results, or the committed one where this run has none."""
    folders = [paths.COMMITTED_RESULTS] if committed else [paths.results(), paths.COMMITTED_RESULTS]
    for folder in folders:
        if (folder / f"{name}.json").is_file():
            return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    raise ValueError(f"{name}.json is in no results folder; `python -m colorlib evaluate` makes it")


def of_source(name: str, source: str) -> str:
    """The file name of a resolved source's result: the plain one is CIFAR-100's alone."""
    return name if source == "cifar100" else f"{name}-{slug(source)}"
