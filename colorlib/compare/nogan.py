"""NoGAN, DeOldify's way to train: feature loss alone, then a critic, then both for a short while.

Source: J. Antic 2019, DeOldify's README, "What is NoGAN?". DeOldify's features are those of a VGG16
that was trained on ImageNet's labels; these are of a small classifier that was trained on
CIFAR-100's. Either way labels are involved: this recipe is not fully self-supervised.
"""

import copy
import json
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from colorlib import paths
from colorlib.batches import Batch, draw_batch, generator
from colorlib.color import add_chroma, luma
from colorlib.compare.classifier import Classifier, load_classifier
from colorlib.compare.semantic import frechet
from colorlib.config import Config
from colorlib.data import split_validation, to_tensor
from colorlib.datasets.pixels import Pixels, as_pixels
from colorlib.environment import make_accelerator
from colorlib.model import ColorNet, colorize, load_model, save_model
from colorlib.recipes import Recipe
from colorlib.report.store import weights_digest

CHECKS = 8  # measurements of the quality during the adversarial phase
RATE = 2e-4  # Adam's, of both networks; the critic alone trains at five times that
WEIGHT = 0.1  # of the critic's loss beside the feature loss


class FeatureLoss(Recipe):
    """NoGAN's first phase: mean absolute error of the picture and of a classifier's feature maps.

    Each map is divided by its mean magnitude. Source: Johnson et al. 2016, section 3.2.
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


def critic() -> nn.Sequential:
    """RGB (B, 3, 32, 32) -> logits (B, 1, 4, 4): is each part of the picture a true one?"""
    layers, inputs = [], 3
    for width in (48, 96, 192):
        layers += [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.1)]
        inputs = width
    return nn.Sequential(*layers, nn.Conv2d(inputs, 1, 3, padding=1))


def adversarial_phase(model: ColorNet, images: np.ndarray, config: Config) -> list[dict]:
    """Go on from a generator that `fit` trained on `FeatureLoss`; return what each check measured.

    The model is left, and saved in data/runs/NAME-game, as it was when its `quality` was best. A
    finished phase of the same generator is read from there.
    """
    folder, digest = paths.runs() / f"{config.name}-game", weights_digest(model)
    weights, record = folder / "model.safetensors", folder / "history.json"
    if record.is_file():
        finished = json.loads(record.read_text(encoding="utf-8"))
        if finished["generator"] == digest:
            model.load_state_dict(load_model(weights).state_dict())
            return finished["history"]
    training, validation = split_validation(images, config.validation)
    with paths.owned(folder):
        began, pixels = time.perf_counter(), as_pixels(training)[: config.count]
        history = train_against_critic(model, pixels, to_tensor(validation[:1000]), config)
        history[-1]["seconds"] = time.perf_counter() - began
        save_model(model, weights)
        paths.write_json(record, {"generator": digest, "history": history})
    return history


def quality(model: ColorNet, truth: Tensor, classifier: Classifier) -> float:
    """Fréchet distance of coloured images to the truth in the features that the recipe learns."""
    return frechet(classifier, colorize(model, luma(truth), "luma"), truth)


def train_against_critic(
    model: ColorNet, pixels: Pixels, truth: Tensor, config: Config
) -> list[dict]:
    """The critic alone for one epoch, then both networks for one; leaves the model at its best."""
    accelerator, steps = make_accelerator(), len(pixels) // config.batch_size
    torch.manual_seed(config.seed)
    discriminator = critic().to(accelerator.device, memory_format=torch.channels_last)
    recipe = FeatureLoss()
    recipe.setup(model, pixels[:0])
    critic_optimizer = torch.optim.Adam(discriminator.parameters(), 5 * RATE, betas=(0.5, 0.99))
    generator_optimizer = torch.optim.Adam(model.parameters(), RATE, betas=(0.5, 0.99))
    best, best_state = quality(model, truth, recipe.classifier), copy.deepcopy(model.state_dict())
    history = [{"step": 0, "quality": best}]
    model.train()
    order = torch.randperm(len(pixels), generator=generator(config.seed, -2))
    for step in tqdm(range(2 * steps), f"{config.name}-game", unit=" steps"):
        adversarial = step >= steps
        if step == steps:
            critic_optimizer.param_groups[0]["lr"] = RATE
        index = order[step % steps * config.batch_size :][: config.batch_size]
        batch = draw_batch(pixels, index, step, config, accelerator)
        with torch.set_grad_enabled(adversarial):
            predicted = to_picture(model(batch.gray, batch.given), batch)
        real, fake = discriminator(batch.rgb), discriminator(predicted.detach())
        critic_loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()
        if not adversarial:
            continue
        discriminator.requires_grad_(False)
        adversarial_loss = F.softplus(-discriminator(predicted)).mean()
        loss = recipe.picture_loss(predicted, batch) + WEIGHT * adversarial_loss
        generator_optimizer.zero_grad()
        loss.backward()
        generator_optimizer.step()
        discriminator.requires_grad_(True)
        if (step + 1) % max(1, steps // CHECKS) == 0:
            row = {"step": step + 1 - steps, "quality": quality(model, truth, recipe.classifier)}
            history.append(row | {"critic_loss": critic_loss.item()})
            if row["quality"] < best:
                best, best_state = row["quality"], copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    return history
