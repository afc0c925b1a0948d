"""The training loop: one process or many, CPU or GPU, safe to stop and call again.

Every random choice is drawn from (seed, epoch) or (seed, step), never from what happened before, so
that a resumed run goes on exactly (in full precision on the same machine, with as many threads).
"""

import dataclasses
import json
import math
import os
import time
from contextlib import nullcontext

import numpy as np
import torch

from colorlib import checkpoint, paths
from colorlib.batches import batch, check_pixels, generator
from colorlib.color import trusted_range
from colorlib.config import Config
from colorlib.data import split_validation
from colorlib.datasets.pixels import as_pixels, check_colours, fingerprint, gather, place
from colorlib.fast.muon import Muon
from colorlib.model import ColorNet
from colorlib.monitor import LEFT, Strip, check_weights, finish, finite, owned, validate
from colorlib.recipes import check_compatible

SAMPLE = 10000 * 32 * 32  # pixels of training images that a recipe sees before it starts
OFTEN = 600  # seconds between checkpoints where an epoch takes longer
LOOK = 20  # steps between looks at the losses: each look waits for a GPU


def fit(model: ColorNet, recipe, images, config: Config, on_epoch=None) -> list[dict]:
    """Train `model` in place; return the history, one dict an epoch.

    images: uint8 (N, H, W, 3), or prepared HSV (N, 3, H, W); the last `config.validation` validate.
    The run lives in data/runs/NAME; a second call resumes it. on_epoch(history, strip) is
    called after each epoch, strip being eight validation images as they look by then, uint8 (epochs
    + 2, 8, H, W, 3), truth and input first. Raises ValueError if NAME holds a run of another config
    or data, or another process trains it, OSError if its folder cannot be written,
    FloatingPointError when the loss is no longer finite. Ctrl-C and a full disk stop it, with a
    message, and return the history so far.
    """
    from accelerate import Accelerator
    from tqdm import tqdm

    # several processes on a CPU are several only if accelerate is told that it is one
    accelerator = Accelerator(
        cpu="LOCAL_RANK" in os.environ and not torch.accelerator.is_available()
    )
    check_compatible(model, recipe, config)
    model.trained_input = config.given
    model.schedules = {}  # tuned for earlier weights
    device, first_process = accelerator.device, accelerator.is_main_process
    training, validation = split_validation(images, config.validation)
    pixels = as_pixels(training)
    validation = as_pixels(validation) if len(validation) else pixels[:0]
    check_pixels(pixels, config, model.stride)
    pixels = place(pixels[: config.count], device)
    steps = len(pixels) // config.batch_size
    total = steps * config.epochs
    folder = paths.runs() / config.name
    model.to(device, memory_format=torch.channels_last).train()
    some = SAMPLE // gather(pixels, torch.arange(1))[0, 0].numel()
    first_images = gather(pixels, torch.arange(min(some, len(pixels))))
    check_colours(first_images)
    recipe.setup(model, first_images)
    optimizers = make_optimizers(model, config)
    expected = dataclasses.asdict(config) | {"data": fingerprint(pixels)}
    expected = json.loads(json.dumps(expected))
    state = checkpoint.resume(folder, expected, model, optimizers)
    step, history, seconds, losses, pending = 0, [], 0.0, [], []
    shown = validation if len(validation) else pixels
    strip = Strip(gather(shown, torch.arange(8) % len(shown)).cpu(), config)
    if state:
        step, history, seconds = state["step"], state["history"], state["seconds"]
        losses, strip.rows = state["losses"], state["strip"]
    checkpoint.check_same_step(step, accelerator)
    done = step == total and all((folder / name).exists() for name in LEFT)
    network = torch.compile(model) if config.compile else model
    network, *optimizers = accelerator.prepare(network, *optimizers)
    first, clock = step, time.perf_counter() - seconds
    saved = time.perf_counter()

    def save():
        state = {"config": expected, "model": model.state_dict(), "step": step}
        state |= {"optimizers": [o.state_dict() for o in optimizers], "history": history}
        state |= {"losses": losses, "strip": strip.rows, "threads": torch.get_num_threads()}
        checkpoint.save(folder, step, state | {"seconds": time.perf_counter() - clock})

    silent = {} if first_process else {"disable": True}
    bar = tqdm(total=total, initial=step, unit=" steps", desc=config.name, **silent)
    mine = owned(folder) if first_process and not done else nullcontext()
    with mine, bar, checkpoint.interruptible() as stop:
        while step < total:
            epoch, at = divmod(step, steps)
            if at == 0 or step == first:
                order = torch.randperm(len(pixels), generator=generator(config.seed, epoch))
            set_rates(optimizers, config, step / total)
            with trusted_range():
                samples = batch(pixels, order, step, steps, config, accelerator)
                pending.append(learn(network, recipe, optimizers, samples, config, accelerator))
            step += 1
            bar.update()
            ended, alone = step % steps == 0, accelerator.num_processes == 1
            if not (ended or step % LOOK == 0 or (alone and stop.is_set())):
                continue
            stopping = checkpoint.any_process(stop.is_set(), accelerator)
            due = checkpoint.any_process(time.perf_counter() - saved > OFTEN, accelerator)
            losses += finite(pending, step, epoch, folder)
            check_weights(model, step, folder)
            pending = []
            bar.set_postfix(loss=f"{np.mean(losses[-50:]):.4f}", refresh=False)
            if ended:
                measured = validate(model, recipe, validation, config)
                row = {"epoch": epoch + 1, "train_loss": float(np.mean(losses))}
                history.append(row | measured | {"seconds": time.perf_counter() - clock})
                losses = []
                strip.add(model)
            if ended or stopping or due:
                full = first_process and not checkpoint.try_write(save, folder)
                if checkpoint.any_process(full, accelerator):
                    return history
                saved = time.perf_counter()
            if ended and on_epoch and first_process:
                on_epoch(history, strip.rows.numpy())
            if stopping and step < total:
                print(f"Stopped at step {step} of {total}; call fit again to go on.")
                return history
        if first_process and not done:
            data = {
                "training": len(pixels),
                "validation": len(validation),
                "sha256": expected["data"],
            }
            record = (model, config, history, strip, folder, data, accelerator.num_processes)
            checkpoint.try_write(lambda: finish(*record), folder)
    accelerator.wait_for_everyone()
    return history


def learn(network, recipe, optimizers, samples, config: Config, accelerator) -> torch.Tensor:
    """One step: forward, loss, backward, update. samples: a `Batch`; returns the loss."""
    half = config.mixed_precision() == "bf16"
    with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=half):
        output = network(samples.gray, samples.given, samples.hints)
    loss = recipe.loss(output.float(), samples)
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


def set_rates(optimizers, config: Config, done: float) -> None:
    """Give every group of parameters its learning rate at this share of the run."""
    for group in (g for o in optimizers for g in o.param_groups):
        group["lr"] = group["highest"] * one_cycle(config.warmup, done)


def make_optimizers(model, config: Config) -> list[torch.optim.Optimizer]:
    """Muon for the hidden convolutions unless its rate is 0, AdamW for the rest; kernels decay."""
    ends = {*model.stem.parameters(), *model.head.parameters()}
    kernels = [p for p in model.parameters() if p.ndim == 4]
    hidden = [p for p in kernels if p not in ends] if config.muon_rate else []
    rest = [p for p in kernels if p in ends or not hidden]
    groups = [
        {"params": rest, "weight_decay": config.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim != 4], "weight_decay": 0.0},
    ]
    optimizers = [torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99), fused=True)]
    if hidden:
        optimizers.append(Muon(hidden, lr=config.muon_rate, weight_decay=config.weight_decay))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["highest"] = group["lr"]
    return optimizers
