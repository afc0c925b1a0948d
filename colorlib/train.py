"""The training loop: one process or many, CPU or GPU, safe to stop and call again.

Every random choice is drawn from (seed, epoch) or (seed, step), never from what happened before, so
that a resumed run goes on exactly (in full precision on the same machine, with as many threads).
docs/benchmarks.md says how many images a second it trains.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from colorlib import paths
from colorlib.batches import Batch, batches
from colorlib.checkpoint import Run, diverged
from colorlib.color import to_gray
from colorlib.config import Config
from colorlib.data import to_images
from colorlib.datasets.pixels import Pixels, first_images, gather, training_pixels
from colorlib.datasets.strip import save_strip, start_strip
from colorlib.environment import command, make_accelerator
from colorlib.fast.denormals import flushed_denormals
from colorlib.fast.muon import Muon
from colorlib.fast.precision import choose_precision
from colorlib.metrics import MAX_AB, mean_ab_error, psnr
from colorlib.model import ColorNet, Network, colorize, evaluation_mode, save_model
from colorlib.recipes import Recipe, check_compatible

if TYPE_CHECKING:
    from accelerate import Accelerator

FILES = ("model.safetensors", "strip.png", "history.json")  # of a finished run, as they are written
Row = dict[str, float]  # what an epoch measured
OnEpoch = Callable[[list[Row], np.ndarray], None]


def fit(
    model: ColorNet, recipe: Recipe, images: np.ndarray, config: Config,
    on_epoch: OnEpoch | None = None,
) -> list[Row]:  # fmt: skip
    """Train `model` in place; return the history, one dict an epoch.

    images: uint8 (N, H, W, 3), or prepared HSV (N, 3, H, W); the last `config.validation` validate.
    The run lives in data/runs/NAME; a second call resumes it. on_epoch(history, strip) is called
    after each epoch; the strip holds eight validation images, uint8 (epochs + 2, 8, H, W, 3): the
    truth, the input, and the prediction after each epoch. Raises ValueError if NAME holds a run of
    another config or data, or another process trains it, OSError if its folder cannot be written,
    FloatingPointError when the loss is no longer finite. Ctrl-C and a full disk stop it, with a
    message, and return the history so far.
    """
    check_compatible(model, recipe, config)
    accelerator = make_accelerator()
    pixels, validation = training_pixels(images, config, model.stride, accelerator.device)
    model.to(accelerator.device).to(memory_format=torch.channels_last).train()
    model.trained_input, model.schedules = config.given, {}  # tuned for earlier weights
    recipe.setup(model, first_images(pixels))
    run = Run(model, make_optimizers(model, config), pixels, config, accelerator)
    shown = validation if len(validation) else pixels
    gray, run.extra["strip"] = start_strip(shown, input_kind(config))
    run.resume()
    if run.finished and all((run.folder / name).exists() for name in FILES):
        return run.history
    with run.opened():
        for row in epochs(run, recipe):
            row |= validate(model, recipe, validation, config)
            colored = torch.from_numpy(to_images(colorize(model, gray, input_kind(config))))
            run.extra["strip"] = torch.cat((run.extra["strip"], colored[None]))
            if on_epoch and accelerator.is_main_process:
                on_epoch(run.history, run.extra["strip"].numpy())
        if run.finished and accelerator.is_main_process:
            run.try_write(lambda: finish(run, len(validation)))
    accelerator.wait_for_everyone()
    return run.history


def epochs(run: Run, recipe: Recipe) -> Iterator[Row]:
    """The loop: train to the end of the run or until it is stopped; yield each epoch's row.

    What the caller adds to the row, and to `run.extra`, is in the checkpoint that follows.
    """
    config, accelerator = run.config, run.accelerator
    network = torch.compile(run.model) if config.compile else run.model
    network, *optimizers = accelerator.prepare(network, *run.optimizers)
    with flushed_denormals(accelerator.device) as call:
        for batch in batches(run.pixels, config, accelerator, run.step):
            set_rates(optimizers, config, run.step / run.total)
            run.count(call(learn, network, recipe, optimizers, batch, config, accelerator))
            if run.pauses():
                run.check()
                if run.epoch_ended:
                    yield run.end_epoch()
                run.save()
            if run.stopping:
                break


def learn(
    network: nn.Module, recipe: Recipe, optimizers: Sequence[Optimizer], batch: Batch,
    config: Config, accelerator: Accelerator,
) -> Tensor:  # fmt: skip
    """One step: forward, loss, backward, update; returns the loss."""
    half = choose_precision(config.precision) == "bf16"
    with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=half):
        output = network(*recipe.inputs(batch))
    loss = recipe.loss(output.float(), batch)
    network.zero_grad()
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(network.parameters(), config.clip)
    for optimizer in optimizers:
        optimizer.step()
    return loss.detach()


def one_cycle(warmup: float, done: float) -> float:
    """Share of the highest learning rate: a linear rise, then half a cosine down to zero.

    warmup: share of the run that rises; done: share of the run that is over, 0 to 1.
    """
    if done < warmup:
        return done / warmup
    return 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def set_rates(optimizers: Sequence[Optimizer], config: Config, done: float) -> None:
    """Give every group of parameters its learning rate at this share of the run."""
    for group in (g for o in optimizers for g in o.param_groups):
        group["lr"] = group["highest"] * one_cycle(config.warmup, done)


def make_optimizers(model: Network, config: Config) -> list[Optimizer]:
    """Muon for the hidden kernels unless its rate is 0, AdamW for the rest; kernels decay."""
    hidden, kernels, rest = model.optimizer_groups()
    if not config.muon_rate:
        hidden, kernels = [], hidden + kernels
    decay, rate = config.weight_decay, config.learning_rate
    groups = [{"params": kernels, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
    optimizers: list[Optimizer] = [torch.optim.AdamW(groups, rate, betas=(0.9, 0.99), fused=True)]
    if hidden:
        optimizers.append(Muon(hidden, lr=config.muon_rate, weight_decay=decay))
    for group in (g for o in optimizers for g in o.param_groups):
        group["highest"] = group["lr"]
    return optimizers


def input_kind(config: Config) -> str:
    """The input that a run is validated with: luma if it is trained on luma alone, else value."""
    return "luma" if config.given == "luma" else "value"


def validate(model: ColorNet, recipe: Recipe, validation: Pixels, config: Config) -> Row:
    """Loss, PSNR and raw AuC on the first 1,000 validation pixels (N, 3, H, W); {} if none."""
    if not len(validation):
        return {}
    known, losses = input_kind(config), []
    with evaluation_mode(model) as device:
        rgb = gather(validation, torch.arange(min(1000, len(validation)))).to(device).float() / 255
        gray = to_gray(rgb, known)
        for truth, part in zip(rgb.split(250), gray.split(250), strict=True):
            flag = torch.full((len(part),), int(known == "luma"), device=device)
            batch = Batch(truth, part, flag)
            losses.append(recipe.loss(model(*recipe.inputs(batch)), batch).item())
        loss = float(np.mean(losses))
        if not math.isfinite(loss):
            raise diverged(f"the validation loss is {loss}", config.name)
        colored = colorize(model, gray, known)
    raw_auc = 1 - mean_ab_error(colored, rgb).mean().item() / MAX_AB
    return {"validation_loss": loss, "psnr": psnr(colored, rgb).mean().item(), "raw_auc": raw_auc}


def finish(run: Run, validation: int) -> None:
    """Write the weights, the strip as a picture, and how the weights were made: `FILES`."""
    assert isinstance(run.model, ColorNet)
    save_model(run.model, run.folder / FILES[0])
    save_strip(run.extra["strip"], run.folder / FILES[1])
    config, processes = run.config, run.accelerator.num_processes
    data = {"training": len(run.pixels), "validation": validation, "sha256": run.expected["data"]}
    made = {
        "config": dataclasses.asdict(config),
        "data": data,
        "history": run.history,
        "minutes": round(run.history[-1]["seconds"] / 60, 1),
        "machine": paths.machine(),
        "date": date.today().isoformat(),
        "processes": processes,
        "precision": choose_precision(config.precision).replace("no", "float32"),
        "command": command(config, processes),
    }
    paths.write_json(run.folder / FILES[2], made)
