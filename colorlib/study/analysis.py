"""What the result `study` says: what each change does, whether a seed could do it, what size does.

Every function takes the result; runs that are missing are left out.
"""

import numpy as np
from scipy import stats

from colorlib.metrics import NAMES
from colorlib.recipes import build
from colorlib.report.tables import caption, cells, markdown_table, number
from colorlib.study.runs import EPOCHS, IMAGES, RUNS, run_config

SHOWN = ("psnr", "raw_auc", "rebalanced_auc")
GROUPS = ("ours", "loss", "decoding", "training", "network", "size")  # in the order of the table
SEEDS = [key for key, run in RUNS.items() if run.group == "ours"]
REDECODED = ("sharpened", "decoding", "no logit adjustment")  # key, group, title; of our networks


def best_of(run: dict) -> dict:
    """PSNR and raw AuC of a run's mean colour, rebalanced AuC at its most vivid useful one."""
    vivid = run.get("adjusted", run["mean"])
    return {name: run["mean"][name] for name in SHOWN[:2]} | {SHOWN[2]: vivid[SHOWN[2]]}


def runs_table(study: dict) -> str:
    """A Markdown table of every run, by group and the best PSNR first."""
    found = [(run, study["runs"][key]) for key, run in RUNS.items() if key in study["runs"]]
    found.sort(key=lambda pair: (GROUPS.index(pair[0].group), -pair[1]["mean"]["psnr"]))
    rows = [
        [run.group, run.title, f"{kept['history']['seconds'] / 60:.1f}",
         *cells(best_of(kept), SHOWN)]
        for run, kept in found
    ]  # fmt: skip
    header = ["group", "run", "minutes", *(NAMES[name] for name in SHOWN)]
    grey = ", ".join(f"{NAMES[m]} {number(study['runs']['ours']['grey'][m], m)}" for m in SHOWN)
    return f"{markdown_table(header, rows, 'llrrrr')}\n\n*{caption(study)}. Grey: {grey}.*"


def ablation(study: dict) -> list[dict]:
    """What each change does: rows of "title", "group" and {metric: (difference, limit)}.

    difference: from the mean of ours over its seeds. limit: the largest that another seed alone
    explains, at 95 %: for one run a prediction interval (Student's t), for another decoding of the
    same networks the interval of the paired differences. By group, the largest loss first.
    """
    runs = study["runs"]
    ours = [best_of(runs[key]) for key in SEEDS if key in runs]
    t = stats.t.ppf(0.975, len(ours) - 1)
    rows = []
    for key, (group, title, _) in RUNS.items():
        if key not in runs or group in ("ours", "size"):
            continue
        row = {"title": title, "group": group}
        for metric in SHOWN:
            values = np.array([run[metric] for run in ours])
            limit = t * values.std(ddof=1) * np.sqrt(1 + 1 / len(values))
            row[metric] = best_of(runs[key])[metric] - values.mean(), limit
        rows.append(row)
    key, group, title = REDECODED
    metric = SHOWN[2]  # a network's mean colour, and so the other two, stay as they are
    change = [runs[k][key][metric] - runs[k]["adjusted"][metric] for k in SEEDS if k in runs]
    limit = t * stats.sem(change)
    rows.append({"title": title, "group": group, metric: (float(np.mean(change)), limit)})
    return sorted(rows, key=lambda row: (GROUPS.index(row["group"]), row[metric][0]))


def ablation_summary(study: dict) -> str:
    """Markdown: what our seeds reach, and per metric the changes outside and inside the band."""
    lines = []
    for metric in SHOWN:
        outside, inside = [], []
        for row in sorted(ablation(study), key=lambda row: row.get(metric, (0,))[0]):
            if metric in row:
                off, limit = row[metric]
                text = f"{row['title']} {signed(off, metric)}"
                (outside if abs(off) > limit else inside).append(text)
        lines.append(
            f"- **{NAMES[metric]}.** Outside the band: {'; '.join(outside) or 'nothing'}. "
            f"Inside it: {'; '.join(inside) or 'nothing'}."
        )
    ours = [best_of(study["runs"][key]) for key in SEEDS if key in study["runs"]]
    spans = [
        f"{NAMES[m]} {' to '.join(number(of(r[m] for r in ours), m) for of in (min, max))}"
        for m in SHOWN
    ]
    return "\n".join([f"{len(ours)} seeds of our recipe reach {'; '.join(spans)}.", "", *lines])


def signed(value: float, metric: str) -> str:
    """A difference with its sign, a true minus, as many digits as tables print, and the unit."""
    text = ("+" if value >= 0 else "−") + number(abs(value), metric)
    return f"{text} dB" if metric == "psnr" else text


def scaling(study: dict) -> list[dict]:
    """PSNR against images, epochs and weights: "name", "x", "y", and "gain", dB a doubling."""
    runs = study["runs"]
    panels = []
    for field, name, ours in (
        ("count", "training images", IMAGES),
        ("epochs", "epochs of 45,000 images", EPOCHS),
        ("widths", "weights of the network", None),
    ):
        sizes = {"ours": ours} | {k: r.changed[field] for k, r in RUNS.items()
                                  if r.group == "size" and field in r.changed}  # fmt: skip
        if field == "widths":
            sizes = {k: sum(p.numel() for p in build(run_config(k))[0].parameters()) for k in sizes}
        pairs = sorted((x, runs[k]["mean"]["psnr"]) for k, x in sizes.items() if k in runs)
        x, y = zip(*pairs, strict=True)
        gain = np.polyfit(np.log2(x), y, 1)[0] if len(x) > 1 else float("nan")
        panels.append({"name": name, "x": x, "y": y, "gain": float(gain)})
    return panels


def scaling_summary(study: dict) -> str:
    """A sentence: what a doubling of images, of epochs and of weights brings."""
    gains = [f"of {p['name']} {signed(p['gain'], 'psnr')}" for p in scaling(study)
             if len(p["x"]) > 1]  # fmt: skip
    return f"Each doubling brings, on average over the range: {'; '.join(gains)}."
