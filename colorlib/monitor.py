"""Around a run: its folder and lock, validation, health, a strip of images, the record."""

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
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
from colorlib.model import ColorNet, colorize, evaluation_mode, save_model
from colorlib.paths import machine

LEFT = ("model.safetensors", "strip.png", "history.json")  # what `finish` leaves, in this order


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Keep other processes out of `folder`, and clear what a killed run left half written in it.

    Raises ValueError where another process trains there, and OSError that says what to do where
    the folder cannot be written: now, not after hours. The lock of a process that died is void.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock", timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise ValueError(
                f"{folder.name} is being trained by another process. Wait for it, or give this "
                "run another name"
            ) from None
        except (OSError, NotImplementedError):
            pass  # a file system without locks, as that of Google Drive, or one that is read-only
        for part in folder.glob("*.part"):
            part.unlink()
        with paths.replacing(folder / "writable") as part:
            part.write_bytes(b"yes")
        (folder / "writable").unlink()
    except OSError as error:
        lock.release()
        raise OSError(
            f"{folder} cannot be written ({error.strerror or error}), so no run can be kept there. "
            "Set COLORLIB_DATA to a folder that can"
        ) from error
    try:
        yield
    finally:
        lock.release()


def validate(
    model: ColorNet, recipe, validation: Pixels, config: Config, count: int = 1000
) -> dict:
    """Loss, PSNR and raw AuC on the first `count` held-out pixels (N, 3, H, W); {} without any."""
    if not len(validation):
        return {}
    known = "luma" if config.given == "luma" else "value"
    with evaluation_mode(model) as device:
        rgb = gather(validation, torch.arange(min(count, len(validation)))).to(device).float() / 255
        gray = to_gray(rgb, known)
        flag = torch.full((len(gray),), int(known == "luma"), device=device)
        parts = zip(gray.split(250), flag.split(250), rgb.split(250), strict=True)
        loss = np.mean([recipe.loss(model(g, f), Batch(t, g, f)).item() for g, f, t in parts])
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the validation loss is {loss}. The last good checkpoint, if any, is kept in "
                f"{config.name}. Lower the learning rate, and give that run another name"
            )
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
    for name, weight in model.state_dict().items():  # and the means that normalisation keeps
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
        "precision": config.mixed_precision().replace("no", "float32"),
        "command": command(config, processes),
    }
    paths.write_json(folder / "history.json", made)
