"""One object, one colour: the network agrees with itself by giving itself hints.

Decoded place by place, a door of which red and blue are equally likely comes out half red and half
blue. Here the network chooses colours at some places, takes them as hints, and predicts again. With
a seed places and colours are drawn at random, and every seed gives another picture. Without one
they are the surest ones. Notebook 4 measures that this gains next to nothing: it is not offered.
After Chang et al. 2022, "MaskGIT: Masked Generative Image Transformer", section 3.2.
"""

from numbers import Integral

import torch
from torch import Tensor

from colorlib.datasets.hint_maps import draw_squares
from colorlib.decoding import DecodeSetting, cell_probabilities
from colorlib.model import ColorNet, predict
from colorlib.photos.hints import squares_around

ROUNDS, PLACES = 8, 2  # predictions, and places that are chosen after each
CHOICE = DecodeSetting(0.25, 0.75)  # how the colours are chosen
COLORFUL = 0.15  # saturation from which a place is worth a hint
NEAR = 0.29  # distance between cells that count as one colour: direct neighbours, diagonals too
APART = 0.05  # share of the picture's shorter side that two places are apart, at least


def coherent_logits(
    model: ColorNet, gray: Tensor, hints: Tensor | None = None, seed: int | None = None
) -> Tensor:
    """Logits (N, K, h, w) for luma (N, 1, H, W) in [0, 1], given the network's own choices.

    hints (N, 3, H, W): what is known already. ValueError for a network that takes no hints.
    """
    if not model.config["hints"]:
        raise ValueError("seed: this network takes no hints; the shipped network `photo` does")
    size = gray.shape[-2:]
    grid = [-(-side // model.fold) for side in size]
    random = None if seed is None else torch.Generator().manual_seed(check_seed(seed))
    free = gray.new_ones(len(gray), *grid)
    rows, columns = (torch.arange(side, device=gray.device) for side in grid)
    centers, chroma, own = [], [], hints
    for _ in range(ROUNDS):
        logits = predict(model, gray, "luma", own)[..., : grid[0], : grid[1]]
        colors, scores = choose(model, logits, random)
        for _ in range(PLACES):
            place = (scores * free).flatten(1).argmax(1)
            row, column = place // grid[1], place % grid[1]
            chroma.append(colors.flatten(2).gather(2, place.view(-1, 1, 1).expand(-1, 2, 1)))
            centers.append(torch.stack((row, column), -1) * model.fold + model.fold // 2)
            down, right = rows[:, None] - row.view(-1, 1, 1), columns - column.view(-1, 1, 1)
            free = free * (down**2 + right**2 > (APART * min(size)) ** 2)
        squares = squares_around(torch.stack(centers, 1), size)
        own = draw_squares(torch.cat(chroma, 2), squares, size)
        if hints is not None:
            own = torch.where(hints[:, 2:] > 0, hints, own)
    return predict(model, gray, "luma", own)


def check_seed(seed: int) -> int:
    """The seed; ValueError outside 0 to 2**32 - 1: the generator takes the last 32 bits alone."""
    if not isinstance(seed, Integral) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"seed: got {seed!r}, expected a whole number from 0 to {2**32 - 1}")
    return int(seed)


def choose(
    model: ColorNet, logits: Tensor, random: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """A colour (N, 2, h, w) for each place of logits (N, K, h, w), and how good a hint it is.

    The colour is the mean of the likeliest cell and its neighbours, and its score (N, h, w) their
    probability; with `random` the cell is drawn, and the score is that of a place drawn by chance.
    Grey places come last.
    """
    probabilities = cell_probabilities(model, logits, CHOICE)
    scores = probabilities.movedim(1, -1)
    if random is not None:  # the largest of these sums is a draw: Gumbel
        noise = torch.rand(scores.shape, generator=random).to(scores)
        scores = scores.clamp(min=1e-12).log() - (-noise.clamp(min=1e-12).log()).log()
    cell = scores.argmax(-1)
    near = (torch.cdist(model.cells, model.cells) <= NEAR).to(probabilities)
    share = near[cell].movedim(-1, 1) * probabilities
    total = share.sum(1)
    color = torch.einsum("nkhw,kc->nchw", share, model.cells) / total[:, None].clamp(min=1e-12)
    if random is not None:
        total = torch.rand(total.shape, generator=random).to(total)
    return color, total * (1e-3 + (color.norm(dim=1) > COLORFUL))
