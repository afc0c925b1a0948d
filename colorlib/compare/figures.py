"""The figures of notebook 4: rows of photographs, PSNR against PSNR, what hints bring.

A function returns None where its pictures are not in the data root; `show` then shows the figure of
the repository. `model`: a name, a file or a network, as `colorize_photo` takes it.
"""

import io
from collections import Counter
from collections.abc import Sequence
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from torch import Tensor

from colorlib import paths, peers
from colorlib.color import luma
from colorlib.compare.published import CHOSEN, pictures, row_of, setting_key
from colorlib.data import describe, load_images, resolve, slug, to_images, to_tensor
from colorlib.model import ColorNet, colorize
from colorlib.peers import original
from colorlib.photos.colorize_photo import colorize_photo, network
from colorlib.report import store
from colorlib.report.pictures import grey_images, image_grid
from colorlib.report.style import COLUMN, OTHER, OURS, PAGE, TRUTH, headline
from colorlib.report.tables import TITLES, title

SHOWN = (0.0, 0.5)  # vividness of ours in the rows of photographs
MOST, RANDOM = 3, 2  # rows of our best and of our worst; rows drawn at random
SIDE = 256  # pixels of the shorter side of a picture
DPI, PRINTED = 180, 300  # of a figure of pictures in the notebook, and on file
DEOLDIFY = ("deoldify-stable", "deoldify-artistic", "ddcolor")  # they coloured the same photographs


def show(name: str, fig: Figure | None, caption: str = "") -> None:
    """Save a figure of pictures and display it, the caption below; without one, the repository's.

    Photographs compress badly: the PNG has half the resolution, and the PDF is made of a JPEG.
    """
    from IPython.display import Image as Shown
    from IPython.display import Markdown, display

    committed = paths.REPOSITORY / "figures" / f"{name}.png"
    if fig is not None:
        drawn = io.BytesIO()
        fig.savefig(drawn, format="png", dpi=PRINTED)
        plt.close(fig)
        image = Image.open(drawn).convert("RGB")
        with paths.replacing(paths.figures() / f"{name}.png") as part:
            image.reduce(2).save(part, "png", dpi=(PRINTED / 2, PRINTED / 2), optimize=True)
        with paths.replacing(paths.figures() / f"{name}.pdf") as part:
            dates = {"creationDate": None, "modDate": None}  # the same bytes at every run
            image.save(part, "pdf", resolution=PRINTED, quality=80, **dates)
        image.thumbnail([side * DPI / PRINTED for side in image.size])
    elif committed.is_file():
        caption = f"*The pictures are not here: this is the repository's figure.* {caption}"
        image = Image.open(committed).convert("RGB")
    else:
        print(f"{name}: the pictures are not in the data root.")
        return
    written = io.BytesIO()
    image.save(written, "jpeg", quality=62)
    display(Shown(written.getvalue(), format="jpeg"))
    if caption:
        display(Markdown(caption))


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


def scatter(result: dict) -> Figure:
    """PSNR of ours at vividness 0 against that of each published system, one dot a photograph.

    result: of `published_result`. Classes that were chosen by result have a panel of their own.
    """
    panels = {}
    for system in dict.fromkeys(row["beside"] for row in result["rows"]):
        for chosen, words in ((False, ""), (True, ", chosen classes")):
            rows = [
                row["psnr"] for row in result["photographs"] if chosen == (row["group"] in CHOSEN)
            ]
            pairs = [(psnr[system], psnr["ours-0"]) for psnr in rows if system in psnr]
            if pairs:
                panels[TITLES.get(system, system) + words] = np.array(pairs).T
    columns = -(-len(panels) // 2)
    size = (PAGE, PAGE / columns * 2 + 0.4)
    fig, axes = plt.subplots(2, columns, figsize=size, squeeze=False, sharex=True, sharey=True)
    every = np.concatenate([pair.flatten() for pair in panels.values()])
    low, high = np.floor(every.min()) - 1, np.ceil(every.max()) + 1
    for axis, (name, (theirs, ours)) in zip(axes.flat, panels.items(), strict=False):
        axis.plot((low, high), (low, high), color=TRUTH, lw=0.7)
        axis.scatter(theirs, ours, s=9, lw=0, alpha=0.6, color=np.where(ours > theirs, OURS, OTHER))
        axis.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axis.set_title(f"{name}\nours is higher on {(ours > theirs).sum()} of {len(ours)}")
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    fig.supxlabel("PSNR of the published system, dB", fontsize=8)
    fig.supylabel("PSNR of ours, vividness 0, dB", fontsize=8)
    return headline(fig, "Above the line our colours are closer to the truth")


def gaps(result: dict, systems: Sequence[str]) -> dict[str, float]:
    """case -> PSNR of ours minus the best system's, of what exactly these systems coloured.

    Ours is at vividness 0. Classes that were chosen by result are left out.
    """
    known = {row["beside"] for row in result["rows"]}
    return {
        row["case"]: row["psnr"]["ours-0"] - max(row["psnr"][key] for key in systems)
        for row in result["photographs"]
        if row["group"] not in CHOSEN and set(row["psnr"]) & known == set(systems)
    }


def choose_examples(result: dict, systems: Sequence[str] = DEOLDIFY) -> dict[str, str]:
    """case -> why: our 3 best and 3 worst, by `gaps`, and 2 of the rest, drawn with seed 0."""
    known = gaps(result, systems)
    order = sorted(known, key=lambda case: (-known[case], case))
    best, worst = order[:MOST], order[MOST:][::-1][:MOST]
    rest = sorted(set(order) - set(best) - set(worst))
    drawn = [rest[i] for i in np.random.default_rng(0).permutation(len(rest))[:RANDOM]]
    reasons = {"our best": best, "our worst": worst, "at random": drawn}
    return {case: why for why, cases in reasons.items() for case in cases}


def examples(
    result: dict, model: str | ColorNet, systems: Sequence[str] = DEOLDIFY
) -> Figure | None:
    """Rows of `choose_examples`: grey, ours, every system, truth; PSNR in each.

    The pictures are the middle squares of what is measured, with the truth's luma.
    """
    chosen, difference = choose_examples(result, systems), gaps(result, systems)
    photographs = peers.published(quiet=True)
    known = {photo.case: photo for photo in photographs if set(systems) <= set(photo.outputs)}
    if not chosen or not set(chosen) <= set(known):
        return None
    keys, model = ["grey", *map(setting_key, SHOWN), *systems, "truth"], network(model)
    psnr = {row["case"]: row["psnr"] for row in result["photographs"]}
    shown = [pictures(known[case], model, SHOWN) for case in chosen]
    rows = [[cut(found[key]) for key in keys] for found in shown]
    titles = [title(row_of(key)).replace(", ", ",\n") for key in keys]
    titles = [text.replace("DeOldify ", "DeOldify\n") for text in titles]
    labels = [
        f"{why}\n{round(difference[case], 1) + 0.0:+.1f} dB".replace("-", "−")
        for case, why in chosen.items()
    ]
    fig = image_grid(rows, titles, labels, min(PAGE, (len(keys) + 1) * 0.9))
    box = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.8}
    for axis, (case, key) in zip(fig.axes, product(chosen, keys), strict=True):
        if key in psnr[case]:
            text = f"{psnr[case][key]:.1f}"
            axis.text(0.02, 0.02, text, fontsize=6, transform=axis.transAxes, bbox=box)
    return fig


def examples_caption(result: dict, systems: Sequence[str] = DEOLDIFY) -> str:
    """How the rows of `examples` were chosen, in words, for the text below the figure."""
    reasons = Counter(choose_examples(result, systems).values())
    names = ", ".join(TITLES[system] for system in systems)
    return (
        f"The rows were chosen by number among {len(gaps(result, systems))} photographs: the "
        f"{reasons['our best']} where our PSNR at vividness 0, minus that of "
        f"{'the best of ' if len(systems) > 1 else ''}{names}, is largest, the "
        f"{reasons['our worst']} where it is smallest, and {reasons['at random']} of the others "
        "drawn at random. The number in a picture is its PSNR in dB, and all pictures have the "
        "truth's luma. Compare colours along a row: which of them could be true, and which does "
        "the number prefer?"
    )


def course_row(case: str, model: str | ColorNet, vividness: float) -> Figure | None:
    """ "cow" or "mountains" by ours and every system whose output the course project published."""
    try:
        panels = peers.course_outputs()[case]
    except OSError:
        return None
    ours = {f"ours, vividness {vividness:g}": colorize_photo(panels["input"], model, vividness)}
    shown = {"input": panels["input"]} | ours | panels
    return image_grid([[cut(picture, (3, 2)) for picture in shown.values()]], list(shown))


# held-out photographs, hints, chance


def by_number(model: str | ColorNet, numbers: Sequence[int], vividness: float) -> Figure | None:
    """Held-out photographs by number, two in a row: input, ours, truth."""
    try:
        images = load_images("photos", "test", size=96)[list(numbers)]
    except (OSError, ValueError, IndexError):
        return None
    gray = luma(to_tensor(images))
    ours = colorize(network(model), gray, "luma", vividness)
    shown = grey_images(gray), to_images(ours), images
    trios = [[cut(pictures[i]) for pictures in shown] for i in range(len(images))]
    rows = [one + other for one, other in zip(trios[::2], trios[1::2], strict=True)]
    labels = [f"{one}\nand {other}" for one, other in zip(numbers[::2], numbers[1::2], strict=True)]
    return image_grid(rows, 2 * ["input", "ours", "truth"], labels)


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
    return headline(fig, title, f"{result['data']['count']:,} held-out photographs, vividness 0")


def hint_example(
    image: np.ndarray, places: Sequence[tuple[int, int]], model: str | ColorNet, vividness: float
) -> Figure:
    """A photograph (H, W, 3) coloured without and with true hints at `places`, (x, y) in pixels."""
    hints = [(x, y, tuple(image[y, x].tolist())) for x, y in places]
    gray = Image.fromarray(image).convert("L")
    shown = [gray, *(colorize_photo(gray, model, vividness, hints=h) for h in ([], hints)), image]
    shape = image.shape[1], image.shape[0]
    titles = ["input", "ours", f"ours, {len(hints)} hint{'s' * (len(hints) > 1)} (circle)", "truth"]
    fig = image_grid([[cut(picture, shape) for picture in shown]], titles)
    scale = SIDE / min(shape)
    for x, y in places:
        fig.axes[2].plot(x * scale, y * scale, "o", ms=5, mfc="none", mec="white", mew=1.2)
    return fig


def colourings(image: np.ndarray, model: str | ColorNet, vividness: float) -> Figure:
    """A photograph (H, W, 3) in the mean of its colours, and in four colourings at random."""
    seeds = (None, 1, 2, 3, 4)
    shown = [colorize_photo(image, model, vividness, seed=seed) for seed in seeds]
    titles = ["mean", *(f"seed {seed}" for seed in seeds[1:])]
    return image_grid([[cut(picture, image.shape[1::-1]) for picture in shown]], titles)


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
    return image_grid(rows, [""], ["training\nimage", "unseen\nimage"], 0.8 * PAGE)


def original_rows(seconds: float, model: str | ColorNet = "cifar") -> Figure:
    """Six test images by the original project's network, trained for some seconds, and by ours.

    In the full profile the network of the committed comparison is trained, for as long as ours.
    """
    (source, why), name = resolve("auto"), "original-network-quick"
    print(why)
    if paths.profile() == "full":
        result = store.load_result("equal-budget-full", committed=True)
        seconds, name = result["original_network"]["training_seconds"], "original-network"
    train, test = load_images(source, "train"), load_images(source, "test", 6)
    net, steps = original.train(f"{name}-{slug(source)}", train, seconds)
    gray = luma(to_tensor(test))
    colored = original.colorize(net, gray), colorize(network(model), gray, "luma")
    rows = [grey_images(gray), *map(to_images, colored), test]
    labels = ["input", f"course project's,\n{steps:,} steps", "ours, pre-trained", "truth"]
    pixels = [[cut(picture) for picture in row] for row in rows]
    return image_grid(pixels, [""] * 6, labels, 0.8 * PAGE, describe(source))
