"""What data/results/study.json says: the runs, what each change does, seeds, and how it scales."""

import numpy as np
from scipy import stats

from colorlib.metrics import NAMES
from colorlib.recipes import build
from colorlib.report.tables import cells
from colorlib.study import log_fit
from colorlib.study.charts import SHOWN
from colorlib.study.runs import EPOCHS, IMAGES, LONG, RUNS, settings

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
    "value as well as luma": "one set of weights for value and luma",
    "moving average of the weights": "moving average of weights (EMA)",
    "full resolution, a quarter of the steps": "full resolution, equal time",
    "products of 16-bit numbers": "16-bit products (bfloat16)",
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
        numbers = [f"{run['history']['seconds'] / 60:.1f}", *cells(best_of(run), SHOWN)]
        lines.append(f"| {name} | {changed} | " + " | ".join(numbers) + " |")
    return "\n".join(lines)


def ablation(study: dict) -> list[dict]:
    """What each change does: rows for `charts.ablation`; missing runs are left out.

    Each metric's (difference from the mean of ours over its seeds, the largest that chance alone
    explains at 95 %): of a run from one seed by a prediction interval (Student's t), of a recipe of
    several seeds by Welch's, of another decoding of the same networks from the paired differences.
    """
    runs = study["runs"]
    ours = [runs[name] for name in SEEDS["ours"] if name in runs]
    rows = []
    for name, title in ABLATED.items():
        seeds = next((names for names in SEEDS.values() if names[0] == name), (name,))
        found = [runs[seed] for seed in seeds if seed in runs]
        if found:
            numbers = [[best_of(run)[m] for m in SHOWN] for run in (*found, *ours)]
            pairs = [_apart(x[: len(found)], x[len(found) :]) for x in np.transpose(numbers)]
            rows.append({"name": title} | dict(zip(SHOWN, pairs, strict=True)))
    for title, way, metrics in (
        ("averaged over the mirror image", "mirrored", SHOWN[:2]),
        ("no logit adjustment", "sharpened", SHOWN[2:]),
    ):
        off = {m: np.array([run[way][m] - best_of(run)[m] for run in ours]) for m in metrics}
        rows.append({"name": title} | {m: (x.mean(), _half_width(x)) for m, x in off.items()})
    return rows


def _apart(found, ours) -> tuple[float, float]:
    """(Difference of the means, half the width of its 95 % interval)."""
    found, ours = np.asarray(found), np.asarray(ours)
    if len(found) == 1:
        width = stats.t.ppf(0.975, len(ours) - 1) * ours.std(ddof=1) * np.sqrt(1 + 1 / len(ours))
        return float(found[0] - ours.mean()), float(width)
    interval = stats.ttest_ind(found, ours, equal_var=False).confidence_interval()
    return float(found.mean() - ours.mean()), float((interval.high - interval.low) / 2)


def _half_width(numbers) -> float:
    """Half the width of the 95 % interval of the mean, Student's t."""
    return float(stats.t.ppf(0.975, len(numbers) - 1) * stats.sem(numbers))


def verdicts(study: dict, metric: str) -> tuple[list, list]:
    """(what matters, what chance explains): (name, difference) pairs, the largest first."""
    rows = [(row["name"], *row[metric]) for row in ablation(study) if metric in row]
    rows.sort(key=lambda row: -abs(row[1]))
    matters = [(name, off) for name, off, limit in rows if abs(off) > limit]
    return matters, [(name, off) for name, off, limit in rows if abs(off) <= limit]


def seeds(study: dict) -> str:
    """A Markdown table of the recipes that ran from three seeds: mean, and lowest to highest."""
    lines = ["| recipe | seeds | " + " | ".join(NAMES[name] for name in SHOWN) + " |"]
    lines.append("| --- | ---: |" + " ---: |" * 3)
    for title, names in SEEDS.items():
        runs = [best_of(study["runs"][name]) for name in names if name in study["runs"]]
        mean, low, high = (
            cells({name: of([run[name] for run in runs]) for name in SHOWN}, SHOWN)
            for of in (np.mean, min, max)
        )
        shown = [f"{m} ({a} to {b})" for m, a, b in zip(mean, low, high, strict=True)]
        lines.append(f"| {title} | {len(runs)} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def curves(study: dict) -> list[dict]:
    """Panels for `charts.scaling`: PSNR against images, epochs and weights, with the fits."""
    runs = study["runs"]
    counts = {n: RUNS[n]["count"] for n in runs if [*RUNS.get(n, {})] == ["count"]}
    counts["ours"] = IMAGES
    epochs = {
        name: RUNS[name].get("epochs", EPOCHS)
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
        fit = log_fit.line(x, y)
        label = f"{fit['gain']:+.2f} dB a doubling"
        panels.append({"name": name, "x": x, "y": y, "numbers": fit, "label": label})
        panels[-1]["fit"] = lambda at, fit=fit: log_fit.at(fit, at)
    if LONG in runs:
        panels[1]["check"] = [(RUNS[LONG]["epochs"], runs[LONG]["mean"]["psnr"])]
    return panels
