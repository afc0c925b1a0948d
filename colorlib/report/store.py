"""Results on file, and what each says of how it was made; tables and prose are made from them.

Every result holds, beside its numbers: "command", "commit", "date", "machine", "seed", "config"
(every setting that it depends on), "data" and "digests" (`weights_digest` of each network that was
measured). A result is current if those of a new measurement would be the same.
"""

import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
from torch import nn

from colorlib import decoding, paths
from colorlib.data import describe, slug
from colorlib.model import ColorNet

REQUIRED = ("command", "commit", "date", "machine", "seed", "config", "data", "digests")


def provenance(
    networks: Mapping[str, nn.Module], config: dict, data: dict, *, command: str = "",
    notebook: str = "",
) -> dict:  # fmt: skip
    """What a result says of how it was made.

    networks: name -> every network that was measured. data: see `data_record`. What makes it again
    is a command, or a notebook, for example "05_study".
    """
    if notebook:
        command = f"python scripts/execute_notebooks.py notebooks/{notebook}.ipynb"
        command = f"COLORLIB_PROFILE={paths.profile()} {command}"
    return {
        "command": command,
        "commit": commit(),
        "date": date.today().isoformat(),
        "machine": paths.machine(),
        "seed": 0,
        "config": json.loads(json.dumps(config)),  # as the file will have it
        "data": data,
        "digests": {name: weights_digest(network) for name, network in networks.items()},
    }


def weights_digest(model: nn.Module) -> str:
    """Twelve digits for the weights, the decoding settings and the version of decoding."""
    digest = hashlib.sha256()
    if isinstance(model, ColorNet):
        digest.update(json.dumps([model.schedules, decoding.VERSION]).encode())
    for weight in model.state_dict().values():
        digest.update(weight.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


def data_record(
    source: str, split: str, images: np.ndarray, training: np.ndarray | None = None
) -> dict:
    """The "data" of a result: uint8 images (N, H, W, 3) of a resolved source.

    training: the training images, where what is measured depends on them too.
    """
    where = {"source": slug(source), "title": describe(source), "split": split}
    where |= {"count": len(images), "size": int(images.shape[1]), "sha256": images_digest(images)}
    return where if training is None else where | {"training_sha256": images_digest(training)}


def images_digest(images: np.ndarray) -> str:
    """SHA-256 of the bytes of uint8 images, in their order."""
    return hashlib.sha256(np.ascontiguousarray(images)).hexdigest()


def commit() -> str | None:
    """The repository's commit, with "+" if colorlib differs from it; None without a repository."""
    if paths.home() != paths.REPOSITORY:
        return None
    git = ["git", "-C", str(paths.REPOSITORY)]
    try:
        words = [*git, "rev-parse", "--short=12", "HEAD"]
        head = subprocess.check_output(words, text=True, stderr=subprocess.DEVNULL).strip()
        changed = subprocess.call([*git, "diff", "--quiet", "HEAD", "--", "colorlib"])
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{head}+" if changed else head


def save_result(name: str, content: dict) -> dict:
    """Write NAME.json into the results folder; return it as the file has it.

    Raises ValueError if the content does not say how it was made.
    """
    if missing := [key for key in REQUIRED if key not in content]:
        raise ValueError(f"save_result: {name} lacks {', '.join(missing)}; see `provenance`")
    content = json.loads(json.dumps(content))  # tuples become lists
    paths.write_json(paths.results() / f"{name}.json", content)
    return content


def load_result(name: str, committed: bool = False) -> dict:
    """NAME.json of this run's results, or the committed one where this run has none."""
    path = find_result(name, committed)
    if path is None:
        raise ValueError(
            f"{name}.json: got no such result, expected it in {paths.results()} or in data/results "
            "of the repository; `make results` measures what is missing"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def find_result(name: str, committed: bool = False) -> Path | None:
    """The file that `load_result` reads, or None."""
    folders = [] if committed else [paths.results()]
    files = (folder / f"{name}.json" for folder in (*folders, paths.COMMITTED_RESULTS))
    return next((file for file in files if file.is_file()), None)


def current_result(name: str, made: dict) -> dict | None:
    """The result on file if it was measured as `made`, a `provenance`, says; else None."""
    result = load_result(name) if find_result(name) else {"digests": {}}
    same = all(result.get(key) == made[key] for key in ("config", "data", "seed"))
    known = made["digests"].items() <= result["digests"].items()  # others came while measuring
    return result if same and known else None


def measured(
    name: str, made: dict, measure: Callable[[], dict], unless_current: bool = False,
    table: Callable[[dict], str] | None = None,
) -> dict:  # fmt: skip
    """`made` and what `measure` finds, in how many "seconds", saved as the result NAME.

    unless_current: a result on file that was measured in the same way is returned instead.
    table: what is printed of the result if it cannot be saved.
    """
    if unless_current and (current := current_result(name, made)):
        return current
    began = time.perf_counter()
    content = made | measure()
    content["seconds"] = round(time.perf_counter() - began, 1)
    try:
        return save_result(name, content)
    except OSError:
        if table:
            print(table(content))  # or the time would be lost
        raise


def name_for_model(model_name: str) -> str:
    """A file name for a model: a shipped name, "run-NAME", or the file's name and a hash of it."""
    path = Path(model_name).resolve()
    if path.suffix != ".safetensors":
        return model_name
    own = path.name == "model.safetensors" and path.parents[1] == paths.runs()
    return f"run-{path.parent.name}" if own else slug(model_name)


def name_for_source(name: str, source: str) -> str:
    """The file name of a resolved source's result: the plain one is CIFAR-100's alone."""
    return name if source == "cifar100" else f"{name}-{slug(source)}"
