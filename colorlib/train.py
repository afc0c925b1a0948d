"""The training loop: one process or many, CPU or GPU, safe to stop and call again.

The whole set stays on the device as 8-bit integers and is gathered and augmented in batches, with
no worker processes (after `CifarLoader` of cifar10-airbench). Every random choice is drawn from
(seed, epoch) or (seed, step), never from what happened before, so that a resumed run goes on
exactly (in full precision on the same machine).
"""

import dataclasses
import hashlib
import json
import math
import time

import numpy as np
import torch
from torch import Tensor

from colorlib import checkpoint, paths
from colorlib.color import hsv_to_rgb, to_gray
from colorlib.config import Config
from colorlib.data import check_uint8, split_validation
from colorlib.model import ColorNet
from colorlib.monitor import Strip, finish, validate


def fit(model: ColorNet, recipe, images, config: Config, on_epoch=None) -> list[dict]:
    """Train `model` in place; return the history, one dict an epoch.

    images: uint8 (N, H, W, 3), or prepared HSV (N, 3, H, W); the last 5,000 (or tenth) validate.
    The run lives in data/runs/NAME: call again to resume after any stop. on_epoch(history, strip)
    is called after each epoch, strip being eight validation images as they look by then, uint8
    (epochs + 2, 8, H, W, 3), truth and input first. Raises ValueError if NAME holds a run of
    another config or data, FloatingPointError when the loss is no longer finite.
    """
    from accelerate import Accelerator
    from tqdm import tqdm

    pixels, held = (as_pixels(part) for part in split_validation(images))
    check_pixels(pixels, config, model.stride)
    pixels = pixels[: config.count]
    steps = len(pixels) // config.batch_size
    accelerator = Accelerator(mixed_precision=config.precision)
    pixels = pixels.to(accelerator.device)
    model.to(accelerator.device, memory_format=torch.channels_last).train()
    recipe.start(model, pixels)
    optimizer = make_optimizer(model, config)
    folder = paths.runs() / config.name
    wanted = dataclasses.asdict(config) | {"data": fingerprint(pixels)}
    wanted = json.loads(json.dumps(wanted))
    state = checkpoint.load_newest(folder)
    step, history, seconds, losses = 0, [], 0.0, []
    pool = torch.cat((held, pixels[:8].cpu()))
    strip = Strip(pool[torch.arange(8) % len(pool)], config)
    if state:
        checkpoint.check_same(state["config"], wanted, folder)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, history, seconds = state["step"], state["history"], state["seconds"]
        losses, strip.rows = state["losses"], state["strip"]
    network, optimizer = accelerator.prepare(model, optimizer)
    first, clock = step, time.perf_counter() - seconds

    def save():
        if accelerator.is_main_process:
            state = {"config": wanted, "model": model.state_dict(), "step": step}
            state |= {"optimizer": optimizer.state_dict(), "history": history}
            state |= {"losses": losses, "strip": strip.rows}
            checkpoint.save(folder, step, state | {"seconds": time.perf_counter() - clock})

    title = {"unit": " steps", "desc": config.name}
    if not accelerator.is_main_process:
        title["disable"] = True
    bar = tqdm(total=steps * config.epochs, initial=step, **title)
    with bar, checkpoint.interruptible() as stop:
        while step < steps * config.epochs:
            epoch, place = divmod(step, steps)
            if place == 0 or step == first:
                order = torch.randperm(len(pixels), generator=generator(config.seed, epoch))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(config, step / (steps * config.epochs))
            rgb, gray, given = batch(pixels, order, step, steps, config, accelerator)
            with accelerator.autocast():
                output = network(gray, given)
            loss = recipe.loss(output.float(), rgb)
            optimizer.zero_grad()
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(network.parameters(), config.clip)
            optimizer.step()
            losses.append(loss.item())
            step += 1
            if not math.isfinite(losses[-1]):
                raise FloatingPointError(
                    f"the loss is {losses[-1]} at step {step} (epoch {epoch + 1}). The last "
                    f"good checkpoint, if any, is kept in {folder.name}. Lower the learning rate"
                )
            bar.update()
            bar.set_postfix(loss=f"{np.mean(losses[-50:]):.4f}", refresh=False)
            if step % steps == 0:
                measured = validate(model, recipe, held, config)
                row = {"epoch": epoch + 1, "train_loss": float(np.mean(losses))}
                history.append(row | measured | {"seconds": time.perf_counter() - clock})
                losses = []
                strip.add(model)
                save()
                if on_epoch and accelerator.is_main_process:
                    on_epoch(history, strip.rows.numpy())
            elif stop.is_set():
                save()
            if stop.is_set():
                print(
                    f"Stopped at step {step} of {steps * config.epochs}; call fit again to go on."
                )
                return history
    if accelerator.is_main_process and (first < step or not (folder / "history.json").exists()):
        data = {"training": len(pixels), "validation": len(held), "sha256": wanted["data"]}
        finish(model, config, history, strip, folder, data)
    return history


def as_pixels(images) -> Tensor:
    """uint8 images (N, H, W, 3), or prepared HSV (N, 3, H, W), to uint8 pixels (N, 3, H, W)."""
    if isinstance(images, np.ndarray) and images.dtype == np.float16:
        parts = [images[i : i + 2500] for i in range(0, len(images), 2500)]
        return torch.cat(
            [(hsv_to_rgb(torch.from_numpy(np.array(p))) * 255).round().byte() for p in parts]
        )
    return torch.from_numpy(np.array(check_uint8(images))).permute(0, 3, 1, 2).contiguous()


def check_pixels(pixels: Tensor, config: Config, stride: int) -> None:
    """Raise ValueError where training pixels (N, 3, H, W) do not go with the config."""
    count, _, height, width = pixels.shape
    if config.count is not None and config.count > count:
        raise ValueError(f"count: got {config.count}, but there are {count} training images")
    if (config.count or count) < config.batch_size:
        raise ValueError(
            f"{config.count or count} training images are too few: a batch is {config.batch_size}"
        )
    if min(height, width) < 32 or height % stride or width % stride:
        raise ValueError(
            f"images: got {height} x {width} pixels, wanted sides from 32 that are multiples of "
            f"{stride} for this network"
        )


def generator(*numbers: int) -> torch.Generator:
    """A CPU generator that depends on these numbers alone."""
    digest = hashlib.sha256(repr(numbers).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def learning_rate(config: Config, done: float) -> float:
    """One cycle: a linear rise, then half a cosine down to zero. done: share of the run, 0 to 1."""
    if done < config.warmup:
        return config.learning_rate * done / config.warmup
    fall = (done - config.warmup) / (1 - config.warmup)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * fall))


def make_optimizer(model: ColorNet, config: Config) -> torch.optim.Optimizer:
    """AdamW; only convolutions decay, not biases or normalisation."""
    kernels = [p for p in model.parameters() if p.ndim == 4]
    others = [p for p in model.parameters() if p.ndim != 4]
    groups = [
        {"params": kernels, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99), fused=True)


def batch(pixels: Tensor, order: Tensor, step: int, steps: int, config: Config, accelerator):
    """This process's share of a step's batch: true rgb, gray, and which gray is given.

    All is drawn for the whole batch and then shared out, so any number of processes sees the same.
    """
    size, place = config.batch_size, step % steps
    random = generator(config.seed, -1, step)
    chosen = order[place * size : (place + 1) * size]
    flip, coin = torch.rand((2, size), generator=random) < 0.5
    mine = slice(accelerator.process_index, None, accelerator.num_processes)
    chosen, flip, coin = (x[mine].to(pixels.device) for x in (chosen, flip, coin))
    rgb = pixels[chosen].float() / 255
    rgb = torch.where(flip.view(-1, 1, 1, 1), rgb.flip(-1), rgb)
    given = coin.long() if config.given == "both" else (coin >= 0).long() * (config.given == "luma")
    gray = torch.where(given.view(-1, 1, 1, 1) == 1, to_gray(rgb, "luma"), to_gray(rgb, "value"))
    return rgb, gray, given


def fingerprint(pixels: Tensor) -> str:
    """SHA-256 of the training pixels: a checkpoint belongs to one data set."""
    return hashlib.sha256(pixels.cpu().numpy().tobytes()).hexdigest()
