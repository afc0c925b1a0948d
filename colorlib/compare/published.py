"""The published benchmark: our network beside ECCV16, SIGGRAPH17, DeOldify and DDColor.

Every system is measured on the photographs for which its own output was published together with
the true colours, at each photograph's own size. All pictures get exactly the truth's luma before
they are measured, so that colours alone are compared.
"""

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import torch
from torch import Tensor

from colorlib.color import luma
from colorlib.data import to_tensor
from colorlib.metrics import MAX_AB, ab_prior, per_image, summary
from colorlib.model import evaluation_mode, weights_digest
from colorlib.paths import machine
from colorlib.peers.published_outputs import TITLES, Photograph, published
from colorlib.photos.colorize_photo import colorize_photo, network
from colorlib.report import store
from colorlib.report.bootstrap import paired_bootstrap
from colorlib.report.evaluation import trained_on
from colorlib.report.tables import COLUMNS, DIGITS, cells, difference

VIVIDNESS = (0.0, 0.5, 1.0)
CHOSEN = ("authors-classes",)  # groups that were chosen by result: reported apart
MAIN, APART, ALL = "main", "chosen-classes", "all"  # scopes: without these groups, only they, both
EACH = "rebalanced_auc_each"  # rebalanced AuC of each photograph alone, then the mean
METRICS = ("psnr", "raw_auc", "rebalanced_auc", EACH, "colourfulness")
GAINS = METRICS[:-1]  # where more is better
COMPARED = ("psnr", "raw_auc", "rebalanced_auc")  # ours minus the system's in the tables
LARGEST_SHARE = 5  # a larger share of gain says only that the system gains almost nothing
HEADINGS = COLUMNS | {EACH: "rebalanced AuC, each"}
KEPT = ("psnr", "raw_auc", EACH, "colourfulness")  # in the result, for every photograph

Numbers = dict[str, Tensor]  # what `metrics.per_image` gives: (N,) for each measure


def replace_luma(rgb: Tensor, gray: Tensor) -> Tensor:
    """RGB (N, 3, H, W) with the luma of gray (N, 1, H, W): the difference is added, then clipped.

    All values are in [0, 1].
    """
    return (rgb + gray - luma(rgb)).clamp(0, 1)


def setting_key(vividness: float) -> str:
    """The key of our row at a vividness: "ours-0.5"."""
    return f"ours-{vividness:g}"


def measure_published(
    model,
    model_name: str,
    vividness: tuple[float, ...] = VIVIDNESS,
    photographs: list[Photograph] | None = None,
    resamples: int = 1000,
    **options,
) -> dict:
    """Measure a network beside every published system, as `save_result` keeps it.

    model: what `colorize_photo` takes, for example "photo" or a ColorNet; model_name: its name in
    the result. photographs: `peers.published()` by default. options: further arguments of
    `colorize_photo`. The result's "rows" hold, for each system and scope, the means of grey, of the
    system and of ours; "photographs" holds the numbers of each photograph. CIEDE2000 and SSIM are
    left out. Raises ValueError if there is no photograph, or for a vividness outside 0 to 1.
    """
    photographs = published() if photographs is None else photographs
    if not photographs:
        raise ValueError(
            "measure_published: no published photograph is in the data root; "
            "`python -m colorlib published --fetch` fetches them"
        )
    model, began = network(model), time.perf_counter()
    measured = measure_all(photographs, model, vividness, **options)
    rows = []
    for system in TITLES:
        for scope, chosen in scopes(photographs, system).items():
            rows += system_rows(system, scope, [measured[i] for i in chosen], vividness, resamples)
    return {
        "model": model_name,
        "weights": weights_digest(model) if hasattr(model, "config") else None,
        "trained_on": trained_on(model_name),
        "given": "luma",
        "data": {"source": "published photographs", "count": len(photographs)},
        "vividness": list(vividness),
        "options": options,
        "rows": rows,
        "photographs": [
            photograph_row(photo, numbers)
            for photo, numbers in zip(photographs, measured, strict=True)
        ],
        "command": f"python -m colorlib published --model {model_name}",
        "seconds": round(time.perf_counter() - began, 1),
        "machine": machine(),
        "date": date.today().isoformat(),
    }


def measure_all(
    photographs: list[Photograph], model, vividness: tuple[float, ...], **options
) -> list[dict[str, Numbers]]:
    """`measure_photograph` of each, several photographs at a time, each on one core.

    The photographs are small: PyTorch's own threads would mostly wait for each other, for minutes
    where other programs use the same cores.
    """
    from tqdm import tqdm

    prior, cores = ab_prior(), torch.get_num_threads()

    def measure(photo: Photograph) -> dict[str, Numbers]:
        return measure_photograph(photo, model, vividness, prior, **options)

    pool = ThreadPoolExecutor(cores)
    torch.set_num_threads(1)
    try:
        with evaluation_mode(
            getattr(model, "network", model)
        ):  # all threads share the network's mode
            found = pool.map(measure, photographs)
            bar = {"desc": "measuring", "total": len(photographs), "unit": " photographs"}
            return list(tqdm(found, **bar, delay=3))
    finally:
        torch.set_num_threads(cores)
        pool.shutdown(cancel_futures=True)


def pictures(
    photo: Photograph, model, vividness: tuple[float, ...], **options
) -> dict[str, Tensor]:
    """row key -> RGB (1, 3, H, W) as it is measured: grey, ours, each system, and "truth" last.

    All have the truth's size and luma (but for clipping). options: of `colorize_photo`.
    """
    image = np.asarray(photo.image("truth"))
    truth = to_tensor(image[None])
    gray = luma(truth)
    coloured = {setting_key(v): colorize_photo(image, model, v, **options) for v in vividness}
    coloured |= {system: photo.image(system) for system in photo.outputs}
    found = {"grey": gray.expand(-1, 3, -1, -1)}
    for key, picture in coloured.items():
        found[key] = replace_luma(to_tensor(np.asarray(picture)[None]), gray)
    return found | {"truth": truth}


def measure_photograph(
    photo: Photograph, model, vividness: tuple[float, ...], prior: Tensor, **options
) -> dict[str, Numbers]:
    """row key -> numbers (1,) of one photograph: grey, ours at each vividness, each system.

    The sums for the rebalanced AuC are divided by the number of pixels, so that photographs of
    different sizes count the same.
    """
    shown = pictures(photo, model, vividness, **options)
    truth, found = shown.pop("truth"), {}
    for key, picture in shown.items():
        found[key] = per_image(picture, truth, prior, quick=True)
        for name in ("rebalanced_error", "rebalanced_weight"):
            found[key][name] /= truth.shape[-2] * truth.shape[-1]
    return found


def scopes(photographs: list[Photograph], system: str) -> dict[str, list[int]]:
    """scope -> numbers of the photographs that the system coloured; empty scopes are left out.

    Groups that were chosen by their result are no random sample: "main" is without them.
    """
    there = [i for i, photo in enumerate(photographs) if system in photo.outputs]
    apart = [i for i in there if photographs[i].group in CHOSEN]
    main = [i for i in there if i not in apart]
    found = {MAIN: main} | ({APART: apart, ALL: there} if apart else {})
    return {scope: chosen for scope, chosen in found.items() if chosen}


def system_rows(
    system: str,
    scope: str,
    measured: list[dict[str, Numbers]],
    vividness: tuple[float, ...],
    resamples: int,
) -> list[dict]:
    """The rows of one system in one scope: grey, the system, ours at each vividness."""
    keys = ["grey", system, *map(setting_key, vividness)]
    numbers = {key: joined([photo[key] for photo in measured]) for key in keys}
    rows = {
        key: {"key": f"{system}/{scope}/{key}", "beside": system, "scope": scope, "system": key}
        | {"count": len(measured)}
        | means(numbers[key])
        for key in keys
    }
    for key in keys[2:]:
        rows[key] |= beside(numbers[key], numbers[system], resamples)
        rows[key]["gain_share"] = {
            metric: gain_share(rows[key][metric], rows[system][metric], rows["grey"][metric])
            for metric in GAINS
        }
    return list(rows.values())


def joined(parts: list[Numbers]) -> Numbers:
    """The numbers of several photographs as one set, (N,) each."""
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def means(numbers: Numbers) -> dict[str, float]:
    """`metrics.summary`, with the rebalanced AuC of each photograph and the truth's colours."""
    extra = {"true_colourfulness": numbers["true_colourfulness"].mean().item()}
    return summary(numbers) | extra | {EACH: summary(each_alone(numbers))["rebalanced_auc"]}


def each_alone(numbers: Numbers) -> Numbers:
    """The numbers with a rebalanced error that weights the pixels of each photograph alone."""
    error = numbers["rebalanced_error"] / numbers["rebalanced_weight"]
    return numbers | {"rebalanced_error": error, "rebalanced_weight": torch.ones_like(error)}


def beside(ours: Numbers, theirs: Numbers, resamples: int) -> dict:
    """95 % intervals of ours minus theirs, and the share of photographs with the higher PSNR."""
    intervals = {}
    if resamples:
        alone = paired_bootstrap(each_alone(ours), each_alone(theirs), resamples)
        intervals = paired_bootstrap(ours, theirs, resamples) | {EACH: alone["rebalanced_auc"]}
    wins = (ours["psnr"] > theirs["psnr"]).double().mean().item()
    return {"difference": intervals, "wins": wins}


def gain_share(ours: float, theirs: float, grey: float) -> float | None:
    """The share of their gain over grey that ours reaches; None where they gain nothing."""
    return (ours - grey) / (theirs - grey) if theirs > grey else None


def photograph_row(photo: Photograph, measured: dict[str, Numbers]) -> dict:
    """One photograph's numbers: for each kept metric a dict from the row's key to the value."""
    row: dict = {"case": photo.case, "group": photo.group, "repository": photo.repository}
    row |= {metric: {} for metric in KEPT}
    for key, numbers in measured.items():
        alone = numbers["rebalanced_error"] / numbers["rebalanced_weight"]
        values = {
            "psnr": numbers["psnr"],
            "raw_auc": 1 - numbers["ab_error"] / MAX_AB,
            EACH: 1 - alone / MAX_AB,
            "colourfulness": numbers["colourfulness"],
        }
        for metric, value in values.items():
            row[metric][key] = round(value.item(), 5)
    row["true_colourfulness"] = round(numbers["true_colourfulness"].item(), 5)
    return row


def result_name(model_name: str) -> str:
    """The file name of a result: "published-photo", or after a weights file."""
    return f"published-{store.name_for_model(model_name)}"


def by_table(result: dict) -> dict[tuple[str, str], dict[str, dict]]:
    """(system, scope) -> rows by key, in the order of the result."""
    found: dict = defaultdict(dict)
    for row in result["rows"]:
        found[row["beside"], row["scope"]][row["system"]] = row
    return dict(found)


def row_title(key: str) -> str:
    """How a table or figure names a row: "ours, vividness 0.5", "DDColor", "grey"."""
    if key.startswith("ours-"):
        return f"ours, vividness {key.removeprefix('ours-')}"
    return TITLES.get(key, key)


def scope_title(system: str, scope: str, count: int) -> str:
    """The heading of a table: the system, and on which photographs."""
    words = {MAIN: "", ALL: ", chosen classes included", APART: " of classes chosen by result"}
    return f"{TITLES[system]}: {count} photograph{'s' * (count != 1)}{words[scope]}"


def table(result: dict, system: str, scope: str = MAIN) -> str:
    """A Markdown table of grey, one system and ours on the photographs that it coloured.

    Differences are ours minus the system, with a paired bootstrap 95 % interval. Raises ValueError
    if the result has no such rows.
    """
    tables = by_table(result)
    if (system, scope) not in tables:
        there = ", ".join(f"{a} ({b})" for a, b in tables)
        raise ValueError(f"table: got {system} ({scope}), expected one of {there}")
    rows = tables[system, scope]
    heads = [HEADINGS[metric] for metric in METRICS]
    heads += [f"{HEADINGS[metric].split(',')[0]} minus {TITLES[system]}'s" for metric in COMPARED]
    heads += ["wins", "share of gain"]
    lines = ["| system | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for key, row in rows.items():
        texts = [*cells(row, METRICS), *_beside_texts(row, rows[system])]
        lines.append(f"| {row_title(key)} | " + " | ".join(texts) + " |")
    count, truth = rows["grey"]["count"], rows["grey"]["true_colourfulness"]
    lines += ["", f"*{scope_title(system, scope, count)}; colourfulness of the truth {truth:.1f}.*"]
    return "\n".join(lines)


def _beside_texts(row: dict, theirs: dict) -> list[str]:
    """The cells that compare ours with the system; empty for grey and for the system."""
    if "wins" not in row:
        return [""] * (len(COMPARED) + 2)
    changes = [_change(row, theirs, metric) for metric in COMPARED]
    shares = [_share_text(row["gain_share"][metric]) for metric in ("psnr", "raw_auc")]
    return [*changes, f"{100 * row['wins']:.0f} %", " / ".join(shares)]


def _share_text(share: float | None) -> str:
    return "–" if share is None or abs(share) > LARGEST_SHARE else f"{share:.2f}"


def _change(row: dict, theirs: dict, metric: str) -> str:
    if metric in row["difference"]:
        return difference(row, theirs, metric)
    return f"{row[metric] - theirs[metric]:+.{DIGITS.get(metric, 4)}f}"


def tables(result: dict) -> str:
    """Every table of a result in Markdown, each under a heading, and what the columns mean."""
    parts = []
    for (system, scope), rows in by_table(result).items():
        parts.append(f"### {scope_title(system, scope, rows['grey']['count'])}")
        parts.append(table(result, system, scope))
    parts.append(
        'Rebalanced AuC pools the pixels of all photographs; "each" is the mean of every '
        "photograph's own. Wins: the share of photographs on which our PSNR is higher. Share of "
        "gain: our gain over grey divided by the system's, in PSNR and in raw AuC; a dash where "
        "the system gains almost nothing. Differences have paired bootstrap 95 % intervals."
    )
    return "\n\n".join(parts)
