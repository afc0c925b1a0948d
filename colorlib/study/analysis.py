"""What the result `study` says: what each change does, whether a seed could do it, what size does.

Every function takes the result; runs that are missing are left out.
"""

import numpy as np
from scipy import stats

from colorlib.metrics import NAMES
from colorlib.recipes import build
from colorlib.report.tables import caption, cells, markdown_table, number, short_title, signed
from colorlib.study.runs import EPOCHS, IMAGES, RUNS, run_config

SHOWN = ("psnr", "raw_auc", "rebalanced_auc")
GROUPS = ("ours", "loss", "decoding", "training", "network", "size")  # in the order of the table
SEEDS = [key for key, run in RUNS.items() if run.group == "ours"]
SIZES = {  # field of Config -> what its panel is called
    "count": "training images",
    "epochs": "epochs of 45,000 images",
    "widths": "weights of the network",
}


def best_of(run: dict) -> dict:
    """PSNR and raw AuC of a run's mean colour, rebalanced AuC at its most vivid useful one."""
    vivid = run.get("adjusted", run["mean"])
    return {name: run["mean"][name] for name in SHOWN[:2]} | {SHOWN[2]: vivid[SHOWN[2]]}


def runs_table(study: dict) -> str:
    """A Markdown table of every run, by group and the best PSNR first."""
    runs = study["runs"]
    found = [(run, runs[key]) for key, run in RUNS.items() if key in runs]
    found.sort(key=lambda pair: (GROUPS.index(pair[0].group), -pair[1]["mean"]["psnr"]))
    rows = [[run.group, run.title, *cells(best_of(kept), SHOWN)] for run, kept in found]
    header = ["group", "run", *(NAMES[name] for name in SHOWN)]
    grey = ", ".join(f"{NAMES[m]} {number(runs['ours']['grey'][m], m)}" for m in SHOWN)
    return f"{markdown_table(header, rows, 'llrrr')}\n\n*{caption(study)}. Grey: {grey}.*"


def ablation(study: dict) -> list[dict]:
    """What each change does: rows of "title", "group" and {metric: (difference, limit)}.

    difference: from the mean of ours over its seeds. limit: the largest that another seed alone
    explains, at 95 %: for one run a prediction interval (Student's t), for another decoding of the
    same networks the interval of the paired differences. By group, the largest loss first.
    """
    runs, vivid = study["runs"], SHOWN[2]
    seeds = [runs[key] for key in SEEDS if key in runs]
    t = stats.t.ppf(0.975, len(seeds) - 1)
    band = {}
    for metric in SHOWN:
        values = np.array([best_of(run)[metric] for run in seeds])
        limit = t * values.std(ddof=1) * np.sqrt(1 + 1 / len(values))
        band[metric] = values.mean(), limit
    rows = [
        {"title": run.title, "group": run.group}
        | {m: (best_of(runs[key])[m] - mean, limit) for m, (mean, limit) in band.items()}
        for key, run in RUNS.items()
        if key in runs and run.group not in ("ours", "size")
    ]
    change = [run["sharpened"][vivid] - run["adjusted"][vivid] for run in seeds]
    rows.append({"title": "no logit adjustment", "group": "decoding",  # the mean stays as it is
                 vivid: (float(np.mean(change)), t * stats.sem(change))})  # fmt: skip
    return sorted(rows, key=lambda row: (GROUPS.index(row["group"]), row[vivid][0]))


def ablation_summary(study: dict) -> str:
    """Markdown: what our seeds reach, and per metric the changes outside and inside the band."""
    runs, spans, lines = study["runs"], [], []
    for metric in SHOWN:
        seeds = [best_of(runs[key])[metric] for key in SEEDS if key in runs]
        low, high = (number(value, metric) for value in (min(seeds), max(seeds)))
        unit = " dB" if metric == "psnr" else ""
        spans.append(f"{short_title(metric)} {low} to {high}{unit}")
        found = [(*row[metric], row["title"]) for row in ablation(study) if metric in row]
        outside, inside = (
            "; ".join(f"{title} {signed(off, metric)}" for off, limit, title in sorted(found)
                      if (abs(off) > limit) == far) or "nothing"
            for far in (True, False)
        )  # fmt: skip
        lines.append(f"- **{NAMES[metric]}.** Outside the band: {outside}. Inside it: {inside}.")
    return "\n".join([f"{len(seeds)} seeds of our recipe reach {'; '.join(spans)}.", "", *lines])


def size_of(key: str, field: str) -> int:
    """The size of a run: its training images, its epochs, or the weights of its network."""
    if field == "widths":
        return sum(weights.numel() for weights in build(run_config(key))[0].parameters())
    return ({"count": IMAGES, "epochs": EPOCHS} | RUNS[key].changed)[field]


def scaling(study: dict) -> list[dict]:
    """PSNR against images, epochs and weights: "name", "x", "y", and "gain", dB a doubling."""
    runs, panels = study["runs"], []
    for field, name in SIZES.items():
        resized = (key for key, run in RUNS.items() if run.group == "size" and field in run.changed)
        keys = [key for key in ("ours", *resized) if key in runs]
        if len(keys) > 1:
            points = sorted((size_of(key, field), runs[key]["mean"]["psnr"]) for key in keys)
            x, y = zip(*points, strict=True)
            gain = float(np.polyfit(np.log2(x), y, 1)[0])
            panels.append({"name": name, "x": x, "y": y, "gain": gain})
    return panels


def scaling_summary(study: dict) -> str:
    """A sentence: what a doubling of images, of epochs and of weights brings."""
    gains = [f"of {panel['name']} {signed(panel['gain'], 'psnr')}" for panel in scaling(study)]
    return f"Each doubling brings, on average over the range: {'; '.join(gains)}."
