"""Recipes: what is minimised. One small class for each way to learn the same thing.

A recipe has a `name`, a `head` (what the network predicts, see decoding.py) and a loss. The target
is made from the image alone: no label is used. Sums over pixels are means, so that learning rates
carry over. `build` makes the network and the recipe that a config describes.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib import paths
from colorlib.batches import Batch
from colorlib.color import hsv_to_chroma, rgb_to_hsv
from colorlib.config import Config
from colorlib.decoding import cell_lattice, get_head, look_up
from colorlib.fast.soft_cross_entropy import CrossEntropy
from colorlib.model import ColorNet, load_model

# name -> the recipe's class, or "module:class", which is imported when it is used. A new recipe is
# one more line here, or in a notebook `RECIPES["mine"] = Mine`.
RECIPES: dict[str, Any] = {
    "distribution": "colorlib.recipes:Distribution",
    "eccv16": "colorlib.compare.recipes:Rebalanced",
    "regression": "colorlib.recipes:ChromaRegression",
    "original": "colorlib.compare.recipes:HueSaturation",
    "features": "colorlib.compare.nogan:FeatureLoss",
    "hard": "colorlib.study.recipes:HardTarget",
    "unweighted": "colorlib.study.recipes:Unweighted",
}
SHAPE = ("widths", "down", "up", "attention", "hints", "spacing", "fold")  # of a network


def chroma_target(rgb: Tensor, fold: int = 2) -> tuple[Tensor, Tensor]:
    """The chroma (B, 2, H/fold, W/fold) to predict, and the weight (B, 1, ...) of each pixel.

    Pixels weigh by value, in a block's mean as in the loss: colour does not show in the dark.
    """
    hsv = rgb_to_hsv(rgb)
    value = hsv[:, 2:]
    weight = F.avg_pool2d(value, fold)
    return F.avg_pool2d(hsv_to_chroma(hsv) * value, fold) / weight.clamp(min=1e-6), weight


class Recipe:
    """What all recipes share: by default nothing is measured before training starts."""

    name, head = "", "chroma"

    def __init__(self, spacing: float = 0.2, fold: int = 2):
        self.spacing, self.fold = spacing, fold

    def setup(self, model: ColorNet, pixels: Tensor) -> None:
        """Look at the first training images, uint8 (N, 3, H, W), before training starts."""

    def inputs(self, batch: Batch) -> tuple[Tensor | None, ...]:
        """What the network is called with."""
        return batch.gray, batch.given, batch.hints

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        """The scalar to minimise, from the network's output (B, outputs, H/fold, W/fold)."""
        raise NotImplementedError(f"{type(self).__name__} has no loss(output, batch)")


class Distribution(Recipe):
    """Learn, for every pixel, the probability of each colour.

    Cross-entropy against a soft target: the true chroma lies in a square of four cells and is
    written as their bilinear weights, so that the target's mean is exactly the true chroma.
    """

    name, head = "distribution", "distribution"

    def __init__(self, spacing: float = 0.2, fold: int = 2):
        super().__init__(spacing, fold)
        cells = get_head(self.head).cells(spacing)
        assert cells is not None
        self.lattice = cell_lattice(cells, spacing)

    def setup(self, model: ColorNet, pixels: Tensor) -> None:
        """Count the share of each cell: logit adjustment needs that prior later."""
        total = torch.zeros_like(model.prior)
        for part in pixels.split(500):
            index, share, weight = self.target(part.to(total.device).float() / 255)
            total.scatter_add_(0, index.flatten(), (share * weight).flatten())
        model.prior.copy_((total / total.sum()).clamp(min=1e-6))

    def target(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cells (B, 4, h, w), their shares, summing to 1, and each pixel's weight (B, 1, h, w)."""
        chroma, weight = chroma_target(rgb, self.fold)
        return *self.encode(chroma), weight

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        index, share, weight = self.target(batch.rgb)
        # channels last, as the network leaves them: along its last dimension softmax is faster
        loss = CrossEntropy.apply(*(x.permute(0, 2, 3, 1) for x in (output, index, share)))
        return (weight[:, 0] * loss).sum() / weight.sum().clamp(min=1e-6)

    def encode(self, chroma: Tensor) -> tuple[Tensor, Tensor]:
        """Chroma (B, 2, h, w) as (cell numbers, shares), each (B, 4, h, w), shares summing to 1."""
        lattice = self.lattice.to(chroma.device)
        place = chroma / self.spacing + len(lattice) // 2
        low = place.floor().clamp(0, len(lattice) - 2)
        (x, y), (i, j) = (place - low).unbind(1), low.long().unbind(1)
        corners = lattice[i, j], lattice[i + 1, j], lattice[i, j + 1], lattice[i + 1, j + 1]
        shares = (1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y
        return torch.stack(corners, 1), torch.stack(shares, 1)


class ChromaRegression(Recipe):
    """Learn the chroma itself with a robust loss, for comparison."""

    name, head = "regression", "chroma"

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        target, weight = chroma_target(batch.rgb, self.fold)
        loss = F.smooth_l1_loss(output, target, beta=0.1, reduction="none")
        return (weight * loss).sum() / weight.sum().clamp(min=1e-6)


def build(config: Config) -> tuple[ColorNet, Recipe]:
    """The (model, recipe) that a config describes, its weights drawn from the seed.

    With `config.init_from` the network is that of those weights, and the config is set to say so.
    """
    torch.manual_seed(config.seed)
    initial = None
    if config.init_from:  # a run of that name, else shipped weights, or a file
        run = paths.runs() / config.init_from / "model.safetensors"
        initial = load_model(run if run.is_file() else config.init_from)
        for name in SHAPE:
            shape = initial.config[name]
            setattr(config, name, tuple(shape) if isinstance(shape, list) else shape)
    recipe = look_up(RECIPES, config.recipe, "recipe")(config.spacing, config.fold)
    model = ColorNet(head=recipe.head, **{name: getattr(config, name) for name in SHAPE})
    if initial:
        if initial.config["head"] != recipe.head:
            found = f"{config.init_from} puts out {initial.config['head']}"
            raise ValueError(f"init_from: {found}, recipe {config.recipe} expects {recipe.head}")
        model.load_state_dict(initial.state_dict())
    return model, recipe


def check_compatible(model: ColorNet, recipe: Recipe, config: Config) -> None:
    """Raise ValueError unless the network, the recipe and the config belong together."""
    for part, kind in ((model, ColorNet), (recipe, Recipe), (config, Config)):
        if not isinstance(part, kind):
            raise ValueError(f"fit: got {type(part).__name__}, expected a {kind.__name__}")
    expected: dict[str, tuple[Any, Any]] = {"recipe": (recipe.name, config.recipe)}
    expected |= {"head": (model.config["head"], recipe.head), "fold": (model.fold, recipe.fold)}
    if recipe.head == "distribution":
        expected["spacing"] = model.config["spacing"], recipe.spacing
    for name, (found, other) in expected.items():
        if found != other:
            differs = f"{name} is {found!r} here and {other!r} there"
            raise ValueError(f"fit: {differs}; `build(config)` makes a model and recipe that match")
