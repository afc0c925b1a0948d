"""What notebook 3 shows of an evaluation: tables, sentences and figures.

`images` are uint8 (N, H, W, 3); the figures colour them with luma as input.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from colorlib.color import hsv_to_rgb, luma
from colorlib.data import to_images, to_tensor
from colorlib.datasets.arrays import Labels
from colorlib.decoding import setting_at
from colorlib.metrics import MAX_AB, NAMES, evaluate, mean_ab_error, psnr
from colorlib.model import ColorNet, colorize
from colorlib.report import store
from colorlib.report.breakdown import by_class, by_hue
from colorlib.report.evaluation import VIVIDNESS
from colorlib.report.pictures import image_grid
from colorlib.report.style import COLUMN, OTHER, OURS, PAGE, TRUTH, headline
from colorlib.report.tables import (
    caption,
    difference,
    find_row,
    markdown_table,
    number,
    result_table,
    title,
    vividness_rows,
)

GAINS = ("psnr", "raw_auc", "rebalanced_auc")
TRADED = (("raw_auc", "rebalanced_auc"), ("colourfulness", "psnr"))  # across, up: one panel each


def by_hand(predicted: Tensor, truth: Tensor, **values: Tensor) -> str:
    """Metrics that a notebook computed beside those of `cl.evaluate`, a Markdown table."""
    found = evaluate(predicted, truth)
    rows = [[NAMES[m], number(float(value), m), number(found[m], m)] for m, value in values.items()]
    return markdown_table(["metric", "by hand", "cl.evaluate"], rows)


def explained(result: dict) -> str:
    """The table of a result, and what raw AuC and colourfulness mean there."""
    grey, ours = result["rows"][0], find_row(result, "ours", 0)
    away, baseline = (MAX_AB * (1 - row["raw_auc"]) for row in (ours, grey))
    return (
        f"{result_table(result)}\n\nA raw AuC of {ours['raw_auc']:.4f} means: our colour is "
        f"{away:.1f} ab units off on average ({MAX_AB:.0f} × (1 − {ours['raw_auc']:.4f})). Grey is "
        f"{baseline:.1f} off. Our pictures are {ours['colourfulness_ratio']:.0%} as colourful as "
        "the true ones (vividness 0)."
    )


def gains_table(results: Mapping[str, dict]) -> str:
    """What ours gains over grey at vividness 0, with 95 % intervals: a row a result."""
    rows = []
    for name, result in results.items():
        grey, ours = result["rows"][0], find_row(result, "ours", 0)
        gains = [difference(ours, grey, metric).replace("-", "−") for metric in GAINS]
        rows.append([name, f"{result['data']['count']:,}", number(grey["psnr"], "psnr"), *gains])
    header = [
        "test images, input",
        "images",
        "grey: PSNR, dB",
        *(f"gain: {NAMES[m]}" for m in GAINS),
    ]
    return markdown_table(header, rows)


def gains(*measured: dict) -> str:
    """`gains_table` of results measured here, and of those on file of the `cifar` weights."""
    here = {f"measured here, {result['config']['given']}": result for result in measured}
    return f"{gains_table(here | committed_gains())}\n\n{other_photographs()}"


def committed_gains() -> dict[str, dict]:
    """The results on file of the `cifar` weights, for `gains_table`."""
    names = {
        "CIFAR-100, value": "cifar-value",
        "CIFAR-100, luma": "cifar-luma",
        "the same without near-duplicates, luma": "cifar-luma-without-duplicates",
        "other photographs at 32 pixels, luma": "cifar-luma-photos-test-1000",
    }
    return {title: store.load_result(name, committed=True) for title, name in names.items()}


def other_photographs() -> str:
    """A sentence: the gain on other photographs than CIFAR-100's, and near-duplicates' part."""
    results = list(committed_gains().values())[1:]
    whole, rest, others = (
        difference(find_row(r, "ours", 0), r["rows"][0], "psnr").replace("-", "−") for r in results
    )
    doubles = results[0]["data"]["count"] - results[1]["data"]["count"]
    return (
        f"On {results[2]['data']['count']:,} photographs of another collection, shrunk to 32 "
        f"pixels, the gain over their own grey is {others}. On CIFAR-100's test split it is "
        f"{whole}; but {doubles:,} of these test images have a near-duplicate in the training set, "
        f"and without them it is {rest} (intervals: 95 %)."
    )


def schedule_table(model: ColorNet, given: str = "luma") -> str:
    """The decoding setting at each vividness, a Markdown table."""
    rows = [[f"{v:g}", *(f"{x:.2f}" for x in setting_at(model, v, given))] for v in VIVIDNESS]
    return markdown_table(["vividness", "α", "temperature T"], rows)


def grey_images(gray: Tensor) -> np.ndarray:
    return to_images(gray.expand(-1, 3, -1, -1))


def levels(model: ColorNet, images: np.ndarray, note: str = "") -> Figure:
    """The input, five settings of vividness with their mean error, and the truth."""
    truth = to_tensor(images)
    gray = luma(truth)
    rows, labels = [grey_images(gray)], ["input"]
    for vividness in VIVIDNESS:
        made = colorize(model, gray, "luma", vividness)
        rows.append(to_images(made))
        labels.append(f"vividness {vividness:g}\nab error {mean_ab_error(made, truth).mean():.1f}")
    fig = image_grid([*rows, images], [""] * len(images), [*labels, "truth"], 0.8 * PAGE)
    return headline(fig, "From cautious colours (vividness 0) to bold ones (1)", note)


def trade_off(result_name: str = "cifar-luma") -> Figure:
    """A result on file: raw against rebalanced AuC, and PSNR against colourfulness."""
    result = store.load_result(result_name, committed=True)
    points, curve = result["rows"][:2], vividness_rows(result)
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 2.5))
    for axis, (x, y) in zip(axes, TRADED, strict=True):
        axis.plot(
            [r[x] for r in curve], [r[y] for r in curve], "o-", ms=3, color=OURS, label="ours"
        )
        for row in curve:
            axis.annotate(f"{row['vividness']:g}", (row[x], row[y]), (4, 4),
                          textcoords="offset points", fontsize=6, color=OURS)  # fmt: skip
        for row, marker in zip(points, "os", strict=False):
            axis.plot(row[x], row[y], marker, color=TRUTH, mfc="none", label=title(row))
        axis.set(xlabel=NAMES[x], ylabel=NAMES[y])
        axis.margins(0.15)
        axis.locator_params(axis="x", nbins=5)
    axes[0].legend(loc="center left")
    note = f"numbers: vividness; {caption(result)}"
    return headline(fig, "Vividness trades faithfulness for rare colours", note)


def seen_unseen(model: ColorNet, train: np.ndarray, test: np.ndarray, note: str = "") -> Figure:
    """The three most colourful of the first 100 images of both splits, and the PSNR of each."""
    rows, titles = [[], [], []], []
    for name, images in (("train", train[:100]), ("test", test[:100])):
        saturated = (images.max(-1) - images.min(-1).astype(float)).mean((1, 2))
        chosen = images[np.argsort(-saturated)[:3]]
        truth = to_tensor(chosen)
        made = colorize(model, luma(truth), "luma")
        for row, part in zip(
            rows, (grey_images(luma(truth)), to_images(made), chosen), strict=True
        ):
            row += [*part, None]
        titles += [*(f"{name}, {value:.1f} dB" for value in psnr(made, truth)), ""]
    fig = image_grid([row[:-1] for row in rows], titles[:-1], ["input", "ours", "truth"])
    return headline(fig, "Training images (left) and test images (right)", note)


def seen_unseen_summary(model: ColorNet, train: np.ndarray, test: np.ndarray) -> str:
    """A sentence: the gain over grey on training and on test images, and whether they differ."""
    gains = []
    for images in (train, test):
        truth = to_tensor(images)
        made, gray = colorize(model, luma(truth), "luma"), luma(truth).expand(-1, 3, -1, -1)
        gains.append((psnr(made, truth) - psnr(gray, truth)).double())
    off = (gains[0].mean() - gains[1].mean()).item()
    half = 1.96 * sum(gain.var() / len(gain) for gain in gains).sqrt().item()
    verdict = (
        "more than chance explains: the network has memorised a part of its training images"
        if abs(off) > half
        else "no more than chance explains"
    )
    return (
        f"The gain over grey is {gains[0].mean():.2f} dB on {len(train):,} training images and "
        f"{gains[1].mean():.2f} dB on {len(test):,} test images. The difference of {off:.2f} ± "
        f"{half:.2f} dB (95 %) is {verdict}."
    )


def best_worst(model: ColorNet, images: np.ndarray, count: int = 6, note: str = "") -> Figure:
    """The images with the smallest and the largest mean ab error, and the error of each."""
    truth = to_tensor(images)
    made = colorize(model, luma(truth), "luma")
    errors = mean_ab_error(made, truth)
    order = errors.argsort()
    rows: list[list] = [[], [], []]
    titles = []
    for chosen in (order[:count], order[-count:]):
        gray = grey_images(luma(truth[chosen]))
        parts = gray, to_images(made[chosen]), images[chosen.numpy()]
        for row, part in zip(rows, parts, strict=True):
            row += [*part, None]
        titles += [*(f"{error:.1f}" for error in errors[chosen]), ""]
    fig = image_grid([row[:-1] for row in rows], titles[:-1], ["input", "ours", "truth"])
    for axis in (axis for axis in fig.axes if axis.images):
        axis.spines[:].set(visible=True, color="#bbbbbb", lw=0.5)  # white pictures on white
    return headline(fig, "Smallest errors (left) and largest errors (right)", note)


def classes(model: ColorNet, images: np.ndarray, labels: Labels, count: int = 8) -> Figure:
    """Three rankings of the classes: smallest error, largest error, and largest gain over grey."""
    truth = to_tensor(images)
    gray = luma(truth)
    ours, grey = (
        by_class(mean_ab_error(rgb, truth), labels)
        for rgb in (colorize(model, gray, "luma"), gray.expand(-1, 3, -1, -1))
    )
    filled = np.flatnonzero(np.isfinite(ours))  # the classes that have images
    by_error = filled[np.argsort(ours[filled])]
    by_gain = filled[np.argsort((ours - grey)[filled])]
    rankings = {"smallest error": by_error, "largest error": by_error[::-1]}
    rankings["largest gain over grey"] = by_gain
    fig, axes = plt.subplots(1, 3, figsize=(PAGE, 2.4), sharex=True)
    for axis, (heading, order) in zip(axes, rankings.items(), strict=True):
        chosen, place = order[:count], np.arange(min(count, len(order)))
        axis.plot(grey[chosen], place, "|", color=TRUTH, ms=9, mew=1.5, label="grey")
        axis.barh(place, ours[chosen], color=OURS, height=0.6, label="ours")
        axis.set_yticks(place, [labels[1][i].replace("_", " ") for i in chosen])
        axis.invert_yaxis()
        axis.set(title=heading, xlabel="ab error, Lab units")
    axes[0].legend(loc="lower right")
    helped = (ours < grey)[filled].sum()
    return headline(fig, f"Our colours are closer than grey in {helped} of {len(filled)} classes")


def hues(model: ColorNet, images: np.ndarray, note: str = "") -> Figure:
    """Mean ab error against the true hue: ours at vividness 0 and 1, and grey."""
    truth = to_tensor(images)
    gray = luma(truth)
    systems = {"vividness 0": colorize(model, gray, "luma"), "grey": gray.expand(-1, 3, -1, -1),
               "vividness 1": colorize(model, gray, "luma", 1.0)}  # fmt: skip
    centres, curves = by_hue(systems, truth)
    fig, axis = plt.subplots(figsize=(COLUMN, 2.6))
    styles = zip(curves.items(), ("-", "--", ":"), (OURS, TRUTH, OTHER), strict=True)
    for (name, curve), line, colour in styles:
        axis.plot(centres, curve, line, color=colour, label=name)
    axis.fill_between(centres, curves["vividness 0"], curves["grey"], color=OURS, alpha=0.15, lw=0,
                      where=curves["vividness 0"] < curves["grey"])  # fmt: skip
    ramp = torch.stack((torch.linspace(0, 1, 256), torch.ones(256), torch.ones(256)))
    top = 1.1 * max(np.nanmax(curve) for curve in curves.values())
    bar = to_images(hsv_to_rgb(ramp[:, None])[None])[0]
    axis.imshow(bar, extent=(0, 1, -0.06 * top, 0), aspect="auto")
    axis.set(xlim=(0, 1), ylim=(-0.06 * top, top), xlabel="true hue, turns")
    axis.set_ylabel("mean ab error, Lab units")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 0.1), ncols=3, columnspacing=1)
    better = (curves["vividness 0"] < curves["grey"]).sum()
    filled = np.isfinite(curves["grey"]).sum()
    return headline(fig, f"Closer than grey at {better} of {filled} hues", note)
