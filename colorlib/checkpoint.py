"""A run in data/runs/NAME: what is kept of it, and how it stops and resumes safely.

Whatever happens to a run, its last good state is on disk. A checkpoint is a SHA-256 digest followed
by a `torch.save` of plain tensors and numbers, written beside and renamed; the last two are kept,
so that a damaged newest one costs little.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import logging
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from colorlib import paths
from colorlib.config import Config
from colorlib.datasets.pixels import Pixels, fingerprint
from colorlib.environment import interruptible
from colorlib.model import Network

if TYPE_CHECKING:
    from accelerate import Accelerator

log = logging.getLogger(__name__)
FORMAT = 2  # of a checkpoint: raise it when its content changes
CHECK_STEPS = 20  # steps between looks at the losses: each look waits for a GPU
CHECKPOINT_SECONDS = 600  # between checkpoints, if an epoch takes longer


class Run:
    """The state of a training run, which its checkpoints hold, and what is due after each step."""

    def __init__(
        self, model: Network, optimizers: Sequence[Optimizer], pixels: Pixels, config: Config,
        accelerator: Accelerator,
    ):  # fmt: skip
        self.model, self.optimizers, self.pixels, self.config = model, optimizers, pixels, config
        self.folder, self.accelerator = paths.runs() / config.name, accelerator
        expected = dataclasses.asdict(config) | {"data": fingerprint(pixels), "format": FORMAT}
        self.expected = json.loads(json.dumps(expected))  # as a checkpoint gives it back
        self.epoch_steps = len(pixels) // config.batch_size
        self.total = self.epoch_steps * config.epochs
        self.step = 0  # how many were made
        self.history: list[dict[str, float]] = []  # a row for each epoch
        self.losses: list[float] = []  # of the present epoch
        self.extra: dict[str, Tensor] = {}  # what a caller wants kept with the rest
        self.unread: list[Tensor] = []  # losses that a GPU may still be computing
        self.began = self.saved = time.perf_counter()
        self.stop, self.stopping, self.save_due = threading.Event(), False, False

    @property
    def finished(self) -> bool:
        return self.step == self.total

    @property
    def epoch_ended(self) -> bool:
        return self.step % self.epoch_steps == 0

    def resume(self) -> None:
        """Go on from the newest whole checkpoint, if any; ValueError if it is of another run."""
        state = load_newest(self.folder)
        if state:
            check_same(state["config"], self.expected, self.folder.name)
            self.model.load_state_dict(state["model"])
            for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
            self.step, self.history, self.losses = state["step"], state["history"], state["losses"]
            self.extra, self.began = state["extra"], self.began - state["seconds"]
            threads, now = state["threads"], torch.get_num_threads()
            if threads != now:
                log.warning(
                    f"{self.folder.name} was trained with {threads} threads, and goes on with {now}"
                    ": the weights will differ a little from those of an unbroken run; "
                    f"torch.set_num_threads({threads}) keeps them equal"
                )
        step = torch.tensor([self.step], device=self.accelerator.device)
        steps = self.accelerator.gather(step).tolist()
        if len(set(steps)) > 1:
            raise ValueError(
                f"the processes found checkpoints of steps {steps}, expected one: COLORLIB_DATA "
                "must name a folder that all machines share"
            )

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Own the folder, show progress, and let Ctrl-C or SIGTERM end the run after a step."""
        from tqdm import tqdm

        main = self.accelerator.is_main_process
        shown: dict[str, Any] = {"unit": " steps"} | ({} if main else {"disable": True})
        owned = paths.owned(self.folder) if main else nullcontext()
        self.bar = tqdm(desc=self.folder.name, total=self.total, initial=self.step, **shown)
        with self.bar, owned, interruptible(self.stop):
            yield

    def count(self, loss: Tensor) -> None:
        """Count a step that was made, its loss a scalar."""
        self.unread.append(loss)
        self.step += 1
        self.bar.update()

    def pauses(self) -> bool:
        """Whether losses are read after this step; then sets what else is due."""
        stop_now = self.stop.is_set() and self.accelerator.num_processes == 1
        if not (self.epoch_ended or stop_now or self.step % CHECK_STEPS == 0):
            return False
        late = time.perf_counter() - self.saved > CHECKPOINT_SECONDS
        self.stopping = self.any_process(self.stop.is_set())
        self.save_due = self.epoch_ended or self.stopping or self.any_process(late)
        return True

    def check(self) -> None:
        """Read the losses; FloatingPointError if one, or a weight, is not finite."""
        losses = torch.stack(self.unread).tolist()
        for step, loss in enumerate(losses, self.step - len(losses) + 1):
            if not math.isfinite(loss):
                epoch = (step - 1) // self.epoch_steps + 1
                what = f"the loss is {loss} at step {step} (epoch {epoch})"
                raise diverged(what, self.folder.name)
        for name, weight in self.model.state_dict().items():  # also the means of normalisation
            if not torch.isfinite(weight).all():
                what = f"{name} is no longer finite after step {self.step}"
                raise diverged(what, self.folder.name)
        self.losses, self.unread = self.losses + losses, []
        self.bar.set_postfix(loss=f"{fmean(self.losses[-50:]):.4f}", refresh=False)

    def end_epoch(self) -> dict[str, float]:
        """The new row of the history, to which the caller adds what it measures."""
        row = {"epoch": len(self.history) + 1, "train_loss": fmean(self.losses)}
        self.history.append(row | {"seconds": time.perf_counter() - self.began})
        self.losses = []
        return self.history[-1]

    def save(self) -> None:
        """Write a checkpoint if one is due; a full disk stops the run."""
        if not self.save_due:
            return
        state = {"config": self.expected, "model": self.model.state_dict(), "step": self.step}
        state |= {"optimizers": [o.state_dict() for o in self.optimizers], "extra": self.extra}
        state |= {"history": self.history, "losses": self.losses}
        state |= {"seconds": time.perf_counter() - self.began, "threads": torch.get_num_threads()}
        main = self.accelerator.is_main_process
        full = main and not self.try_write(lambda: save(self.folder, self.step, state))
        if self.any_process(full):
            self.stopping = True
        elif self.stopping and main and not self.finished:
            print(f"Stopped at step {self.step} of {self.total}; call fit again to go on.")
        self.saved = time.perf_counter()

    def try_write(self, write: Callable[[], None]) -> bool:
        """Whether write() could write; if not (a full disk, say), a message says what to do."""
        try:
            write()
        except OSError as error:
            print(
                f"Training stops: {self.folder} cannot be written ({error.strerror or error}). What"
                " was kept there before is whole; make room and call fit again to go on from it."
            )
            return False
        return True

    def any_process(self, asked: bool) -> bool:
        """Whether any process asks: all of them must leave the loop at the same step."""
        if self.accelerator.num_processes == 1:
            return asked
        votes = torch.tensor([float(asked)], device=self.accelerator.device)
        return self.accelerator.reduce(votes).item() > 0


def diverged(what: str, name: str) -> FloatingPointError:
    """The error that says `what`, and what to do about the run NAME."""
    return FloatingPointError(
        f"{what}. The last good checkpoint, if any, is kept in {name}. Lower the learning rate, "
        "and give that run another name"
    )


def save(folder: Path, step: int, state: dict) -> None:
    """Write `state` as the checkpoint of `step`. OSError (say, a full disk) loses nothing older."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    newest = folder / f"step-{step:09d}.ckpt"
    with paths.replacing(newest) as part:
        part.write_bytes(hashlib.sha256(payload).digest() + payload)
    earlier = sorted(path for path in folder.glob("step-*.ckpt") if path < newest)
    for path in folder.glob("step-*.ckpt"):
        if path not in (*earlier[-1:], newest):  # a later one was found damaged at the start
            path.unlink()


def load_newest(folder: Path) -> dict | None:
    """The newest whole checkpoint, or None; a damaged one gives a warning and the one before."""
    for path in sorted(folder.glob("step-*.ckpt"), reverse=True):
        content = path.read_bytes()
        if hashlib.sha256(content[32:]).digest() == content[:32]:
            return torch.load(io.BytesIO(content[32:]), map_location="cpu", weights_only=True)
        warnings.warn(f"{path.name} is damaged; going back to the one before", stacklevel=2)
    return None


def check_same(found: dict, expected: dict, name: str) -> None:
    """Raise ValueError naming what differs between a checkpoint's config and the one asked for."""
    found = dataclasses.asdict(Config()) | found  # settings added since have their defaults
    differs = [
        f"{key} was {found.get(key)!r}, now {expected.get(key)!r}"
        for key in sorted({*found, *expected})
        if found.get(key) != expected.get(key)
    ]
    if differs:
        raise ValueError(
            f"{name} holds a run of its own: {'; '.join(differs)}. "
            f"Give this run another name, or delete {name}"
        )
