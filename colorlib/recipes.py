"""Recipes: what is minimised. One small class per way of learning the same thing.

A recipe has a `name`, a `head` (what the network puts out, see decode.py) and
`loss(output, batch)`, a scalar for the network's output (B, outputs, H/fold, W/fold). The target
is made from the image alone: nothing was ever labelled. Before that, `start(model, pixels)` sees
some of the training images, uint8 (N, 3, H, W). Every sum over pixels is a mean, so that rates
carry over. `build` makes the network and the recipe that a config describes.
"""

import importlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from colorlib import paths
from colorlib.batches import Batch
from colorlib.color import hsv_to_chroma, join, rgb_to_hsv, rgb_to_lab
from colorlib.config import Config
from colorlib.decode import AB_SPACING, cell_lattice, cells_of
from colorlib.fast.soft_cross_entropy import CrossEntropy
from colorlib.model import ColorNet, load_model

# name -> the recipe's class, or "module:class", which `get_recipe` imports when it is used. A new
# recipe is one more line here, or in a notebook `RECIPES["mine"] = Mine`.
RECIPES: dict[str, str | type] = {
    "distribution": "colorlib.recipes:Distribution",
    "eccv16": "colorlib.recipes:Rebalanced",
    "regression": "colorlib.recipes:ChromaRegression",
    "original": "colorlib.recipes:HueSaturation",
    "features": "colorlib.recipes:FeatureLoss",
    "hard": "colorlib.study:Hard",
    "unweighted": "colorlib.study:Unweighted",
    "averaged": "colorlib.study:Averaged",
}
SHAPE = ("widths", "down", "up", "spacing", "fold")  # of a network


def chroma_target(rgb: Tensor, fold: int = 2) -> tuple[Tensor, Tensor]:
    """The chroma (B, 2, H/fold, W/fold) to predict, and the weight (B, 1, ...) of each pixel.

    Pixels weigh by value, in a block's mean as in the loss: colour does not show in the dark.
    """
    hsv = rgb_to_hsv(rgb)
    value = hsv[:, 2:]
    weight = F.avg_pool2d(value, fold)
    return F.avg_pool2d(hsv_to_chroma(hsv) * value, fold) / weight.clamp(min=1e-6), weight


class Recipe:
    """What all recipes share: by default nothing is looked at before training starts."""

    name, head = "", "chroma"

    def __init__(self, spacing: float = 0.2, fold: int = 2):
        self.spacing, self.fold = spacing, fold

    def start(self, model, pixels: Tensor) -> None:
        pass


class Distribution(Recipe):
    """Learn, for every pixel, how likely each colour is.

    Cross-entropy against a soft target: the true chroma lies in a square of four cells and is
    written as their bilinear weights, so that the target's mean is exactly the true chroma.
    """

    name, head = "distribution", "distribution"

    def __init__(self, spacing: float = 0.2, fold: int = 2):
        super().__init__(spacing, fold)
        self.lattice = cell_lattice(cells_of(self.head, spacing), spacing)

    def start(self, model, pixels: Tensor) -> None:
        """Count how common each cell is: logit adjustment needs that prior later."""
        model.prior.copy_(count_cells(self, model, pixels).clamp(min=1e-6))

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


def count_cells(recipe, model, pixels: Tensor) -> Tensor:
    """Share (K,) of each cell among the recipe's targets of uint8 pixels (N, 3, H, W)."""
    total = torch.zeros_like(model.prior)
    for part in pixels.split(500):
        index, share, weight = recipe.target(part.to(total.device).float() / 255)
        total.scatter_add_(0, index.flatten(), (share * weight).flatten())
    return total / total.sum()


class Rebalanced(Distribution):
    """ECCV16's recipe: a distribution over ab cells, rare colours weighted up.

    Source: Zhang, Isola, Efros 2016, section 2: soft encoding on the 5 nearest cells with a
    Gaussian of sigma 5 (2.1), weights from the prior smoothed by the same Gaussian and mixed with a
    uniform one, lambda 0.5 (2.2, equation 4). Its annealed mean (2.3) is in `decode`.
    """

    name, head = "eccv16", "ab"
    sigma, uniform, nearest = 5.0, 0.5, 5

    def __init__(self, spacing: float = 0.2, fold: int = 2):
        super().__init__(AB_SPACING, fold)
        self.weight = torch.ones(int(self.lattice.max()) + 1)

    def start(self, model, pixels: Tensor) -> None:
        self.weight = torch.ones(len(model.cells))  # of the images, before any rebalancing
        super().start(model, pixels)
        near = torch.exp(-torch.cdist(model.cells, model.cells).square() / (2 * self.sigma**2))
        self.smooth = (near / near.sum(0)) @ model.prior
        weight = 1 / ((1 - self.uniform) * self.smooth + self.uniform / len(self.smooth))
        self.weight = weight / (weight * self.smooth).sum()

    def target(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cells (B, 5, h, w), nearest first, their shares, and each pixel's weight."""
        index, share = self.encode(F.avg_pool2d(rgb_to_lab(rgb)[:, 1:], self.fold))
        return index, share, self.weight.to(share)[index[:, :1]]

    def encode(self, ab: Tensor) -> tuple[Tensor, Tensor]:
        """ab (B, 2, h, w) as (cell numbers, shares), each (B, 5, h, w), the largest first."""
        reach = len(self.lattice) // 2
        lattice = F.pad(self.lattice, (2, 2, 2, 2), value=-1).to(ab.device)
        ab = ab.permute(0, 2, 3, 1).unsqueeze(3)  # (B, h, w, 1, 2): topk is faster along the last
        around = torch.cartesian_prod(*2 * [torch.arange(-2, 3, device=ab.device)])
        points = (ab / AB_SPACING).round().clamp(-reach, reach).long() + around
        index = lattice[points[..., 0] + reach + 2, points[..., 1] + reach + 2]
        distance = (points * AB_SPACING - ab).square().sum(-1).masked_fill(index < 0, 1e4)
        distance, chosen = distance.topk(self.nearest, largest=False)
        share = (-distance / (2 * self.sigma**2)).softmax(-1)
        index = index.gather(-1, chosen).clamp(min=0)
        return index.permute(0, 3, 1, 2), share.permute(0, 3, 1, 2)


class ChromaRegression(Recipe):
    """Learn the chroma vector itself, with a robust loss: the plain way, for comparison."""

    name, head = "regression", "chroma"

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        target, weight = chroma_target(batch.rgb, self.fold)
        loss = F.smooth_l1_loss(output, target, beta=0.1, reduction="none")
        return (weight * loss).sum() / weight.sum().clamp(min=1e-6)


class HueSaturation(Recipe):
    """What the original course project did: hue and saturation as numbers, mean squared error.

    Hue 0.99 and 0.01 are neighbours, and far apart to this loss.
    """

    name, head = "original", "hue_saturation"

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        predicted = F.interpolate(output.sigmoid(), batch.rgb.shape[-2:], mode="bilinear")
        return F.mse_loss(predicted, rgb_to_hsv(batch.rgb)[:, :2])


class FeatureLoss(Recipe):
    """NoGAN's first step, DeOldify's generator: a picture with the right features.

    Mean absolute error of the picture and of a classifier's feature maps, each map divided by its
    mean magnitude. Source: Johnson et al. 2016, section 3.2. The rest of NoGAN is in nogan.py.
    """

    name, head = "features", "chroma"

    def start(self, model, pixels: Tensor) -> None:
        from colorlib.judge import load_classifier

        self.classifier = load_classifier("features", next(model.parameters()).device)
        self.classifier.requires_grad_(False)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        return self.picture_loss(picture(output, batch), batch)

    def picture_loss(self, rgb: Tensor, batch: Batch) -> Tensor:
        """The loss of a picture (B, 3, H, W) that is made already."""
        loss = (rgb - batch.rgb).abs().mean()
        with torch.no_grad():
            true = self.classifier.stages(batch.rgb)
        for painted, wanted in zip(self.classifier.stages(rgb), true, strict=True):
            loss = loss + (painted - wanted).abs().mean() / wanted.abs().mean().clamp(min=1e-6)
        return loss


def picture(chroma: Tensor, batch: Batch) -> Tensor:
    """RGB (B, 3, H, W) of chroma (B, 2, h, w) and what was given of each image."""
    # the tiny step keeps the gradient of an exact zero's saturation finite
    chroma = F.interpolate(chroma + 1e-6, batch.rgb.shape[-2:], mode="bilinear")
    rgb = torch.empty_like(batch.rgb)
    for number, given in enumerate(("value", "luma")):
        of = batch.given == number
        if of.any():
            rgb[of] = join(chroma[of], batch.gray[of], given)
    return rgb


def get_recipe(name: str) -> type[Recipe]:
    """The recipe class of that name in `RECIPES`, imported when it is asked for."""
    if name not in RECIPES:
        raise ValueError(f"recipe: got {name!r}, wanted {' or '.join(RECIPES)}")
    found = RECIPES[name]
    if isinstance(found, str):
        module, _, title = found.partition(":")
        found = getattr(importlib.import_module(module), title)
    return found


def build(config: Config):
    """The (model, recipe) that a config describes, its weights drawn from the seed.

    With `start` the network is as those weights are, and the config is set to say so.
    """
    torch.manual_seed(config.seed)
    begun = load_model(start_file(config.start)) if config.start else None
    if begun:
        for name in SHAPE:
            shape = begun.config[name]
            setattr(config, name, tuple(shape) if isinstance(shape, list) else shape)
    recipe = get_recipe(config.recipe)(config.spacing, config.fold)
    model = ColorNet(head=recipe.head, **{name: getattr(config, name) for name in SHAPE})
    if begun:
        if begun.config["head"] != recipe.head:
            raise ValueError(
                f"start: {config.start} puts out {begun.config['head']}, "
                f"the recipe {config.recipe} wants {recipe.head}"
            )
        state = begun.state_dict()
        state.pop("common", None)  # the vividness of what is learned now is for `ship` to choose
        model.load_state_dict(state)
    return model, recipe


def check_together(model: ColorNet, recipe, config: Config) -> None:
    """Raise ValueError where a network, a recipe and a config are not of one another."""
    wanted = {"recipe": (recipe.name, config.recipe), "head": (model.config["head"], recipe.head)}
    wanted["fold"] = model.fold, recipe.fold
    if recipe.head == "distribution":
        wanted["spacing"] = model.config["spacing"], recipe.spacing
    for name, (found, other) in wanted.items():
        if found != other:
            raise ValueError(
                f"fit: {name} is {found!r} here and {other!r} there; `build(config)` makes a model "
                "and a recipe that go together"
            )


def start_file(start: str) -> str | Path:
    """What `load_model` reads for `Config.start`: a run of that name, else shipped ones, a file."""
    run = paths.runs() / start / "model.safetensors"
    return run if run.is_file() else start
