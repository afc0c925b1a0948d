"""What notebook 3 shows of an evaluation: tables, sentences and figures.

`images` are uint8 (N, H, W, 3); the figures colour them with luma as input.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from colorlib.color import luma, rgb_to_hsv
from colorlib.data import to_images, to_tensor
from colorlib.datasets.arrays import Labels
from colorlib.decoding import setting_at
from colorlib.metrics import MAX_AB, NAMES, ab_distances, evaluate, mean_ab_error, psnr
from colorlib.model import ColorNet, colorize
from colorlib.report import store, tables
from colorlib.report.charts import TRADED
from colorlib.report.evaluation import VIVIDNESS, grey
from colorlib.report.pictures import grey_images, hue_bar, image_grid
from colorlib.report.style import COLUMN, OTHER, OURS, PAGE, TRUTH, headline
from colorlib.report.tables import difference, find_row, markdown_table, number

GAINS = ("psnr", "raw_auc", "rebalanced_auc")
COMMITTED = {  # title -> result on file of the `cifar` weights, in the table of gains
    "CIFAR-100, value": "cifar-value",
    "CIFAR-100, luma": "cifar-luma",
    "the same without near-duplicates, luma": "cifar-luma-without-duplicates",
    "other photographs at 32 pixels, luma": "cifar-luma-photos-test-1000",
}


def by_hand(predicted: Tensor, truth: Tensor, **values: Tensor) -> str:
    """Metrics that a notebook computed beside those of `cl.evaluate`, a Markdown table."""
    found = evaluate(predicted, truth)
    rows = [[NAMES[m], number(float(value), m), number(found[m], m)] for m, value in values.items()]
    return markdown_table(["metric", "by hand", "cl.evaluate"], rows)


def explained(result: dict) -> str:
    """The table of a result, and what raw AuC and colourfulness mean there."""
    ours = find_row(result, "ours", 0)
    away, baseline = (MAX_AB * (1 - row["raw_auc"]) for row in (ours, result["rows"][0]))
    return (
        f"{tables.result_table(result)}\n\nA raw AuC of {ours['raw_auc']:.4f} means: our colour is "
        f"{away:.1f} ab units off on average ({MAX_AB:.0f} × (1 − {ours['raw_auc']:.4f})). Grey is "
        f"{baseline:.1f} off. Our pictures are {ours['colourfulness_ratio']:.0%} as colourful as "
        "the true ones (vividness 0)."
    )


def gains(*measured: dict) -> str:
    """What ours gains over grey at vividness 0, with 95 % intervals: a row a result, Markdown.

    The results are those measured here, then those on file; a sentence on other photographs and
    the part of near-duplicates follows.
    """
    results = {f"measured here, {result['config']['given']}": result for result in measured}
    results |= {title: store.load_result(name, committed=True) for title, name in COMMITTED.items()}
    rows = []
    for title, result in results.items():
        gray, ours = result["rows"][0], find_row(result, "ours", 0)
        gained = [difference(ours, gray, metric) for metric in GAINS]
        count = f"{result['data']['count']:,}"
        rows.append([title, count, number(gray["psnr"], "psnr"), *gained])
    header = ["test images, input", "images", "grey: PSNR, dB"]
    header += [f"gain: {NAMES[metric]}" for metric in GAINS]
    whole, rest, others = (row[3] for row in rows[-3:])
    counts = [result["data"]["count"] for result in results.values()][-3:]
    return (
        f"{markdown_table(header, rows)}\n\nOn {counts[2]:,} photographs of another collection, "
        f"shrunk to 32 pixels, the gain over their own grey is {others}. On CIFAR-100's test split "
        f"it is {whole}; but {counts[0] - counts[1]:,} of these test images have a near-duplicate "
        f"in the training set, and without them it is {rest} (intervals: 95 %)."
    )


def schedule_table(model: ColorNet) -> str:
    """The decoding setting at each vividness for luma, a Markdown table."""
    rows = [[f"{v:g}", *(f"{x:.2f}" for x in setting_at(model, v, "luma"))] for v in VIVIDNESS]
    return markdown_table(["vividness", "α", "temperature T"], rows)


def colored(
    model: ColorNet, images: np.ndarray, vividness: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """The true, the grey and the predicted RGB (N, 3, H, W) of images, luma as input."""
    truth = to_tensor(images)
    gray = luma(truth)
    return truth, grey(gray), colorize(model, gray, "luma", vividness)


def levels(model: ColorNet, images: np.ndarray, note: str = "") -> Figure:
    """The input, five settings of vividness with their mean error, and the truth."""
    rows, labels = [grey_images(luma(to_tensor(images)))], ["input"]
    for vividness in VIVIDNESS:
        truth, _, made = colored(model, images, vividness)
        rows.append(to_images(made))
        labels.append(f"vividness {vividness:g}\nab error {mean_ab_error(made, truth).mean():.1f}")
    rows, labels = [*rows, images], [*labels, "truth"]
    fig = image_grid(rows, [""] * len(images), labels, 0.8 * PAGE)
    return headline(fig, "From cautious colours (vividness 0) to bold ones (1)", note)


def trade_off(result_name: str = "cifar-luma") -> Figure:
    """A result on file: raw against rebalanced AuC, and PSNR against colourfulness."""
    result = store.load_result(result_name, committed=True)
    curve = tables.vividness_rows(result)
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 2.5))
    for axis, (x, y) in zip(axes, TRADED, strict=True):
        points = [row[x] for row in curve], [row[y] for row in curve]
        axis.plot(*points, "o-", ms=3, color=OURS, label="ours")
        for row in curve:
            axis.annotate(f"{row['vividness']:g}", (row[x], row[y]), (4, 4),
                          textcoords="offset points", fontsize=6, color=OURS)  # fmt: skip
        for row, marker in zip(result["rows"], "os", strict=False):
            axis.plot(row[x], row[y], marker, color=TRUTH, mfc="none", label=tables.title(row))
        axis.set(xlabel=NAMES[x], ylabel=NAMES[y])
        axis.margins(0.15)
        axis.locator_params(axis="x", nbins=5)
    axes[0].legend(loc="center left")
    note = f"numbers: vividness; {tables.caption(result)}"
    return headline(fig, "Vividness trades faithfulness for rare colours", note)


def side_by_side(left: tuple, right: tuple) -> Figure:
    """Two groups of images, a gap between; each is (titles, true, grey and predicted RGB)."""
    titles = [*left[0], "", *right[0]]
    truth, gray, made = (
        [*to_images(a), None, *to_images(b)] for a, b in zip(left[1:], right[1:], strict=True)
    )
    return image_grid([gray, made, truth], titles, ["input", "ours", "truth"])


def seen_unseen(model: ColorNet, train: np.ndarray, test: np.ndarray, note: str = "") -> Figure:
    """The three most colourful of the first 100 images of both splits, and the PSNR of each."""
    groups = []
    for name, images in (("train", train[:100]), ("test", test[:100])):
        saturated = (images.max(-1) - images.min(-1).astype(float)).mean((1, 2))
        truth, gray, made = colored(model, images[np.argsort(-saturated)[:3]])
        titles = [f"{name}, {value:.1f} dB" for value in psnr(made, truth)]
        groups.append((titles, truth, gray, made))
    return headline(
        side_by_side(*groups),
        "Errors of the same kind on training images (left) and test images (right)",
        note,
    )


def seen_unseen_summary(model: ColorNet, train: np.ndarray, test: np.ndarray) -> str:
    """A sentence: the gain over grey on training and on test images, and whether they differ."""
    gained = []
    for images in (train, test):
        truth, gray, made = colored(model, images)
        gained.append((psnr(made, truth) - psnr(gray, truth)).double())
    off = (gained[0].mean() - gained[1].mean()).item()
    half = 1.96 * sum(gain.var() / len(gain) for gain in gained).sqrt().item()
    verdict = (
        "more than chance explains: the network has memorised a part of its training images"
        if abs(off) > half
        else "no more than chance explains"
    )
    return (
        f"The gain over grey is {gained[0].mean():.2f} dB on {len(train):,} training images and "
        f"{gained[1].mean():.2f} dB on {len(test):,} test images. The difference of {off:.2f} ± "
        f"{half:.2f} dB (95 %) is {verdict}."
    )


def best_worst(model: ColorNet, images: np.ndarray, count: int = 6, note: str = "") -> Figure:
    """The images with the smallest and the largest mean ab error, and the error of each."""
    truth, gray, made = colored(model, images)
    errors = mean_ab_error(made, truth)
    order = errors.argsort()
    fig = side_by_side(*(
        ([f"{error:.1f}" for error in errors[part]], truth[part], gray[part], made[part])
        for part in (order[:count], order[-count:])
    ))  # fmt: skip
    for axis in (axis for axis in fig.axes if axis.images):
        axis.spines[:].set(visible=True, color="#bbbbbb", lw=0.5)  # white pictures on white
    return headline(
        fig,
        "Smallest errors: things with little colour (left); largest: strong colours (right)",
        note,
    )


def group_means(values: Tensor, groups: np.ndarray | Tensor, count: int) -> np.ndarray:
    """The mean (count,) of the values (N,) of each group, numbered (N,); NaN of an empty group."""
    from scipy.stats import binned_statistic

    return binned_statistic(groups, values, bins=np.arange(count + 1)).statistic


def classes(model: ColorNet, images: np.ndarray, labels: Labels, count: int = 8) -> Figure:
    """Three rankings of the classes: smallest error, largest error, and largest gain over grey."""
    truth, gray, made = colored(model, images)
    ours, baseline = (
        group_means(mean_ab_error(rgb, truth), labels[0], len(labels[1])) for rgb in (made, gray)
    )
    filled = np.flatnonzero(np.isfinite(ours))  # the classes that have images
    by_error, by_gain = (filled[np.argsort(x[filled])] for x in (ours, ours - baseline))
    rankings = {"smallest error": by_error, "largest error": by_error[::-1]}
    rankings["largest gain over grey"] = by_gain
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.4), sharex=True)
    for axis, (heading, order) in zip(axes, rankings.items(), strict=True):
        chosen, place = order[:count], np.arange(min(count, len(order)))
        axis.plot(baseline[chosen], place, "|", color=TRUTH, ms=9, mew=1.5, label="grey")
        axis.barh(place, ours[chosen], color=OURS, height=0.6, label="ours")
        axis.set_yticks(place, [labels[1][i].replace("_", " ") for i in chosen])
        axis.invert_yaxis()
        axis.set(title=heading, xlabel="ab error, Lab units")
    axes[0].legend(loc="lower right")
    helped = (ours < baseline)[filled].sum()
    return headline(fig, f"Our colours are closer than grey in {helped} of {len(filled)} classes")


def by_hue(predicted: Tensor, truth: Tensor, bins: int = 24) -> np.ndarray:
    """Mean ab error (bins,) by true hue, of pixels of a saturation above 0.2; NaN for none."""
    hue, saturation, _ = rgb_to_hsv(truth).unbind(1)
    colourful = saturation > 0.2
    numbers = (hue[colourful] * bins).long()
    return group_means(ab_distances(predicted, truth)[colourful], numbers, bins)


def hues(model: ColorNet, images: np.ndarray, note: str = "") -> Figure:
    """Mean ab error against the true hue: ours at vividness 0 and 1, and grey."""
    (truth, gray, made), (_, _, vivid) = (colored(model, images, v) for v in (0.0, 1.0))
    ours, baseline, bold = (by_hue(rgb, truth) for rgb in (made, gray, vivid))
    centres = (np.arange(len(ours)) + 0.5) / len(ours)
    fig, axis = plt.subplots(figsize=(COLUMN, 2.6))
    axis.plot(centres, ours, "-", color=OURS, label="vividness 0")
    axis.plot(centres, baseline, "--", color=TRUTH, label="grey")
    axis.plot(centres, bold, ":", color=OTHER, label="vividness 1")
    axis.fill_between(centres, ours, baseline, where=ours < baseline, color=OURS, alpha=0.15, lw=0)
    top = 1.1 * np.nanmax((ours, baseline, bold))
    axis.imshow(hue_bar(), extent=(0, 1, -0.06 * top, 0), aspect="auto")
    axis.set(xlim=(0, 1), ylim=(-0.06 * top, top), xlabel="true hue, turns")
    axis.set_ylabel("mean ab error, Lab units")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 0.1), ncols=3, columnspacing=1)
    filled = np.isfinite(baseline).sum()
    return headline(fig, f"Closer than grey at {(ours < baseline).sum()} of {filled} hues", note)
