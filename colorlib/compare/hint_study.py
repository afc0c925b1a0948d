"""What hints bring: true ones at random places, and the network's own choices (coherent.py).

On validation photographs, luma given. `python -m colorlib hints` keeps both in
results/hints-MODEL.json.
"""

import time

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
from colorlib.report.tables import COLUMNS, cells, markdown_table, number

COUNTS = (0, 1, 2, 5, 10, 20, 50)  # hints, as in figure 6 of Zhang et al. 2017
BATCH = 50
METRICS = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")
DECODED = {"seams": 4, "diversity": 1, "seconds_per_image": 2}  # and their digits in the table
WAYS = {
    "mean": "mean, each place alone",
    "coherent": "surest colours first, as hints for the rest",
    "seed 0": "colours drawn by chance, one drawing",
    "seed 1": "another drawing",
    "truth": "true colours, at half resolution",
}
EDGE = 0.03  # gradient of luma, of 1 a pixel, below which there is no edge


def true_hints(rgb: Tensor, count: int, seed: int = 0) -> Tensor:
    """Hints (N, 3, H, W) that show the mean chroma of `count` squares at random places.

    rgb: (N, 3, H, W) in [0, 1]. Each image has its own places; more hints contain the fewer.
    """
    size = rgb.shape[-2:]
    random = generator(seed, 96)
    share = torch.rand((max(COUNTS), len(rgb), 2), generator=random)[:count].transpose(0, 1)
    squares = squares_around((share * torch.tensor(size)).long(), size)
    return reveal(rgb, squares)


def spread(hints: Tensor) -> Tensor:
    """Chroma (N, 2, H, W) of hints (N, 3, H, W) without a network: linear between the hints.

    Outside the triangles of the hints, and for fewer than three, the nearest hint.
    """
    from scipy.interpolate import griddata

    found = torch.zeros_like(hints[:, :2])
    for chroma, shown, mask in zip(found, hints[:, :2], hints[:, 2], strict=True):
        places = mask.nonzero().numpy()
        if not len(places):
            continue
        values = shown[:, mask > 0].T.numpy()
        grid = tuple(np.indices(mask.shape))
        near = griddata(places, values, grid, "nearest")
        linear = near
        if np.linalg.matrix_rank(places - places[0]) > 1:
            linear = griddata(places, values, grid, "linear")
        chroma.copy_(torch.from_numpy(np.where(np.isnan(linear), near, linear)).movedim(-1, 0))
    return found


def hint_rows(model: ColorNet, images: np.ndarray) -> list[dict[str, float]]:
    """PSNR and raw AuC at vividness 0 with each number of true hints, and of `spread` alone.

    images: uint8 (N, H, W, 3), sides multiples of `model.stride`.
    """
    truth, rows = to_tensor(images), []
    for count in tqdm(COUNTS, "hints", leave=False):
        colored, linear = [], []
        for rgb in truth.split(BATCH):
            gray, hints = luma(rgb), true_hints(rgb, count, len(colored))
            with evaluation_mode(model) as device:
                logits = predict(model, gray.to(device), "luma", hints.to(device)).cpu()
            setting = setting_at(model, 0.0, "luma")
            colored.append(add_chroma(decode(model, logits, setting, gray, "luma"), gray, "luma"))
            linear.append(add_chroma(spread(hints), gray, "luma"))
        rows.append({"hints": count})
        for start, parts in (("", colored), ("linear_", linear)):
            found = summary(per_image(torch.cat(parts), truth, quick=True))
            rows[-1] |= {start + name: found[name] for name in ("psnr", "raw_auc")}
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
    model: ColorNet, images: np.ndarray, settings: tuple[DecodeSetting, ...]
) -> list[dict]:
    """Decoding place by place, coherently, and by chance: every setting, all metrics, and seams.

    Rows of the second drawing also have "diversity", the mean ab distance to the first.
    """
    truth = to_tensor(images)
    gray, parts = luma(truth), luma(truth).split(BATCH)
    ways = {"mean": None, "coherent": None, "seed 0": 0, "seed 1": 1}
    rows, drawn = [], {}
    for way, seed in ways.items():
        began, logits = time.perf_counter(), []
        with evaluation_mode(model) as device:
            for part in tqdm(parts, way, leave=False):
                if way == "mean":
                    found = predict(model, part.to(device), "luma")
                else:
                    found = coherent_logits(model, part.to(device), None, seed)
                logits.append(found.cpu())
        seconds = (time.perf_counter() - began) / len(images)
        for setting in settings:
            pairs = zip(logits, parts, strict=True)
            chroma = torch.cat([decode(model, x, setting, g, "luma") for x, g in pairs])
            rgb = add_chroma(chroma, gray, "luma")
            row = {"way": way} | setting._asdict() | summary(per_image(rgb, truth, quick=True))
            row |= {"seams": seams(chroma, gray), "seconds_per_image": seconds}
            if seed == 0:
                drawn[setting] = rgb
            elif seed == 1:
                row["diversity"] = mean_ab_error(rgb, drawn[setting]).mean().item()
            rows.append(row)
    small = F.avg_pool2d(hsv_to_chroma(rgb_to_hsv(truth)), 2)  # as fine as the network can say it
    chroma = F.interpolate(small, scale_factor=2, mode="bilinear")
    return [*rows, {"way": "truth", "seams": seams(chroma, gray)}]


def hints_result(name: str, count: int, unless_current: bool = False) -> dict:
    """Both studies on the first `count` photographs of val96, saved as the result hints-NAME.

    Decoders are compared on a fifth of them: they take ten times the time. unless_current: a result
    on file that was measured in the same way is returned instead.
    """
    model = load_model(name)
    images = load_images("photos", "test", count, size=96)
    settings = tuple(dict.fromkeys(setting_at(model, v, "luma") for v in (0, 0.25, 0.5, 0.75, 1)))
    config = {"model": name, "given": "luma", "counts": COUNTS, "settings": settings}
    command = f"python -m colorlib hints --model {name} --count {count}"
    data = store.data_record("photos", "validation", images)
    result = store.provenance({name: model}, config, data, command=command)
    current = store.current_result(f"hints-{name}", result) if unless_current else None
    if current is not None:
        return current
    result["hints"] = hint_rows(model, images)
    result["decoders"] = decoder_rows(model, images[: max(1, count // 5)], settings)
    return store.save_result(f"hints-{name}", result)


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
    """The decoders at the setting of vividness 0, in Markdown."""
    first = result["decoders"][0]
    rows = []
    for row in result["decoders"]:
        if all(row.get(name, first[name]) == first[name] for name in DecodeSetting._fields):
            extra = [f"{row[m]:.{n}f}" if m in row else "–" for m, n in DECODED.items()]
            rows.append([WAYS.get(row["way"], row["way"]), *cells(row, METRICS), *extra])
    header = ["decoding", *(COLUMNS[name] for name in METRICS)]
    header += ["change of colour without edge", "difference of two drawings (ab)", "s a photograph"]
    return markdown_table(header, rows)
