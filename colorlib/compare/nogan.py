"""NoGAN, DeOldify's way to train: feature loss alone, then a critic, then both for a short while.

Source: J. Antic 2019, DeOldify's README, "What is NoGAN?"; the feature loss after Johnson et al.
2016. DeOldify's features come from a VGG16 that was trained on ImageNet's labels; these come from a
small classifier that was trained on CIFAR-100's ("features" in classifier.py, not the one that
measures). Either way labels are involved: this recipe is not fully self-supervised.
"""

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib import paths
from colorlib.batches import Batch, draw_batch, generator
from colorlib.color import add_chroma, luma
from colorlib.compare.classifier import load_classifier
from colorlib.compare.semantic import frechet
from colorlib.config import Config
from colorlib.data import split_validation, to_tensor
from colorlib.datasets.pixels import Pixels, as_pixels
from colorlib.model import ColorNet, colorize, load_model, save_model
from colorlib.recipes import Recipe
from colorlib.report.store import weights_digest

CHECKS = 8  # measurements of the quality during the adversarial phase
RATE = 2e-4  # Adam's, of both networks; the critic alone trains at five times that
WEIGHT = 0.1  # of the critic's loss beside the feature loss

Quality = Callable[[ColorNet], float]


def critic() -> nn.Sequential:
    """RGB (B, 3, 32, 32) -> logits (B, 1, 4, 4): is each part of the picture a true one?"""
    layers, inputs = [], 3
    for width in (48, 96, 192):
        layers += [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.1)]
        inputs = width
    return nn.Sequential(*layers, nn.Conv2d(inputs, 1, 3, padding=1))


def run_folder(config: Config) -> Path:
    """The folder that keeps the adversarial phase of a generator's run."""
    return paths.runs() / f"{config.name}-game"


def adversarial_phase(
    model: ColorNet, images: np.ndarray, config: Config, quality: Quality | None = None
) -> list[dict]:
    """Go on from a generator that `fit` trained on `FeatureLoss`; return what each check measured.

    The critic trains alone for one epoch, both networks for up to another.
    model is left, and saved in data/runs/NAME-game, as it was when its quality was best: the lowest
    `quality(model)`, by default the Fréchet distance of 1,000 validation images to their originals
    in the features it was trained on. A finished phase of the same generator is read from there.
    """
    folder, generator_digest = run_folder(config), weights_digest(model)
    record = folder / "history.json"
    if record.is_file():
        finished = json.loads(record.read_text(encoding="utf-8"))
        if finished["generator"] == generator_digest:
            model.load_state_dict(load_model(folder / "model.safetensors").state_dict())
            return finished["history"]
    training, validation = split_validation(images, config.validation)
    truth, features = to_tensor(validation[:1000]), load_classifier("features")
    quality = quality or (lambda net: frechet(features, colorize(net, luma(truth), "luma"), truth))
    with paths.owned(folder):
        began = time.perf_counter()
        history = train_against_critic(model, as_pixels(training)[: config.count], config, quality)
        history[-1]["seconds"] = time.perf_counter() - began
        save_model(model, folder / "model.safetensors")
        paths.write_json(record, {"generator": generator_digest, "history": history})
    return history


def train_against_critic(
    model: ColorNet, pixels: Pixels, config: Config, quality: Quality
) -> list[dict]:
    """The steps of `adversarial_phase` on training images; leaves the model at its best.

    A loop of its own: two networks take turns here, and `train.epochs` trains one.
    """
    from accelerate import Accelerator
    from tqdm import tqdm

    accelerator, steps = Accelerator(), len(pixels) // config.batch_size
    torch.manual_seed(config.seed)
    discriminator = critic().to(accelerator.device, memory_format=torch.channels_last)
    recipe = FeatureLoss()
    recipe.setup(model, pixels[:0])
    critic_optimizer = torch.optim.Adam(discriminator.parameters(), 5 * RATE, betas=(0.5, 0.99))
    generator_optimizer = torch.optim.Adam(model.parameters(), RATE, betas=(0.5, 0.99))
    best, best_state, history = quality(model), copy.deepcopy(model.state_dict()), []
    history.append({"step": 0, "quality": best})
    model.train()
    order = torch.randperm(len(pixels), generator=generator(config.seed, -2))
    for step in tqdm(range(2 * steps), f"{config.name}-game", unit=" steps"):
        if step == steps:
            critic_optimizer.param_groups[0]["lr"] = RATE
        index = order[step % steps * config.batch_size :][: config.batch_size]
        samples = draw_batch(pixels, index, step, config, accelerator)
        adversarial = step >= steps
        with torch.set_grad_enabled(adversarial):
            predicted = to_picture(model(samples.gray, samples.given), samples)
        real, fake = discriminator(samples.rgb), discriminator(predicted.detach())
        loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        critic_optimizer.zero_grad()
        loss.backward()
        critic_optimizer.step()
        if not adversarial:
            continue
        discriminator.requires_grad_(False)
        adversarial_loss = F.softplus(-discriminator(predicted)).mean()
        generator_optimizer.zero_grad()
        (recipe.picture_loss(predicted, samples) + WEIGHT * adversarial_loss).backward()
        generator_optimizer.step()
        discriminator.requires_grad_(True)
        if (step + 1) % max(1, steps // CHECKS) == 0:
            row = {"step": step + 1 - steps, "quality": quality(model)}
            history.append(row | {"critic_loss": loss.item()})
            if row["quality"] < best:
                best, best_state = row["quality"], copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    return history


class FeatureLoss(Recipe):
    """NoGAN's first phase, DeOldify's generator: a picture with the right features.

    Mean absolute error of the picture and of a classifier's feature maps, each map divided by its
    mean magnitude. Source: Johnson et al. 2016, section 3.2.
    """

    name, head = "features", "chroma"

    def setup(self, model: ColorNet, pixels: Tensor) -> None:
        self.classifier = load_classifier("features", next(model.parameters()).device)
        self.classifier.requires_grad_(False)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        return self.picture_loss(to_picture(output, batch), batch)

    def picture_loss(self, rgb: Tensor, batch: Batch) -> Tensor:
        """The loss of a finished picture (B, 3, H, W)."""
        loss = (rgb - batch.rgb).abs().mean()
        with torch.no_grad():
            true = self.classifier.stages(batch.rgb)
        for found, expected in zip(self.classifier.stages(rgb), true, strict=True):
            loss = loss + (found - expected).abs().mean() / expected.abs().mean().clamp(min=1e-6)
        return loss


def to_picture(chroma: Tensor, batch: Batch) -> Tensor:
    """RGB (B, 3, H, W) of chroma (B, 2, h, w) and each image's input."""
    # the tiny step keeps the gradient of an exact zero's saturation finite
    chroma = F.interpolate(chroma + 1e-6, batch.rgb.shape[-2:], mode="bilinear")
    rgb = torch.empty_like(batch.rgb)
    for number, given in enumerate(("value", "luma")):
        of = batch.given == number
        if of.any():
            rgb[of] = add_chroma(chroma[of], batch.gray[of], given)
    return rgb
