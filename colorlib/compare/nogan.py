"""NoGAN, DeOldify's order of things: feature loss alone, then a critic, then a short game of both.

Source: J. Antic 2019, DeOldify's README, "What is NoGAN?"; the feature loss after Johnson et al.
2016. DeOldify's features come from a VGG16 that learned ImageNet's labels; ours from a small
classifier that learned CIFAR-100's ("features" in classifier.py, not the judge that measures).
Either way people's labels are in it: this recipe is not fully self-supervised.
"""

import copy
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib import checkpoint, paths
from colorlib.batches import Batch, batch, generator
from colorlib.color import join, luma
from colorlib.compare.classifier import load_classifier
from colorlib.compare.semantic import frechet
from colorlib.config import Config
from colorlib.data import split_validation, to_tensor
from colorlib.datasets.pixels import as_pixels
from colorlib.model import ColorNet, colorize, load_model, mark, save_model
from colorlib.recipes import Recipe

LOOKS = 8  # at the quality, during the game
RATE = 2e-4  # Adam's, of both sides in the game; the critic alone learns at five times that
WEIGHT = 0.1  # of the critic's verdict beside the feature loss


def critic() -> nn.Sequential:
    """RGB (B, 3, 32, 32) -> logits (B, 1, 4, 4): is each part of the picture a true one?"""
    layers, inputs = [], 3
    for width in (48, 96, 192):
        layers += [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.1)]
        inputs = width
    return nn.Sequential(*layers, nn.Conv2d(inputs, 1, 3, padding=1))


def home(config: Config) -> Path:
    """The folder that keeps the game of a generator's run."""
    return paths.runs() / f"{config.name}-game"


def play(model: ColorNet, images, config: Config, quality=None) -> list[dict]:
    """Go on from a generator that `fit` trained on `FeatureLoss`; returns what each look saw.

    The critic learns alone for one epoch, the game takes up to another.
    model is left, and saved in data/runs/NAME-game, as it was when its quality peaked: the lowest
    `quality(model)`, by default the Fréchet distance of 1,000 validation images to their originals
    in the features it learned from. A finished game from the same generator is read from there.
    """
    from accelerate import Accelerator
    from tqdm import tqdm

    folder, begun = home(config), mark(model)
    record = folder / "history.json"
    if record.is_file():
        finished = json.loads(record.read_text(encoding="utf-8"))
        if finished["generator"] == begun:
            model.load_state_dict(load_model(folder / "model.safetensors").state_dict())
            return finished["history"]
    checkpoint.make_ready(folder)
    accelerator = Accelerator()
    training, held = split_validation(images, config.held)
    pixels, began = as_pixels(training)[: config.count], time.perf_counter()
    steps = len(pixels) // config.batch_size
    truth = to_tensor(held[:1000])
    features = load_classifier("features")
    quality = quality or (lambda net: frechet(features, colorize(net, luma(truth), "luma"), truth))
    torch.manual_seed(config.seed)
    judge = critic().to(accelerator.device, memory_format=torch.channels_last)
    recipe = FeatureLoss()
    recipe.start(model, pixels[:0])
    critics = torch.optim.Adam(judge.parameters(), 5 * RATE, betas=(0.5, 0.99))
    painters = torch.optim.Adam(model.parameters(), RATE, betas=(0.5, 0.99))
    best, kept, history = quality(model), copy.deepcopy(model.state_dict()), []
    history.append({"game_step": 0, "quality": best})
    model.train()
    order = torch.randperm(len(pixels), generator=generator(config.seed, -2))
    for step in tqdm(range(2 * steps), folder.name, unit=" steps"):
        if step == steps:
            critics.param_groups[0]["lr"] = RATE
        samples = batch(pixels, order, step, steps, config, accelerator)
        playing = step >= steps
        with torch.set_grad_enabled(playing):
            painted = picture(model(samples.gray, samples.given), samples)
        real, fake = judge(samples.rgb), judge(painted.detach())
        loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        critics.zero_grad()
        loss.backward()
        critics.step()
        if not playing:
            continue
        judge.requires_grad_(False)
        fooled = F.softplus(-judge(painted)).mean()
        painters.zero_grad()
        (recipe.picture_loss(painted, samples) + WEIGHT * fooled).backward()
        painters.step()
        judge.requires_grad_(True)
        if (step + 1) % max(1, steps // LOOKS) == 0:
            row = {"game_step": step + 1 - steps, "quality": quality(model)}
            history.append(row | {"critic_loss": loss.item()})
            if row["quality"] < best:
                best, kept = row["quality"], copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    history[-1]["seconds"] = time.perf_counter() - began
    save_model(model, folder / "model.safetensors")
    paths.write_json(record, {"generator": begun, "history": history})
    return history


class FeatureLoss(Recipe):
    """NoGAN's first step, DeOldify's generator: a picture with the right features.

    Mean absolute error of the picture and of a classifier's feature maps, each map divided by its
    mean magnitude. Source: Johnson et al. 2016, section 3.2.
    """

    name, head = "features", "chroma"

    def start(self, model, pixels: Tensor) -> None:
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
