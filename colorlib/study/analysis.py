"""What the result `study` says: the runs, what each change does, seeds, and how it scales."""

import numpy as np
from scipy import stats

from colorlib.metrics import NAMES
from colorlib.recipes import build
from colorlib.report.tables import cells, markdown_table
from colorlib.study import log_fit
from colorlib.study.charts import SHOWN
from colorlib.study.runs import EPOCHS, IMAGES, LONG, RUNS, TITLES, run_config

SEEDS = {
    "ours": ("ours", "ours-seed-1", "ours-seed-2"),
    "regression": ("regression", "regression-seed-1", "regression-seed-2"),
}
SEED_TITLES = {"ours": "ours", "regression": "chroma regression"}
ABLATED = {  # what the figure calls a change
    "regression": "one colour, not a distribution",
    "original": "hue and saturation, raw",
    "hard": "hard targets",
    "unweighted": "no weight by value",
    "no-muon": "AdamW alone, no Muon",
    "no-shift": "images not moved",
    "both-inputs": "one set of weights for value and luma",
    "averaged": "moving average of weights (EMA)",
    "full-resolution": "full resolution, equal time",
    "bf16": "16-bit products (bfloat16)",
    "mirrored": "averaged over the mirror image",
    "sharpened": "no logit adjustment",
}
REDECODED = (("mirrored", SHOWN[:2]), ("sharpened", SHOWN[2:]))  # of the same networks


def best_of(run: dict) -> dict:
    """PSNR and raw AuC of a run's mean colour, rebalanced AuC at its most vivid useful one."""
    vivid = run.get("adjusted", run["mean"])
    return {name: run["mean"][name] for name in SHOWN[:2]} | {SHOWN[2]: vivid[SHOWN[2]]}


def runs_table(study: dict) -> str:
    """A Markdown table of every run: what differs from ours, what it took, what it reached."""
    rows = []
    for key, run in study["runs"].items():
        changed = ", ".join(f"{k} {v}" for k, v in RUNS.get(key, {}).items()) or "–"
        minutes = f"{run['history']['seconds'] / 60:.1f}"
        rows.append([TITLES.get(key, key), changed, minutes, *cells(best_of(run), SHOWN)])
    header = ["run", "differs from ours in", "minutes", *(NAMES[name] for name in SHOWN)]
    return markdown_table(header, rows, "llrrrr")


def ablation(study: dict) -> list[dict]:
    """What each change does, for `charts.ablation`: rows with a "key" of `ABLATED`.

    Runs that are missing are left out.

    Each metric's (difference from the mean of ours over its seeds, the largest that chance alone
    explains at 95 %): of a run from one seed by a prediction interval (Student's t), of a recipe of
    several seeds by Welch's, of another decoding of the same networks from the paired differences.
    """
    runs = study["runs"]
    ours = [runs[name] for name in SEEDS["ours"] if name in runs]
    rows = []
    for key in ABLATED:
        found = [runs[seed] for seed in SEEDS.get(key, (key,)) if seed in runs]
        if found:
            numbers = [[best_of(run)[m] for m in SHOWN] for run in (*found, *ours)]
            pairs = [_apart(x[: len(found)], x[len(found) :]) for x in np.transpose(numbers)]
            rows.append({"key": key} | dict(zip(SHOWN, pairs, strict=True)))
    for key, metrics in REDECODED:
        if all(key in run for run in ours):
            off = {m: np.array([run[key][m] - best_of(run)[m] for run in ours]) for m in metrics}
            rows.append({"key": key} | {m: (x.mean(), _half_width(x)) for m, x in off.items()})
    return rows


def _apart(found: np.ndarray, ours: np.ndarray) -> tuple[float, float]:
    """(Difference of the means, half the width of its 95 % interval)."""
    if len(found) == 1:
        width = stats.t.ppf(0.975, len(ours) - 1) * ours.std(ddof=1) * np.sqrt(1 + 1 / len(ours))
        return float(found[0] - ours.mean()), float(width)
    interval = stats.ttest_ind(found, ours, equal_var=False).confidence_interval()
    return float(found.mean() - ours.mean()), float((interval.high - interval.low) / 2)


def _half_width(values: np.ndarray) -> float:
    """Half the width of the 95 % interval of the mean, Student's t."""
    return float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))


def by_significance(study: dict, metric: str) -> tuple[dict[str, float], dict[str, float]]:
    """(changes that matter, changes within chance): key -> difference, the largest first."""
    rows = [(row["key"], *row[metric]) for row in ablation(study) if metric in row]
    rows.sort(key=lambda row: -abs(row[1]))
    matters = {key: off for key, off, limit in rows if abs(off) > limit}
    return matters, {key: off for key, off, limit in rows if abs(off) <= limit}


def seeds_table(study: dict) -> str:
    """A Markdown table of the recipes that ran from three seeds: mean, and lowest to highest."""
    rows = []
    for key, names in SEEDS.items():
        runs = [best_of(study["runs"][name]) for name in names if name in study["runs"]]
        mean, low, high = (
            cells({name: of([run[name] for run in runs]) for name in SHOWN}, SHOWN)
            for of in (np.mean, min, max)
        )
        spread = [f"{m} ({a} to {b})" for m, a, b in zip(mean, low, high, strict=True)]
        rows.append([SEED_TITLES[key], str(len(runs)), *spread])
    return markdown_table(["recipe", "seeds", *(NAMES[name] for name in SHOWN)], rows)


def scaling_panels(study: dict) -> list[dict]:
    """Panels for `charts.scaling`: PSNR against images, epochs and weights, with the fits."""
    runs = study["runs"]

    def only(field: str) -> list[str]:
        """The runs that differ from ours in this field alone, and ours."""
        return [key for key in runs if set(RUNS.get(key, {"": 0})) <= {field}]

    counts = {key: RUNS[key].get("count", IMAGES) for key in only("count")}
    epochs = {key: RUNS[key].get("epochs", EPOCHS) for key in only("epochs")}
    weights = {
        key: sum(p.numel() for p in build(run_config(key))[0].parameters())
        for key in only("widths")
    }
    panels = []
    for name, sizes in (
        ("training images", counts),
        ("epochs of 45,000 images", epochs),
        ("weights", weights),
    ):
        pairs = sorted((x, runs[key]["mean"]["psnr"]) for key, x in sizes.items())
        x, y = zip(*pairs, strict=True)
        fit = log_fit.fit_line(x, y)
        label = f"{fit['gain']:+.2f} dB a doubling"
        panels.append({"name": name, "x": x, "y": y, "numbers": fit, "label": label})
        panels[-1]["fit"] = lambda at, fit=fit: log_fit.value_at(fit, at)
    if LONG in runs:
        panels[1]["check"] = [(RUNS[LONG]["epochs"], runs[LONG]["mean"]["psnr"])]
    return panels
