"""What data/results/study.json says: the runs, what each change does, seeds, and how it scales."""

import numpy as np

from colorlib import scaling
from colorlib.config import build
from colorlib.metrics import NAMES
from colorlib.results import DIGITS
from colorlib.study import IMAGES, RUNS, settings
from colorlib.study_charts import SHOWN

SEEDS = {
    "ours": ("ours", "ours, seed 1", "ours, seed 2"),
    "chroma regression": ("regression", "regression, seed 1", "regression, seed 2"),
}
ABLATED = {  # what the figure calls a run
    "regression": "one colour, not a distribution",
    "hue and saturation as numbers": "hue and saturation, raw",
    "hard targets": "hard targets",
    "every pixel weighs the same": "no weight by value",
    "AdamW alone, no Muon": "AdamW alone, no Muon",
    "images not moved": "images not moved",
    "moving average of the weights": "moving average of weights (EMA)",
    "full resolution, a quarter of the steps": "full resolution, equal time",
}


def best_of(run: dict) -> dict:
    """PSNR and raw AuC of a run's mean colour, rebalanced AuC at its most vivid useful one."""
    vivid = run.get("adjusted", run["mean"])
    return {name: run["mean"][name] for name in SHOWN[:2]} | {SHOWN[2]: vivid[SHOWN[2]]}


def listing(study: dict) -> str:
    """A Markdown table of every run: what differs from ours, what it took, what it reached."""
    lines = ["| run | differs from ours in | minutes | " + " | ".join(NAMES[n] for n in SHOWN)]
    lines[0] += " |"
    lines.append("| --- | --- |" + " ---: |" * 4)
    for name, run in study["runs"].items():
        changed = ", ".join(f"{k} {v}" for k, v in run["changed"].items()) or "–"
        numbers = [f"{run['history']['seconds'] / 60:.1f}", *_printed(best_of(run))]
        lines.append(f"| {name} | {changed} | " + " | ".join(numbers) + " |")
    return "\n".join(lines)


def _printed(numbers: dict) -> list[str]:
    return [f"{numbers[name]:.{DIGITS.get(name, 4)}f}" for name in SHOWN]


def ablation(study: dict) -> tuple[list[dict], dict]:
    """(rows, spread) as `study_charts.ablation` draws them; missing runs are left out."""
    runs = study["runs"]
    rows = [{"name": ABLATED[name]} | best_of(runs[name]) for name in ABLATED if name in runs]
    ours = runs["ours"]
    rows.append({"name": "no flip averaging"} | {n: ours["unflipped"][n] for n in SHOWN[:2]})
    rows.append({"name": "no logit adjustment", SHOWN[2]: ours["sharpened"][SHOWN[2]]})
    seeds = [best_of(runs[name]) for name in SEEDS["ours"] if name in runs]
    return rows, {metric: [run[metric] for run in seeds] for metric in SHOWN}


def verdicts(study: dict, metric: str) -> tuple[list, list]:
    """(what matters, what does not): (name, difference) pairs, the largest difference first.

    What does not: the difference from the mean of ours is smaller than twice the standard deviation
    of ours over its seeds.
    """
    rows, spread = ablation(study)
    ours = np.array(spread[metric])
    limit = 2 * ours.std(ddof=1)
    found = [(row["name"], row[metric] - ours.mean()) for row in rows if metric in row]
    found.sort(key=lambda pair: -abs(pair[1]))
    matters = [pair for pair in found if abs(pair[1]) > limit]
    return matters, [pair for pair in found if abs(pair[1]) <= limit]


def seeds(study: dict) -> str:
    """A Markdown table of the recipes that ran from three seeds: mean, and lowest to highest."""
    lines = ["| recipe | seeds | " + " | ".join(NAMES[name] for name in SHOWN) + " |"]
    lines.append("| --- | ---: |" + " ---: |" * 3)
    for title, names in SEEDS.items():
        runs = [best_of(study["runs"][name]) for name in names if name in study["runs"]]
        cells = []
        for name in SHOWN:
            digits = DIGITS.get(name, 4)
            numbers = [run[name] for run in runs]
            ends = f"{min(numbers):.{digits}f} to {max(numbers):.{digits}f}"
            cells.append(f"{np.mean(numbers):.{digits}f} ({ends})")
        lines.append(f"| {title} | {len(runs)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gap(study: dict, metric: str) -> dict:
    """Ours against regression: the difference of the means, and its standard error over seeds."""
    sets = [
        np.array([best_of(study["runs"][name])[metric] for name in names])
        for names in SEEDS.values()
    ]
    error = np.sqrt(sum(x.var(ddof=1) / len(x) for x in sets))
    return {"difference": float(sets[0].mean() - sets[1].mean()), "error": float(error)}


def curves(study: dict) -> list[dict]:
    """Panels for `study_charts.scaling`: PSNR against images, epochs and weights, with the fits."""
    runs = study["runs"]
    counts = {name: RUNS[name]["count"] for name in runs if "count" in RUNS.get(name, {})}
    counts["ours"] = IMAGES
    epochs = {
        name: RUNS[name].get("epochs", 4)
        for name in runs
        if name == "ours" or [*RUNS.get(name, {})] == ["epochs"]
    }
    weights = {
        name: sum(p.numel() for p in build(settings(name))[0].parameters())
        for name in runs
        if name == "ours" or [*RUNS.get(name, {})] == ["widths"]
    }
    panels = []
    for name, found in (
        ("training images", counts),
        ("epochs of 45,000 images", epochs),
        ("weights", weights),
    ):
        pairs = sorted((x, runs[run]["mean"]["psnr"]) for run, x in found.items())
        x, y = zip(*pairs, strict=True)
        fit = scaling.saturating(x, y)
        label = f"{fit['best']:.2f} − {fit['loss']:.3g} x^−{fit['power']:.2f}"
        panels.append({"name": name, "x": x, "y": y, "numbers": fit, "label": label})
        panels[-1]["fit"] = lambda at, fit=fit: scaling.at(fit, at)
    if "shipped" in study:  # 36 epochs, given value as well: it took no part in the fit
        panels[1]["check"] = [(36, study["shipped"]["mean"]["psnr"])]
    return panels
