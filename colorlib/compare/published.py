"""The published benchmark: our network beside ECCV16, SIGGRAPH17, DeOldify and DDColor.

Every system is measured on the photographs for which its own output was published together with
the true colours, at each photograph's own size. All pictures get exactly the truth's luma before
they are measured, so that colours alone are compared.
"""

import time

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from colorlib import peers
from colorlib.color import luma
from colorlib.data import to_tensor
from colorlib.metrics import ab_prior, per_image, summary
from colorlib.model import ColorNet
from colorlib.peers import Photograph
from colorlib.photos.colorize_photo import colorize_photo, network
from colorlib.report import store
from colorlib.report.bootstrap import paired_bootstrap
from colorlib.report.evaluation import trained_on
from colorlib.report.tables import COLUMNS, TITLES, cells, difference, markdown_table, title

VIVIDNESS = (0.0, 0.5, 1.0)
CHOSEN = ("authors-classes",)  # groups that were chosen by result: reported apart
MAIN, APART, ALL = "main", "chosen-classes", "all"  # scopes: without these groups, only they, both
EACH = "rebalanced_auc_each"  # rebalanced AuC of each photograph alone, then the mean
METRICS = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")  # of the tables
COMPARED = METRICS[:-1]  # more is better; ours minus the system's in the tables
KEPT = ("psnr", "raw_auc", EACH, "colourfulness")  # in the result, for every photograph

Numbers = dict[str, Tensor]  # what `metrics.per_image` gives: (N,) for each measure


def replace_luma(rgb: Tensor, gray: Tensor) -> Tensor:
    """RGB (N, 3, H, W) with the luma of gray (N, 1, H, W): the difference is added, then clipped.

    All values are in [0, 1].
    """
    return (rgb + gray - luma(rgb)).clamp(0, 1)


def setting_key(vividness: float) -> str:
    """The key of our numbers at a vividness in the result's photographs: "ours-0.5"."""
    return f"ours-{vividness:g}"


def published_result(
    model_name: str = "photo",
    vividness: tuple[float, ...] = VIVIDNESS,
    unless_current: bool = True,
) -> dict:
    """The result published-MODEL: from its file if that is current, else measured now and saved.

    Without the published outputs in the data root the result on file is returned, also one of
    other weights; a printed sentence says so. Raises ValueError if there is neither.
    """
    name = f"published-{store.name_for_model(model_name)}"
    model, photographs = network(model_name), peers.published()
    made = provenance(model, model_name, vividness, photographs)
    if unless_current and not photographs and store.find_result(name):
        result = store.load_result(name)
        if not made["digests"].items() <= result["digests"].items():
            print(f"{name}.json was measured with an earlier version of the weights.")
        return result
    current = store.current_result(name, made) if unless_current else None
    if current:
        return current
    return store.save_result(name, measure_published(model, model_name, vividness, photographs))


def provenance(
    model, model_name: str, vividness: tuple[float, ...], photographs: list[Photograph]
) -> dict:
    """What a result says of how it was made."""
    config = {"model": model_name, "given": "luma", "vividness": vividness}
    data = {"source": "published photographs", "count": len(photographs)}
    known = {model_name: model} if isinstance(model, ColorNet) else {}
    command = f"python -m colorlib published --model {model_name}"
    return store.provenance(known, config, data, command=command)


def measure_published(
    model,
    model_name: str,
    vividness: tuple[float, ...] = VIVIDNESS,
    photographs: list[Photograph] | None = None,
    resamples: int = 1000,
) -> dict:
    """Measure a network beside every published system, as `save_result` keeps it.

    model: what `colorize_photo` takes, for example "photo" or a ColorNet; model_name: its name in
    the result. photographs: `peers.published()` by default. The result's "rows" hold, for each
    system and scope, the means of grey, of the system and of ours; "photographs" holds the numbers
    of each photograph. CIEDE2000 and SSIM are left out. Raises ValueError if there is no
    photograph, or for a vividness outside 0 to 1.
    """
    photographs = peers.published() if photographs is None else photographs
    if not photographs:
        fetch = "`python -m colorlib published --fetch` fetches them"
        raise ValueError(f"measure_published: no photograph is in the data root; {fetch}")
    model, began, prior = network(model), time.perf_counter(), ab_prior()
    measured = [
        measure_photograph(photo, model, vividness, prior)
        for photo in tqdm(photographs, "measuring", unit=" photographs", delay=3)
    ]
    result = provenance(model, model_name, vividness, photographs)
    result |= {"trained_on": trained_on(model_name), "rows": []}
    for system in dict.fromkeys(system for photo in photographs for system in photo.outputs):
        for scope, chosen in scopes(photographs, system).items():
            numbers = [measured[i] for i in chosen]
            result["rows"] += system_rows(system, scope, numbers, vividness, resamples)
    pairs = zip(photographs, measured, strict=True)
    result["photographs"] = [photograph_row(photo, numbers) for photo, numbers in pairs]
    return result | {"seconds": round(time.perf_counter() - began, 1)}


def pictures(photo: Photograph, model, vividness: tuple[float, ...]) -> dict[str, Tensor]:
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


def measure_photograph(
    photo: Photograph, model, vividness: tuple[float, ...], prior: Tensor
) -> dict[str, Numbers]:
    """key -> numbers (1,) of one photograph: grey, ours at each vividness, each system.

    The sums for the rebalanced AuC are divided by the number of pixels, so that photographs of
    different sizes count the same.
    """
    shown = pictures(photo, model, vividness)
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
    grey, theirs, *ours = (
        {name: torch.cat([photo[key][name] for photo in measured]) for name in measured[0][key]}
        for key in ("grey", system, *map(setting_key, vividness))
    )

    def row(key: str, numbers: Numbers, **words) -> dict:
        about = {"key": f"{system}/{scope}/{key}", "beside": system, "scope": scope} | words
        return about | {"images": len(measured)} | means(numbers)

    rows = [row("grey", grey, system="grey"), row(system, theirs, system=system)]
    for v, numbers in zip(vividness, ours, strict=True):
        made = row(setting_key(v), numbers, system="ours", vividness=v)
        wins = (numbers["psnr"] > theirs["psnr"]).double().mean().item()
        made |= {"difference": intervals(numbers, theirs, resamples), "wins": wins}
        made["gain_share"] = {
            metric: gain_share(made[metric], rows[1][metric], rows[0][metric])
            for metric in (*COMPARED, EACH)
        }
        rows.append(made)
    return rows


def means(numbers: Numbers) -> dict[str, float]:
    """`metrics.summary`, with the rebalanced AuC of each photograph and the truth's colours."""
    extra = {"true_colourfulness": numbers["true_colourfulness"].mean().item()}
    return summary(numbers) | extra | {EACH: summary(each_alone(numbers))["rebalanced_auc"]}


def each_alone(numbers: Numbers) -> Numbers:
    """The numbers with a rebalanced error that weights the pixels of each photograph alone."""
    error = numbers["rebalanced_error"] / numbers["rebalanced_weight"]
    return numbers | {"rebalanced_error": error, "rebalanced_weight": torch.ones_like(error)}


def intervals(ours: Numbers, theirs: Numbers, resamples: int) -> dict:
    """95 % intervals of ours minus theirs; none without resamples."""
    if not resamples:
        return {}
    alone = paired_bootstrap(each_alone(ours), each_alone(theirs), resamples)
    return paired_bootstrap(ours, theirs, resamples) | {EACH: alone["rebalanced_auc"]}


def gain_share(ours: float, theirs: float, grey: float) -> float | None:
    """The share of their gain over grey that ours reaches; None where they gain nothing."""
    return (ours - grey) / (theirs - grey) if theirs > grey else None


def photograph_row(photo: Photograph, measured: dict[str, Numbers]) -> dict:
    """One photograph's numbers: for each kept metric a dict from the key to the value."""
    found = {key: means(numbers) for key, numbers in measured.items()}
    row = {"case": photo.case, "group": photo.group, "repository": photo.repository}
    row |= {metric: {key: round(m[metric], 5) for key, m in found.items()} for metric in KEPT}
    return row | {"true_colourfulness": round(found["grey"]["true_colourfulness"], 5)}


def rows_of(result: dict, system: str, scope: str = MAIN) -> list[dict]:
    """The rows of one system in one scope. Raises ValueError if the result has none."""
    found = [row for row in result["rows"] if (row["beside"], row["scope"]) == (system, scope)]
    if not found:
        known = dict.fromkeys(f"{row['beside']} ({row['scope']})" for row in result["rows"])
        raise ValueError(f"published: got {system} ({scope}), expected one of {', '.join(known)}")
    return found


def table(result: dict, system: str, scope: str = MAIN) -> str:
    """A Markdown table of grey, one system and ours on the photographs that it coloured.

    Differences are ours minus the system, with a paired bootstrap 95 % interval.
    """
    rows, name = rows_of(result, system, scope), TITLES.get(system, system)
    heads = ["system", *(COLUMNS[metric] for metric in METRICS)]
    heads += [f"{COLUMNS[metric].split(',')[0]} minus {name}'s" for metric in COMPARED]
    lines = []
    for row in rows:
        compared = [""] * (len(COMPARED) + 1)
        if row.get("difference"):
            compared = [difference(row, rows[1], metric) for metric in COMPARED]
            compared.append(f"{row['wins']:.0%}")
        lines.append([title(row), *cells(row, METRICS), *compared])
    return markdown_table([*heads, "ours is closer on"], lines)


def verdict(result: dict, system: str, scope: str = MAIN) -> str:
    """One sentence below a table: how ours at the first vividness stands beside the system."""
    rows, name = rows_of(result, system, scope), TITLES.get(system, system)
    ours = rows[2]
    words = []
    for metric in COMPARED:
        low, high = ours["difference"][metric]
        word = "higher" if low > 0 else "lower" if high < 0 else "not clearly different"
        words.append(f"{COLUMNS[metric].split(',')[0]} is {word}")
    return (
        f"On these {ours['images']} photographs, for {title(ours)} beside {name}: "
        f"{', '.join(words)}. Ours is closer to the truth (PSNR) on {ours['wins']:.0%} of them. "
        f"The truth's colourfulness is {ours['true_colourfulness']:.1f}."
    )


def tables(result: dict) -> str:
    """Every table of a result in Markdown, each under a heading and with its verdict."""
    words = {MAIN: "", APART: ", of classes chosen by result", ALL: ", chosen classes included"}
    parts = []
    for system, scope in dict.fromkeys((row["beside"], row["scope"]) for row in result["rows"]):
        count = rows_of(result, system, scope)[0]["images"]
        heading = f"### {TITLES.get(system, system)}: {count} photographs{words[scope]}"
        parts += [heading, table(result, system, scope), verdict(result, system, scope)]
    return "\n\n".join(parts)
