"""The figures of notebook 4: rows of photographs, PSNR against PSNR, what hints bring.

A function returns None where its pictures are not in the data root; `show` then shows the figure of
the repository.
"""

import io
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from torch import Tensor

from colorlib import paths, peers
from colorlib.color import luma
from colorlib.compare.published import APART, CHOSEN, MAIN, pictures, setting_key
from colorlib.data import describe, load_images, resolve, slug, to_images, to_tensor
from colorlib.model import ColorNet, colorize
from colorlib.peers import original
from colorlib.photos.colorize_photo import colorize_photo, network
from colorlib.report import store
from colorlib.report.style import COLUMN, OTHER, OURS, PAGE, TRUTH, headline
from colorlib.report.tables import TITLES, title

SHOWN = (0.0, 0.5)  # vividness of ours in the rows of photographs
MOST, RANDOM = 3, 2  # rows of our best and of our worst; rows drawn at random
SIDE = 256  # pixels of the shorter side of a picture
DPI, PRINTED = 180, 300  # of a figure of pictures in the notebook, and on file
QUALITY = {DPI: 62, PRINTED: 80}  # of its JPEGs
DEOLDIFY = ("deoldify-stable", "deoldify-artistic", "ddcolor")  # they coloured the same photographs


def show(name: str, fig: Figure | None, caption: str = "") -> None:
    """Save a figure of pictures and display it, the caption below; without one, the repository's.

    Photographs compress badly: the PNG has half the resolution, and the PDF is made of a JPEG.
    """
    from IPython.display import Image as Shown
    from IPython.display import Markdown, display

    committed = paths.REPOSITORY / "figures" / f"{name}.png"
    if fig is None and not committed.is_file():
        print(f"{name}: the pictures are not in the data root.")
        return
    if fig is None:
        caption = f"*The pictures are not here: this is the repository's figure.* {caption}"
        image = Image.open(committed).convert("RGB")
    else:
        drawn = io.BytesIO()
        fig.savefig(drawn, format="png", dpi=PRINTED)
        plt.close(fig)
        image = Image.open(drawn).convert("RGB")
        with paths.replacing(paths.figures() / f"{name}.png") as part:
            image.reduce(2).save(part, "png", dpi=(PRINTED / 2, PRINTED / 2), optimize=True)
        with paths.replacing(paths.figures() / f"{name}.pdf") as part:
            dates = {"creationDate": None, "modDate": None}  # the same bytes at every run
            image.save(part, "pdf", resolution=PRINTED, quality=QUALITY[PRINTED], **dates)
        image.thumbnail([side * DPI / PRINTED for side in image.size])
    written = io.BytesIO()
    image.save(written, "jpeg", quality=QUALITY[DPI])
    display(Shown(written.getvalue(), format="jpeg"))
    if caption:
        display(Markdown(caption))


def picture_rows(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    labels: Sequence[str] = (),
    texts: Sequence[Sequence[str]] = (),
    width: float = PAGE,
    note: str = "",
) -> Figure:
    """Rows of pictures, uint8 (H, W, 3) of one shape: titles above, labels left, texts inside."""
    longest = max((len(line) for text in labels for line in text.split("\n")), default=0)
    beside = 0.1 + 0.065 * longest if labels else 0
    cell, shape = (width - beside) / len(titles), rows[0][0].shape
    above = 0.15 + 0.135 * (1 + max(text.count("\n") for text in titles)) + 0.14 * bool(note)
    size = (width, len(rows) * cell * shape[0] / shape[1] + above)
    fig, axes = plt.subplots(len(rows), len(titles), figsize=size, squeeze=False)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            axes[i, j].imshow(picture)
            axes[i, j].set(xticks=[], yticks=[])
            axes[i, j].spines[:].set_visible(False)
            if texts and texts[i][j]:
                box = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.8}
                place = {"transform": axes[i, j].transAxes, "va": "bottom", "bbox": box}
                axes[i, j].text(0.02, 0.02, texts[i][j], fontsize=6, **place)
        if labels:
            axes[i, 0].set_ylabel(labels[i], rotation=0, ha="right", va="center", fontsize=7)
    for axis, text in zip(axes[0], titles, strict=True):
        axis.set_title(text)
    if note:
        fig.supxlabel(note, fontsize=6, color="gray")
    left = 0.02 if labels else 0  # the layout gives labels a little less room than they take
    pads = {"w_pad": 0.012, "h_pad": 0.025, "wspace": 0.005, "hspace": 0.005}
    fig.get_layout_engine().set(**pads, rect=(left, 0, 1 - left, 1))
    return fig


def cut(picture: Image.Image | np.ndarray | Tensor, shape: tuple[int, int] = (1, 1)) -> np.ndarray:
    """The middle of a picture, width to height as `shape`, as uint8 with a short side of `SIDE`.

    picture: a Pillow image, uint8 (H, W, 3), or RGB (1, 3, H, W) in [0, 1].
    """
    if isinstance(picture, Tensor):
        picture = to_images(picture)[0]
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    size = tuple(round(SIDE * side / min(shape)) for side in shape)
    return np.asarray(ImageOps.fit(image.convert("RGB"), size, Image.Resampling.LANCZOS))


# the published benchmark


def column_title(key: str) -> str:
    """The title of a column of `pictures`, on two lines where it is long."""
    if key.startswith("ours-"):
        key = title({"system": "ours", "vividness": float(key.removeprefix("ours-"))})
    return TITLES.get(key, key).replace(", ", ",\n").replace("DeOldify ", "DeOldify\n")


def scatter(result: dict, vividness: float = 0.0) -> Figure:
    """PSNR of ours against that of each published system, one dot a photograph.

    result: of `measure_published`. Classes that were chosen by result have a panel of their own.
    Raises ValueError if the result does not hold that vividness.
    """
    key = setting_key(vividness)
    if key not in result["photographs"][0]["psnr"]:
        known = ", ".join(name for name in result["photographs"][0]["psnr"] if "ours" in name)
        raise ValueError(f"scatter: got {key}, expected one of {known}")
    panels = scatter_panels(result, key)
    columns = -(-len(panels) // 2)
    size = (PAGE, PAGE / columns * 2 + 0.4)
    fig, axes = plt.subplots(2, columns, figsize=size, squeeze=False, sharex=True, sharey=True)
    every = np.concatenate([pair.flatten() for _, pair in panels])
    low, high = np.floor(every.min()) - 1, np.ceil(every.max()) + 1
    for axis, (name, (theirs, ours)) in zip(axes.flat, panels, strict=False):
        axis.plot((low, high), (low, high), color=TRUTH, lw=0.7)
        axis.scatter(theirs, ours, s=9, lw=0, alpha=0.6, color=np.where(ours > theirs, OURS, OTHER))
        axis.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axis.set_title(f"{name}\nours is higher on {(ours > theirs).sum()} of {len(ours)}")
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    fig.supxlabel("PSNR of the published system, dB", fontsize=8)
    fig.supylabel(f"PSNR of ours, vividness {vividness:g}, dB", fontsize=8)
    return headline(fig, "Above the line our colours are closer to the truth")


def scatter_panels(result: dict, key: str) -> list[tuple[str, np.ndarray]]:
    """(title, PSNR (2, N) of the system and of ours) for each system, chosen classes apart."""
    found = []
    for system in dict.fromkeys(row["beside"] for row in result["rows"]):
        for scope in (MAIN, APART):
            pair = [
                (row["psnr"][system], row["psnr"][key])
                for row in result["photographs"]
                if system in row["psnr"] and (row["group"] in CHOSEN) == (scope == APART)
            ]
            if pair:
                name = TITLES.get(system, system) + (", chosen classes" if scope == APART else "")
                found.append((name, np.array(pair).T))
    return found


class Example(NamedTuple):
    """One row of the figure of photographs."""

    case: str
    why: str  # "best", "worst" or "random"
    difference: float  # PSNR of ours minus that of the best system, dB


def candidates(result: dict, systems: Sequence[str], key: str) -> dict[str, float]:
    """case -> PSNR of ours minus that of the best system, of what exactly these systems coloured.

    Photographs of the classes that were chosen by result are left out.
    """
    known = {row["beside"] for row in result["rows"]}
    return {
        row["case"]: row["psnr"][key] - max(row["psnr"][system] for system in systems)
        for row in result["photographs"]
        if row["group"] not in CHOSEN and set(row["psnr"]) & known == set(systems)
    }


def choose_examples(
    result: dict, systems: Sequence[str] = DEOLDIFY, vividness: float = SHOWN[0]
) -> list[Example]:
    """Photographs for the figure, chosen by number: our 3 best, our 3 worst, 2 at random.

    The random ones are drawn from the rest, with seed 0. Fewer come back where there are fewer
    photographs that exactly these systems coloured. Raises ValueError if there is none.
    """
    gaps = candidates(result, systems, setting_key(vividness))
    if not gaps:
        raise ValueError(
            f"choose_examples: got {', '.join(systems)}, but no photograph was coloured by exactly "
            "these systems"
        )
    order = sorted(gaps, key=lambda case: (-gaps[case], case))
    best, worst = order[:MOST], order[MOST:][::-1][:MOST]
    rest = sorted(set(order) - set(best) - set(worst))
    drawn = [rest[i] for i in np.random.default_rng(0).permutation(len(rest))[:RANDOM]]
    reasons = {"best": best, "worst": worst, "random": drawn}
    return [Example(case, why, gaps[case]) for why, cases in reasons.items() for case in cases]


def examples(result: dict, model, systems: Sequence[str] = DEOLDIFY) -> Figure | None:
    """Rows of photographs: grey, ours, every system that coloured them, truth; PSNR in each.

    `choose_examples` chooses the rows. All pictures are shown as measured, with the truth's luma,
    cut to the middle square. None unless all of them are in the data root.
    """
    chosen, model = choose_examples(result, systems), network(model)
    photographs = peers.published(quiet=True)
    known = {photo.case: photo for photo in photographs if set(systems) <= set(photo.outputs)}
    if not all(example.case in known for example in chosen):
        return None
    psnr = {row["case"]: row["psnr"] for row in result["photographs"]}
    keys = ["grey", *map(setting_key, SHOWN), *systems, "truth"]
    rows, labels, texts = [], [], []
    words = {"best": "our best", "worst": "our worst", "random": "at random"}
    for case, why, gap in chosen:
        shown = pictures(known[case], model, SHOWN)
        rows.append([cut(shown[key]) for key in keys])
        texts.append([f"{psnr[case][key]:.1f}" if key in psnr[case] else "" for key in keys])
        labels.append(f"{words[why]}\n{round(gap, 1) + 0.0:+.1f} dB".replace("-", "−"))
    width = min(PAGE, (len(keys) + 1) * 0.9)
    return picture_rows(rows, [column_title(key) for key in keys], labels, texts, width)


def examples_caption(result: dict, systems: Sequence[str] = DEOLDIFY) -> str:
    """How the rows of `examples` were chosen, in words, for the text below the figure."""
    chosen = choose_examples(result, systems)
    counts = {why: sum(e.why == why for e in chosen) for why in ("best", "worst", "random")}
    names = [TITLES[system] for system in systems]
    best = f"the best of {', '.join(names)}" if len(names) > 1 else names[0]
    return (
        f"The rows were chosen by number among {len(candidates(result, systems, 'ours-0'))} "
        f"photographs: the {counts['best']} where our PSNR at vividness 0, minus that of {best}, "
        f"is largest, the {counts['worst']} where it is smallest, and {counts['random']} of the "
        "others drawn at random. The number in a picture is its PSNR in dB, and all pictures have "
        "the truth's luma. Compare colours along a row: which of them could be true, and which "
        "does the number prefer?"
    )


def course_row(case: str, model, vividness: float) -> Figure | None:
    """ "cow" or "mountains" by ours and by every system whose output the course project published.

    Nobody knows their colours. None where the files cannot be fetched.
    """
    try:
        panels = peers.course_outputs()[case]
    except OSError:
        return None
    ours = {f"ours, vividness {vividness:g}": colorize_photo(panels["input"], model, vividness)}
    shown = {"input": panels["input"]} | ours | panels
    return picture_rows([[cut(picture, (3, 2)) for picture in shown.values()]], list(shown))


# photographs of the validation set, hints, chance


def by_number(model, numbers: Sequence[int], vividness: float) -> Figure | None:
    """Photographs of val96 by number, two in a row: input, ours, truth."""
    try:
        images = load_images("photos", "test", size=96)[list(numbers)]
    except (OSError, ValueError, IndexError):
        return None
    gray = luma(to_tensor(images))
    ours = colorize(network(model), gray, "luma", vividness)
    shown = [to_images(gray.expand(-1, 3, -1, -1)), to_images(ours), images]
    trios = [[cut(pictures[i]) for pictures in shown] for i in range(len(images))]
    rows = [one + other for one, other in zip(trios[::2], trios[1::2], strict=True)]
    labels = [f"{one}\nand {other}" for one, other in zip(numbers[::2], numbers[1::2], strict=True)]
    titles = 2 * ["input", "ours", "truth"]
    return picture_rows(rows, titles, labels)


def hint_curve(result: dict) -> Figure:
    """PSNR against the number of true hints, with and without the network."""
    rows = result["hints"]
    counts = [row["hints"] for row in rows]
    gain = {row["hints"]: row["psnr"] - rows[0]["psnr"] for row in rows}
    fig, axis = plt.subplots(figsize=(COLUMN * 1.3, 2.4))
    lines = (("psnr", OURS, "ours"), ("linear_psnr", OTHER, "the same hints,\nlinear between them"))
    for name, color, text in lines:
        axis.plot(counts, [row[name] for row in rows], "o-", color=color, ms=3)
        axis.annotate(text, (counts[-1], rows[-1][name]), (5, 0), textcoords="offset points",
                      color=color, fontsize=7, va="center")  # fmt: skip
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xticks(counts, [str(count) for count in counts])
    axis.minorticks_off()
    axis.set(xlabel="true hints at random places", ylabel="PSNR, dB")
    title = f"10 hints are worth {gain[10]:+.1f} dB, 50 hints {gain[50]:+.1f} dB"
    return headline(fig, title, f"{result['data']['count']:,} validation photographs, vividness 0")


def hint_example(
    image: np.ndarray, places: Sequence[tuple[int, int]], model, vividness: float
) -> Figure:
    """A photograph (H, W, 3) coloured without and with true hints at `places`, (x, y) in pixels."""
    hints = [(x, y, tuple(image[y, x].tolist())) for x, y in places]
    gray = Image.fromarray(image).convert("L")
    shown = [gray, *(colorize_photo(gray, model, vividness, hints=h) for h in ([], hints)), image]
    shape = image.shape[1], image.shape[0]
    titles = ["input", "ours", f"ours, {len(hints)} hint{'s' * (len(hints) > 1)} (circle)", "truth"]
    fig = picture_rows([[cut(picture, shape) for picture in shown]], titles)
    scale = SIDE / min(shape)
    for x, y in places:
        fig.axes[2].plot(x * scale, y * scale, "o", ms=5, mfc="none", mec="white", mew=1.2)
    return fig


def colourings(image: Image.Image | np.ndarray, model, vividness: float) -> Figure:
    """One photograph in the mean of its colours, and in four colourings drawn by chance."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    shown = [colorize_photo(image, model, vividness)]
    shown += [colorize_photo(image, model, vividness, seed=seed) for seed in range(1, 5)]
    titles = ["mean", *(f"seed {seed}" for seed in range(1, 5))]
    return picture_rows([[cut(picture, image.size) for picture in shown]], titles)


# where the project started


def course_project() -> Figure | None:
    """The two pictures of the original course project, without their margins."""
    try:
        files = [peers.published_file(f"{name}_result.png") for name in ("train", "test")]
    except OSError:
        return None
    panels = [ImageOps.invert(Image.open(file).convert("RGB")) for file in files]
    cropped = [ImageOps.invert(panel.crop(panel.getbbox())) for panel in panels]
    rows = [[cut(picture, cropped[0].size)] for picture in cropped]
    return picture_rows(rows, [""], ["training\nimage", "unseen\nimage"], width=0.8 * PAGE)


def original_rows(seconds: float, model: str | ColorNet = "cifar") -> Figure:
    """Six test images by the original project's network, trained for some seconds, and by ours.

    In the full profile the network of the committed comparison is trained, for as long as ours.
    """
    (source, why), name = resolve("auto"), "original-network"
    print(why)
    if paths.profile() == "full":
        result = store.load_result("equal-budget-full", committed=True)
        seconds = result["original_network"]["training_seconds"]
    else:
        name += "-quick"
    train, test = load_images(source, "train"), load_images(source, "test", 6)
    net, steps = original.train(f"{name}-{slug(source)}", train, seconds)
    gray = luma(to_tensor(test))
    rows = [gray.expand(-1, 3, -1, -1), original.colorize(net, gray)]
    rows = [*(to_images(x) for x in (*rows, colorize(network(model), gray, "luma"))), test]
    labels = ["input", f"the original's,\n{steps:,} steps", "ours, vividness 0", "truth"]
    pixels = [[cut(picture) for picture in row] for row in rows]
    return picture_rows(pixels, [""] * 6, labels, width=0.8 * PAGE, note=describe(source))
