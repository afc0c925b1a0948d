"""Saving, stopping and resuming, safely: whatever happens to a run, its last good state is on disk.

A checkpoint is a SHA-256 digest followed by a `torch.save` of plain tensors and numbers, written
beside and renamed; the last two are kept, so that a damaged newest one costs little.
"""

import dataclasses
import hashlib
import io
import logging
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from colorlib.config import Config
from colorlib.paths import replacing

log = logging.getLogger(__name__)
KEPT = 2


def save(folder: Path, step: int, state: dict) -> None:
    """Write `state` as the checkpoint of `step`. OSError (say, a full disk) loses nothing older."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    with replacing(folder / f"step-{step:09d}.ckpt") as part:
        part.write_bytes(hashlib.sha256(payload).digest() + payload)
    kept = [f"step-{step:09d}.ckpt"]
    for old in sorted(folder.glob("step-*.ckpt"), reverse=True):
        if old.name < kept[0] and len(kept) < KEPT:
            kept.append(old.name)
        elif old.name != kept[0]:
            old.unlink()  # also a later one, which was damaged: this run is past trusting it


def load_newest(folder: Path) -> dict | None:
    """The newest whole checkpoint, or None; a damaged one gives a warning and the one before."""
    for path in sorted(folder.glob("step-*.ckpt"), reverse=True):
        content = path.read_bytes()
        if hashlib.sha256(content[32:]).digest() == content[:32]:
            return torch.load(io.BytesIO(content[32:]), map_location="cpu", weights_only=True)
        warnings.warn(f"{path.name} is damaged; going back to the one before", stacklevel=2)
    return None


def resume(folder: Path, expected: dict, model, optimizers) -> dict | None:
    """Put the newest whole checkpoint into model and optimizers, and return it; None without one.

    Raises ValueError where it is of another config or data than `expected`.
    """
    state = load_newest(folder)
    if state:
        check_same(state["config"], expected, folder)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        threads = state.get("threads", torch.get_num_threads())
        if threads != torch.get_num_threads():
            log.warning(
                "%s was trained with %d threads, and goes on with %d: the weights will differ a "
                "little from those of an unbroken run; torch.set_num_threads(%d) keeps them equal",
                folder.name, threads, torch.get_num_threads(), threads,
            )  # fmt: skip
    return state


def check_same(found: dict, expected: dict, folder: Path) -> None:
    """Raise ValueError naming what differs between a checkpoint's run and the one asked for.

    A setting that came later than the checkpoint had its default then.
    """
    found = dataclasses.asdict(Config()) | found
    differs = [
        f"{key} was {found.get(key)!r}, now {expected.get(key)!r}"
        for key in sorted({*found, *expected})
        if found.get(key) != expected.get(key)
    ]
    if differs:
        raise ValueError(
            f"{folder.name} holds a run of its own: {'; '.join(differs)}. "
            f"Give this run another name, or delete {folder.name}"
        )


def try_write(write, folder: Path) -> bool:
    """Whether write() could write; where the disk is full, say, a message says what to do."""
    try:
        write()
    except OSError as error:
        print(
            f"Training stops: {folder} cannot be written ({error.strerror or error}). "
            "What was kept there before is whole; make room and call fit again to go on from it."
        )
        return False
    return True


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets, so that a step can end; two interrupt."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handler(number, frame):
        if stop.is_set() and number == signal.SIGINT:  # a cluster may send SIGTERM twice
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def any_process(asked: bool, accelerator) -> bool:
    """Whether any process asks: all of them must leave the loop at the same step."""
    if accelerator.num_processes == 1:
        return asked
    votes = torch.tensor([float(asked)], device=accelerator.device)
    return accelerator.reduce(votes).item() > 0


def check_same_step(step: int, accelerator) -> None:
    """Raise ValueError unless every process found the same checkpoint."""
    if accelerator.num_processes == 1:
        return
    steps = accelerator.gather(torch.tensor([step], device=accelerator.device)).tolist()
    if len(set(steps)) > 1:
        raise ValueError(
            f"the processes found checkpoints of steps {steps}, expected one: COLORLIB_DATA must "
            "name a folder that all machines share"
        )
