"""Saving and resuming, safely: whatever happens to a run, its last good state is on disk.

A checkpoint is a SHA-256 digest followed by a `torch.save` of plain tensors and numbers, written
beside and renamed; the last two are kept, so that a damaged newest one costs little.
"""

import hashlib
import io
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from colorlib.paths import replacing

KEPT = 2


def save(folder: Path, step: int, state: dict) -> None:
    """Write `state` as the checkpoint of `step`. OSError (say, a full disk) loses nothing older."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    with replacing(folder / f"step-{step:09d}.ckpt") as part:
        part.write_bytes(hashlib.sha256(payload).digest() + payload)
    for old in sorted(folder.glob("step-*.ckpt"))[:-KEPT]:
        old.unlink()


def load_newest(folder: Path) -> dict | None:
    """The newest whole checkpoint, or None; a damaged one gives a warning and the one before."""
    for path in sorted(folder.glob("step-*.ckpt"), reverse=True):
        content = path.read_bytes()
        if hashlib.sha256(content[32:]).digest() == content[:32]:
            return torch.load(io.BytesIO(content[32:]), map_location="cpu", weights_only=True)
        warnings.warn(f"{path.name} is damaged; going back to the one before", stacklevel=2)
    return None


def check_same(found: dict, wanted: dict, folder: Path) -> None:
    """Raise ValueError naming what differs between a checkpoint's run and the one asked for."""
    differs = [
        f"{key} was {found.get(key)!r}, now {wanted.get(key)!r}"
        for key in sorted({*found, *wanted})
        if found.get(key) != wanted.get(key)
    ]
    if differs:
        raise ValueError(
            f"{folder.name} holds a run of its own: {'; '.join(differs)}. "
            f"Give this run another name, or delete {folder.name}"
        )


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that a step can end; the second one interrupts."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handler(number, frame):
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, handler)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
