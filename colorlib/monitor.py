"""What is watched while a network trains: validation, health, a strip of images, the record."""

import dataclasses
import math
from datetime import date
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorlib import paths
from colorlib.batches import Batch
from colorlib.color import to_gray
from colorlib.config import Config, command
from colorlib.data import to_images
from colorlib.datasets.pixels import Pixels, gather
from colorlib.metrics import MAX_AB, mean_ab_error, psnr
from colorlib.model import ColorNet, colorize, evaluating, save_model
from colorlib.paths import machine


def validate(model: ColorNet, recipe, held: Pixels, config: Config, count: int = 1000) -> dict:
    """Loss, PSNR and raw AuC on the first `count` held-out pixels (N, 3, H, W); {} without any."""
    if not len(held):
        return {}
    known = "luma" if config.given == "luma" else "value"
    with evaluating(model) as device:
        rgb = gather(held, torch.arange(min(count, len(held)))).to(device).float() / 255
        gray = to_gray(rgb, known)
        flag = torch.full((len(gray),), int(known == "luma"), device=device)
        parts = zip(gray.split(250), flag.split(250), rgb.split(250), strict=True)
        loss = np.mean([recipe.loss(model(g, f), Batch(t, g, f)).item() for g, f, t in parts])
        colored = colorize(model, gray, known)
    return {
        "validation_loss": float(loss),
        "psnr": psnr(colored, rgb).mean().item(),
        "raw_auc": 1 - mean_ab_error(colored, rgb).mean().item() / MAX_AB,
    }


class Strip:
    """Eight images (8, 3, H, W): truth, input, then a row an epoch as the network colours them."""

    def __init__(self, pixels: Tensor, config: Config):
        self.given = "luma" if config.given == "luma" else "value"
        self.gray = to_gray(pixels.float() / 255, self.given)
        truth = pixels.permute(0, 2, 3, 1)
        inputs = torch.from_numpy(to_images(self.gray.expand(-1, 3, -1, -1)))
        self.rows = torch.stack((truth, inputs))

    def add(self, model: ColorNet) -> None:
        gray = self.gray.to(next(model.parameters()).device)
        row = torch.from_numpy(to_images(colorize(model, gray, self.given)))
        self.rows = torch.cat((self.rows, row[None]))


def finite(losses: list[torch.Tensor], step: int, epoch: int, folder) -> list[float]:
    """The losses of the steps up to `step` as numbers; FloatingPointError at one not finite."""
    values = torch.stack(losses).tolist()
    for number, value in enumerate(values, step - len(values) + 1):
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss is {value} at step {number} (epoch {epoch + 1}). The last good "
                f"checkpoint, if any, is kept in {folder.name}. Lower the learning rate, and give "
                "that run another name"
            )
    return values


def check_weights(model: ColorNet, step: int, folder) -> None:
    """FloatingPointError where a weight is not finite: such a checkpoint must not be kept."""
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            raise FloatingPointError(
                f"{name} is no longer finite after step {step}. The last good checkpoint, if any, "
                f"is kept in {folder.name}. Lower the learning rate, and give that run another name"
            )


def finish(
    model, config, history: list[dict], strip: Strip, folder: Path, data: dict, processes: int
) -> None:
    """Leave the weights, how they were made, and the strip in the run's folder."""
    save_model(model, folder / "model.safetensors")
    rows = strip.rows.permute(0, 2, 1, 3, 4).flatten(2, 3).flatten(0, 1)  # (R 32, 8 x 32, 3)
    with paths.replacing(folder / "strip.png") as part:
        Image.fromarray(rows.numpy()).save(part, format="PNG")
    made = {
        "config": dataclasses.asdict(config),
        "data": data,
        "history": history,
        "minutes": round(history[-1]["seconds"] / 60, 1),
        "machine": machine(),
        "date": date.today().isoformat(),
        "processes": processes,
        "products": config.mixed_precision().replace("no", "float32"),
        "command": command(config, processes),
    }
    paths.write_json(folder / "history.json", made)
