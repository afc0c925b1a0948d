"""What hints bring: true ones at random places, and the network's own choices (coherent.py).

On held-out photographs, luma given: the result hints-MODEL.
"""

import time
from collections.abc import Sequence
from functools import partial
from shlex import quote

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from colorlib.batches import generator
from colorlib.color import add_chroma, hsv_to_chroma, luma, rgb_to_hsv
from colorlib.data import load_images, to_tensor
from colorlib.datasets.hint_maps import reveal
from colorlib.decoding import DecodeSetting, decode, setting_at
from colorlib.metrics import mean_ab_error, per_image, summary
from colorlib.model import ColorNet, evaluation_mode, load_model, predict
from colorlib.photos.coherent import coherent_logits
from colorlib.photos.hints import squares_around
from colorlib.report import store
from colorlib.report.evaluation import VIVIDNESS
from colorlib.report.tables import COLUMNS, cells, markdown_table, number

COUNTS = (0, 1, 2, 5, 10, 20, 50)  # hints, as in figure 6 of Zhang et al. 2017
BATCH = 50
SAMPLE = 3  # photographs whose numbers are kept apart, see `sample_rows`
METRICS = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")
DECODED = {"seams": 4, "diversity": 1, "seconds_per_image": 2}  # and their digits in the table
WAYS = {
    "mean": "mean, each place alone",
    "coherent": "surest colours first, as hints for the rest",
    "seed 0": "colours drawn at random, once",
    "seed 1": "drawn once more",
    "truth": "true colours, at half resolution",
}
EDGE = 0.03  # gradient of luma, of 1 a pixel, below which there is no edge


def true_hints(rgb: Tensor, count: int, seed: int = 0) -> Tensor:
    """Hints (N, 3, H, W): the mean chroma of `count` squares at random places of rgb (N, 3, H, W).

    More hints contain the fewer.
    """
    size = rgb.shape[-2:]
    share = torch.rand((max(COUNTS), len(rgb), 2), generator=generator(seed, 96))
    places = (share[:count].transpose(0, 1) * torch.tensor(size)).long()
    return reveal(rgb, squares_around(places, size))


def spread(hints: Tensor) -> Tensor:
    """Chroma (N, 2, H, W) of hints (N, 3, H, W) without a network: linear between them.

    Outside of their triangles, and for fewer than three, the nearest hint's.
    """
    from scipy.interpolate import griddata

    found = torch.zeros_like(hints[:, :2])
    grid = tuple(np.indices(hints.shape[2:]))
    for chroma, shown, mask in zip(found, hints[:, :2], hints[:, 2], strict=True):
        places = mask.nonzero().numpy()
        if not len(places):
            continue
        values = shown[:, mask > 0].T.numpy()
        colors = griddata(places, values, grid, "nearest")
        if np.linalg.matrix_rank(places - places[0]) > 1:
            linear = griddata(places, values, grid, "linear")
            colors = np.where(np.isnan(linear), colors, linear)
        chroma.copy_(torch.from_numpy(colors).movedim(-1, 0))
    return found


def hint_rows(model: ColorNet, images: np.ndarray) -> list[dict[str, float]]:
    """PSNR and raw AuC at vividness 0 with each number of true hints, and of `spread` alone.

    images: uint8 (N, H, W, 3), sides multiples of `model.stride`.
    """
    truth, setting, rows = to_tensor(images), setting_at(model, 0.0, "luma"), []
    for count in tqdm(COUNTS, "hints", leave=False):
        found: dict[str, list[Tensor]] = {"": [], "linear_": []}
        for i, rgb in enumerate(truth.split(BATCH)):
            gray, hints = luma(rgb), true_hints(rgb, count, i)
            with evaluation_mode(model) as device:
                logits = predict(model, gray.to(device), "luma", hints.to(device)).cpu()
            chroma = decode(model, logits, setting, gray, "luma"), spread(hints)
            for colored, part in zip(found.values(), chroma, strict=True):
                colored.append(add_chroma(part, gray, "luma"))
        rows.append({"hints": count})
        for start, parts in found.items():
            means = summary(per_image(torch.cat(parts), truth, quick=True))
            rows[-1] |= {start + name: means[name] for name in ("psnr", "raw_auc")}
    return rows


def seams(chroma: Tensor, gray: Tensor) -> float:
    """Mean gradient of chroma (N, 2, H, W), a pixel, where luma (N, 1, H, W) has no edge."""
    total = count = 0.0
    for axis in (-1, -2):
        step = chroma.diff(dim=axis).square().sum(1, keepdim=True).sqrt()
        flat = gray.diff(dim=axis).abs() < EDGE
        total, count = total + step[flat].sum().item(), count + flat.sum().item()
    return total / max(count, 1)


def decoder_rows(
    model: ColorNet, images: np.ndarray, settings: Sequence[DecodeSetting]
) -> list[dict]:
    """Decoding place by place, coherently, and at random: every setting, all metrics, and seams.

    Rows of the second drawing also have "diversity", the mean ab distance to the first.
    """
    truth = to_tensor(images)
    gray, rows, drawn = luma(truth), [], {}
    coherent = partial(coherent_logits, model)
    ways = {"mean": partial(predict, model, given="luma"), "coherent": coherent}
    ways |= {f"seed {seed}": partial(coherent, seed=seed) for seed in (0, 1)}
    for way, find_logits in ways.items():
        began = time.perf_counter()
        with evaluation_mode(model) as device:
            parts = tqdm(gray.to(device).split(BATCH), way, leave=False)
            logits = torch.cat([find_logits(part).cpu() for part in parts])
        seconds = (time.perf_counter() - began) / len(images)
        for setting in settings:
            chroma = decode(model, logits, setting, gray, "luma")
            rgb = add_chroma(chroma, gray, "luma")
            row = {"way": way} | setting._asdict() | summary(per_image(rgb, truth, quick=True))
            row |= {"seams": seams(chroma, gray), "seconds_per_image": seconds}
            if way == "seed 0":
                drawn[setting] = rgb
            elif way == "seed 1":
                row["diversity"] = mean_ab_error(rgb, drawn[setting]).mean().item()
            rows.append(row)
    small = F.avg_pool2d(hsv_to_chroma(rgb_to_hsv(truth)), 2)  # as fine as the network can say it
    chroma = F.interpolate(small, scale_factor=2, mode="bilinear")
    return [*rows, {"way": "truth", "seams": seams(chroma, gray)}]


def sample_rows(
    model: ColorNet, images: np.ndarray, settings: Sequence[DecodeSetting]
) -> list[dict]:
    """Both studies on the first photographs alone, for the test that measures them again."""
    some = images[:SAMPLE]
    rows = hint_rows(model, some) + decoder_rows(model, some, settings[:1])
    return [{k: v for k, v in row.items() if k != "seconds_per_image"} for row in rows]


def hints_result(name: str, count: int, unless_current: bool = False) -> dict:
    """Both studies on the first `count` held-out photographs, saved as the result hints-NAME.

    unless_current: a result on file that was measured in the same way is returned instead.
    """
    model, images = load_model(name), load_images("photos", "test", count, size=96)
    settings = list(dict.fromkeys(setting_at(model, v, "luma") for v in VIVIDNESS))
    config = {"model": name, "given": "luma", "counts": COUNTS, "settings": settings}
    command = f"python -m colorlib hints --model {quote(name)} --count {count}"
    data = store.data_record("photos", "test", images)
    made = store.provenance({name: model}, config, data, command=command)

    def measure() -> dict:
        decoders = decoder_rows(model, images, settings)
        sample = sample_rows(model, images, settings)
        return {"hints": hint_rows(model, images), "decoders": decoders, "sample": sample}

    return store.measured(f"hints-{store.name_for_model(name)}", made, measure, unless_current)


def hints_table(result: dict) -> str:
    """PSNR and raw AuC by the number of true hints, in Markdown."""
    names = ("psnr", "raw_auc", "linear_psnr", "linear_raw_auc")
    rows = [
        [f"{row['hints']}", *(number(row[name], name.removeprefix("linear_")) for name in names)]
        for row in result["hints"]
    ]
    header = ["true hints", "PSNR, dB", "raw AuC", "linear between hints: PSNR, dB", "raw AuC"]
    return markdown_table(header, rows)


def decoders_table(result: dict) -> str:
    """The decoders at vividness 0, and how two compare at equal raw AuC, in Markdown."""
    first, rows = result["decoders"][0], []
    for row in result["decoders"]:
        if all(row.get(name, first[name]) == first[name] for name in DecodeSetting._fields):
            extra = [f"{row[m]:.{n}f}" if m in row else "–" for m, n in DECODED.items()]
            rows.append([WAYS[row["way"]], *cells(row, METRICS), *extra])
    header = ["decoding", *(COLUMNS[name] for name in METRICS)]
    header += ["change of chroma, a pixel, without an edge in luma"]
    header += ["difference of two draws (ab)", "seconds per photograph"]
    return f"{markdown_table(header, rows)}\n\n{at_equal_raw_auc(result)}"


def at_equal_raw_auc(result: dict) -> str:
    """A sentence: the rebalanced AuC of the mean, made bolder, where the coherent decoder is."""
    mean, coherent = (
        [row for row in result["decoders"] if row["way"] == way] for way in ("mean", "coherent")
    )
    mean = sorted(mean, key=lambda row: row["raw_auc"])
    raw, rebalanced = ([row[name] for row in mean] for name in ("raw_auc", "rebalanced_auc"))
    level = coherent[0]["raw_auc"]
    if not raw[0] <= level <= raw[-1]:
        return "No setting of the mean has the raw AuC of the surest colours first."
    bolder, found = np.interp(level, raw, rebalanced), coherent[0]["rebalanced_auc"]
    return (
        f"At the raw AuC of the surest colours first, {level:.4f}, the mean with adjusted logits "
        f"has a rebalanced AuC of {bolder:.4f}; the surest colours first have {found:.4f}."
    )
