"""From what the network puts out to chroma: the colours each head stands for, and vividness.

A head of cells puts out one logit a cell: "distribution" over the chroma disk, "ab" over the ab
plane of CIE Lab. The others name the colour itself: "chroma", or "hue_saturation" as they are.
"""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib.color import (
    hsv_to_chroma,
    join,
    lab_to_rgb,
    lightness,
    rgb_to_hsv,
    rgb_to_lab,
    to_gray,
)
from colorlib.photos.upsampling import joint_bilateral

CELL_HEADS = ("distribution", "ab")
VERSION = 1  # part of weights_digest: raise it whenever the same logits give other colours
HEADS = (*CELL_HEADS, "chroma", "hue_saturation")
AB_SPACING = 10.0  # Zhang et al. 2016, section 2.1
NEARBY = 9  # predictions across, of what counts as common nearby; odd
RAISED = 0.5  # in `raised_mean`; more gains PSNR and loses raw AuC (validation images)


def cells_of(head: str, spacing: float) -> Tensor | None:
    """The colours (K, 2) that a head's logits stand for; None for a head that names the colour.

    spacing: of the chroma cells; ab cells are always 10 apart. Raises ValueError for another head.
    """
    if head not in HEADS:
        raise ValueError(f"head: got {head!r}, wanted {', '.join(HEADS[:-1])} or {HEADS[-1]}")
    if head == "distribution":
        return cell_centres(spacing)
    return ab_cells() if head == "ab" else None


def cell_centres(spacing: float) -> Tensor:
    """(K, 2): the corners of all lattice squares that touch the unit disk.

    Every colour of the disk then lies between four of them, so that bilinear weights exist.
    """
    reach = math.ceil(1 / spacing)
    lattice = range(-reach, reach + 1)
    kept = set()
    for i in range(-reach, reach):
        for j in range(-reach, reach):
            near = [min(abs(k), abs(k + 1)) for k in (i, j)]  # the square's corner nearest 0
            if math.hypot(*near) * spacing < 1:
                kept |= {(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)}
    return torch.tensor([(i, j) for i in lattice for j in lattice if (i, j) in kept]) * spacing


@functools.cache
def ab_cells() -> Tensor:
    """(K, 2): every multiple of 10 in the ab plane that is the nearest one to some sRGB colour.

    The colours looked at are 64 x 64 x 64 evenly spaced ones. Zhang et al. 2016, section 2.1, count
    313 in gamut; their rule is not published.
    """
    level = torch.linspace(0, 1, 64)
    rgb = torch.cartesian_prod(level, level, level).T[:, :, None]
    return (rgb_to_lab(rgb)[1:, :, 0].T / AB_SPACING).round().unique(dim=0) * AB_SPACING


def cell_lattice(cells: Tensor, spacing: float) -> Tensor:
    """(n, n): the number of the cell at each lattice point, -1 where there is none.

    Point (n // 2, n // 2) is the colour (0, 0).
    """
    places = (cells / spacing).round().long()
    reach = int(places.abs().max())
    numbers = torch.full((2 * reach + 1, 2 * reach + 1), -1)
    numbers[places[:, 0] + reach, places[:, 1] + reach] = torch.arange(len(cells))
    return numbers


def decode(model, output: Tensor, setting, gray: Tensor, given: str) -> Tensor:
    """The network's output (N, outputs, h, w) to chroma (N, 2, H, W), gray being (N, 1, H, W).

    setting: (alpha, T) or (alpha, T, contrast), for a head of cells; vividness picks it, see
    `setting_at`.

    A head of cells gives the mean of `likelihood`: with T < 1 the annealed mean of Zhang et al.
    2016, section 2.3. Where value is given, chroma cells go through `raised_mean`; a setting with a
    contrast, even of 0, has chroma come to full size along the edges of luma.
    """
    height, width = gray.shape[-2:]
    head = model.config["head"]
    if head in CELL_HEADS:
        likely = likelihood(model, output, setting, gray, given)
        if head == "distribution" and given == "value":
            return raised_mean(model, likely, gray)
        output = torch.einsum("nkhw,kc->nchw", likely, model.cells)
        if head == "distribution" and len(setting) > 2:
            small, padded = blocks(gray, model.fold, output)
            return joint_bilateral(output, small, padded)[..., :height, :width]
    if head == "hue_saturation":
        output = output.sigmoid()
    color = F.interpolate(output, scale_factor=model.fold, mode="bilinear")[..., :height, :width]
    if head == "ab":
        return ab_to_chroma(color, gray, given)
    if head == "hue_saturation":
        return hsv_to_chroma(torch.cat((color, gray), 1))
    return color


def likelihood(model, output: Tensor, setting, gray: Tensor, given: str) -> Tensor:
    """How likely each cell is, (N, K, h, w) from logits of that shape, at a setting.

    setting: (alpha, T) or (alpha, T, contrast). Adding -alpha log(prior) to the logits undoes the
    pull of the grey majority (logit adjustment, Menon et al. 2021); a temperature T < 1 moves from
    the mean towards the mode. The prior is `model.common` where there is one, else the
    cells' shares of the training images. contrast is the alpha of another prior, what is likely
    nearby in the image itself: things then differ more in colour from what is around them.
    """
    alpha, temperature, *contrast = setting
    adjusted = output
    if alpha:
        adjusted = adjusted - alpha * log_prior(model, output, gray, given)
    if contrast and contrast[0]:
        adjusted = adjusted - contrast[0] * log_nearby(output)
    return (adjusted / temperature).softmax(1)


def log_nearby(output: Tensor) -> Tensor:
    """Logarithm of each cell's mean likelihood around each prediction, (N, K, h, w) from logits."""
    mean = F.avg_pool2d(output.softmax(1), NEARBY, 1, NEARBY // 2, count_include_pad=False)
    return (mean + 1e-3).log()


def log_prior(model, output: Tensor, gray: Tensor, given: str) -> Tensor:
    """Logarithm of how common each cell is, (N, K, h, w) or (K, 1, 1)."""
    if model.common is None:
        return model.prior.log().view(-1, 1, 1)
    table = model.common[int(given == "luma")].log()
    level = blocks(gray, model.fold, output)[0] * (len(table) - 1)
    return table[level[:, 0].round().long()].movedim(-1, 1)


def blocks(gray: Tensor, fold: int, output: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of gray (N, 1, H, W) over the block that each prediction of `output` is for.

    And gray itself, its edges repeated as far as the predictions reach.
    """
    height, width = (fold * side for side in output.shape[-2:])
    edges = (0, width - gray.shape[-1], 0, height - gray.shape[-2])
    padded = F.pad(gray, edges, mode="replicate")
    return F.avg_pool2d(padded, fold), padded


def raised_mean(model, likely: Tensor, gray: Tensor) -> Tensor:
    """Chroma (N, 2, H, W) to expect of each pixel where value, (N, 1, H, W), is given.

    The largest of R, G and B then is the value, and the mean of RGB falls short of it wherever the
    hue is in doubt. Of all colours with that value the one of least squared error is the mean with
    its largest channel raised to it; the mean of chroma is greyer. The colour is taken `RAISED` of
    the way from this to that, after both came to full size along value's edges.
    """
    height, width = gray.shape[-2:]
    small, padded = blocks(gray, model.fold, likely)
    cells = model.cells.T[:, :, None]
    colours = torch.cat((join(cells, torch.ones_like(cells[:1])), cells))[..., 0]
    means = joint_bilateral(torch.einsum("nkhw,ck->nchw", likely, colours), small, padded)
    rgb, chroma = means[..., :height, :width].split((3, 2), 1)
    raised = torch.where(rgb == rgb.amax(1, keepdim=True), 1.0, rgb)
    between = join(chroma, torch.ones_like(gray)).lerp(raised, RAISED)
    return hsv_to_chroma(rgb_to_hsv(between.clamp(0, 1)))


def ab_to_chroma(ab: Tensor, gray: Tensor, given: str) -> Tensor:
    """Chroma (N, 2, H, W) of the colours with this ab (N, 2, H, W) and this value or luma.

    The lightness that goes with them is found in four steps; out of gamut the nearest is taken
    that clipping gives.
    """
    level = wanted = lightness(gray)
    for _ in range(4):
        rgb = lab_to_rgb(torch.cat((level, ab), 1))
        reached = lightness(to_gray(rgb, given).clamp(0, 1))
        level = (level + wanted - reached).clamp(0, 100)
    return hsv_to_chroma(rgb_to_hsv(lab_to_rgb(torch.cat((level, ab), 1))))


def setting_at(model, vividness: float, given: str) -> tuple[float, ...]:
    """The setting at `vividness` in [0, 1], on the path that was tuned for what is given."""
    own = model.value_path if given == "value" else None
    return path_point(own or model.path, vividness)


def path_point(path, vividness: float) -> tuple[float, ...]:
    """The setting at `vividness` in [0, 1], linear between the evenly spaced points of `path`."""
    check_vividness(vividness)
    at = vividness * (len(path) - 1)
    i = min(int(at), len(path) - 2)
    return tuple(a + (at - i) * (b - a) for a, b in zip(path[i], path[i + 1], strict=True))


def check_vividness(vividness: float) -> None:
    if not 0 <= vividness <= 1:
        raise ValueError(f"vividness: got {vividness}, wanted a number from 0 to 1")
