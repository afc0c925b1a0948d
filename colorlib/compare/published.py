"""The published benchmark: our network beside ECCV16, SIGGRAPH17, DeOldify and DDColor.

Every system is measured on the photographs of which its own output and the true colours were
published, at their own size. All pictures get the truth's luma: colours alone are compared.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from shlex import quote

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib import peers
from colorlib.color import luma
from colorlib.data import to_tensor
from colorlib.metrics import per_image, summary
from colorlib.model import ColorNet, load_model
from colorlib.peers import Photograph
from colorlib.photos.colorize_photo import colorize_photo
from colorlib.report import store
from colorlib.report.bootstrap import paired_bootstrap
from colorlib.report.evaluation import trained_on
from colorlib.report.tables import (
    COLUMNS,
    TITLES,
    cells,
    difference,
    markdown_table,
    short_title,
    title,
)

VIVIDNESS = (0.0, 0.5, 1.0)
CHOSEN = ("authors-classes",)  # groups that were chosen by result: no random sample
SCOPES = {  # the photographs of a table -> the words of its heading
    "main": "",  # without the groups of `CHOSEN`
    "chosen-classes": ", of classes chosen by result",
    "all": ", chosen classes included",
}
METRICS = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")  # of the tables
COMPARED = METRICS[:-1]  # more is better; ours minus the system's in the tables

Measured = dict[str, dict[str, Tensor]]  # key, see `row_of` -> what `metrics.per_image` gives


def replace_luma(rgb: Tensor, gray: Tensor) -> Tensor:
    """RGB (N, 3, H, W) with the luma of gray (N, 1, H, W): the difference is added and clipped."""
    return (rgb + gray - luma(rgb)).clamp(0, 1)


def setting_key(vividness: float) -> str:
    """The key of our numbers at a vividness: "ours-0.5"; other keys are "grey" and systems'."""
    return f"ours-{vividness:g}"


def row_of(key: str) -> dict:
    """What a key stands for, as a row of a result has it."""
    ours = re.fullmatch(r"ours-([\d.e-]+)", key)
    return {"system": "ours", "vividness": float(ours[1])} if ours else {"system": key}


def published_result(
    model_name: str = "photo", vividness: Sequence[float] = VIVIDNESS, unless_current: bool = True
) -> dict:
    """The result published-MODEL: from its file if that is current, else measured now and saved.

    Without published outputs in the data root, the result on file also if it is of other weights; a
    printed sentence says so. Raises ValueError if there is neither.
    """
    name = f"published-{store.name_for_model(model_name)}"
    model, photographs = load_model(model_name), peers.published()
    config = {"model": model_name, "given": "luma", "vividness": vividness}
    data = {"source": "published photographs", "count": len(photographs)}
    data["sha256"] = photographs_digest(photographs)
    command = f"python -m colorlib published --model {quote(model_name)}"
    if tuple(vividness) != VIVIDNESS:
        command += f" --vividness {' '.join(map(str, vividness))}"
    made = store.provenance({model_name: model}, config, data, command=command)
    if unless_current and not photographs and store.find_result(name):
        result = store.load_result(name)
        if not made["digests"].items() <= result["digests"].items():
            print(f"{name}.json was measured with an earlier version of the weights.")
        return result
    made |= {"trained_on": trained_on(model_name)}
    return store.measured(
        name, made, lambda: measure_published(model, photographs, vividness), unless_current
    )


def photographs_digest(photographs: list[Photograph]) -> str:
    """SHA-256 of all that is measured: names of photographs and systems, boxes, bytes of files."""
    digest = hashlib.sha256()
    for photo in photographs:
        for role in ("truth", *photo.outputs):
            path, box = photo.panels[role]
            file = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(json.dumps([photo.case, photo.group, role, box, file]).encode())
    return digest.hexdigest()


def measure_published(
    model: ColorNet, photographs: list[Photograph], vividness: Sequence[float] = VIVIDNESS
) -> dict[str, list[dict]]:
    """Measure a network beside every published system; CIEDE2000 and SSIM are left out.

    "rows" holds, for each system and scope, the means of grey, of the system and of ours;
    "photographs" the numbers of each one. Raises ValueError if there are no photographs.
    """
    if not photographs:
        fetch = "`python -m colorlib published --fetch` fetches them"
        raise ValueError(f"measure_published: no photograph is in the data root; {fetch}")
    progress = tqdm(photographs, "measuring", unit=" photographs", delay=3)
    pairs, rows = [(photo, measure_photograph(photo, model, vividness)) for photo in progress], []
    for system in dict.fromkeys(system for photo in photographs for system in photo.outputs):
        every = [pair for pair in pairs if system in pair[0].outputs]
        main, chosen = ([x for x in every if (x[0].group in CHOSEN) == which] for which in (0, 1))
        for scope, part in zip(SCOPES, (main, chosen, every if chosen else []), strict=True):
            if part:
                rows += system_rows(system, scope, [found for _, found in part])
    return {"rows": rows, "photographs": [photograph_row(*pair) for pair in pairs]}


def pictures(photo: Photograph, model: ColorNet, vividness: Sequence[float]) -> dict[str, Tensor]:
    """key -> RGB (1, 3, H, W) as it is measured: grey, ours, each system, and "truth" last.

    All have the truth's size and luma (but for clipping).
    """
    image = np.asarray(photo.image("truth"))
    truth = to_tensor(image[None])
    gray = luma(truth)
    coloured = {setting_key(v): colorize_photo(image, model, v) for v in vividness}
    coloured |= {system: photo.image(system) for system in photo.outputs}
    found = {"grey": gray.expand(-1, 3, -1, -1)}
    for key, picture in coloured.items():
        found[key] = replace_luma(to_tensor(np.asarray(picture)[None]), gray)
    return found | {"truth": truth}


def measure_photograph(photo: Photograph, model: ColorNet, vividness: Sequence[float]) -> Measured:
    """The numbers (1,) of one photograph: grey, ours at each vividness, each system.

    The sums for the rebalanced AuC are divided by the number of pixels, so that photographs of
    different sizes count the same.
    """
    shown = pictures(photo, model, vividness)
    truth, found = shown.pop("truth"), {}
    for key, picture in shown.items():
        found[key] = per_image(picture, truth, quick=True)
        for name in ("rebalanced_error", "rebalanced_weight"):
            found[key][name] /= truth.shape[-2] * truth.shape[-1]
    return found


def system_rows(system: str, scope: str, measured: list[Measured]) -> list[dict]:
    """The rows of one system in one scope: grey, the system, ours at each vividness."""
    numbers, rows = {}, []
    for key in ("grey", system, *(key for key in measured[0] if "vividness" in row_of(key))):
        names = measured[0][key]
        ours = {name: torch.cat([found[key][name] for found in measured]) for name in names}
        row = {"key": f"{system}/{scope}/{key}", "beside": system, "scope": scope} | row_of(key)
        row |= {"images": len(measured)} | summary(ours)
        row["true_colourfulness"] = ours["true_colourfulness"].mean().item()
        if row["system"] == "ours":
            row["difference"] = paired_bootstrap(ours, numbers[system])
            row["wins"] = (ours["psnr"] > numbers[system]["psnr"]).double().mean().item()
        numbers[key] = ours
        rows.append(row)
    return rows


def photograph_row(photo: Photograph, measured: Measured) -> dict:
    """One photograph's numbers: for each metric of the tables a dict from the key to the value."""
    found = {key: summary(numbers) for key, numbers in measured.items()}
    row = {"case": photo.case, "group": photo.group, "repository": photo.repository}
    for metric in METRICS:  # the sums of a rebalanced AuC are of this photograph alone
        name = "rebalanced_auc_each" if metric == "rebalanced_auc" else metric
        row[name] = {key: round(means[metric], 5) for key, means in found.items()}
    return row | {"true_colourfulness": round(measured["grey"]["true_colourfulness"].item(), 5)}


def tables(result: dict) -> str:
    """Every table of a result in Markdown, each under a heading and with its verdict."""
    parts = []
    for (system, scope), group in groupby(result["rows"], itemgetter("beside", "scope")):
        rows, name = list(group), TITLES.get(system, system)
        parts.append(f"### {name}: {rows[0]['images']} photographs{SCOPES[scope]}")
        parts += [table(rows, name), verdict(rows[2], name)]
    return "\n\n".join(parts)


def table(rows: list[dict], name: str) -> str:
    """Grey, one system and ours in Markdown, and ours minus the system with its 95 % interval."""
    heads = ["system", *(COLUMNS[metric] for metric in METRICS)]
    heads += [f"{short_title(metric)} minus {name}'s" for metric in COMPARED]
    lines = []
    for row in rows:
        compared = [""] * (len(COMPARED) + 1)
        if row["system"] == "ours":
            compared = [difference(row, rows[1], metric) for metric in COMPARED]
            compared.append(f"{row['wins']:.0%}")
        lines.append([title(row), *cells(row, METRICS), *compared])
    return markdown_table([*heads, "ours is closer on"], lines)


def verdict(ours: dict, name: str) -> str:
    """One sentence below a table: how our row stands beside the system of that name."""
    words = []
    for metric in COMPARED:
        low, high = ours["difference"][metric]
        word = "higher" if low > 0 else "lower" if high < 0 else "not clearly different"
        words.append(f"{short_title(metric)} is {word}")
    return (
        f"On these {ours['images']} photographs, for {title(ours)} beside {name}: "
        f"{', '.join(words)}. Ours is closer to the truth (PSNR) on {ours['wins']:.0%} of them. "
        f"The truth's colourfulness is {ours['true_colourfulness']:.1f}."
    )
