"""What a notebook or a training run needs of the process and the machine that it runs on."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from colorlib.config import Config

if TYPE_CHECKING:
    from accelerate import Accelerator

SAME = "accelerate", "filelock", "ipywidgets", "matplotlib", "pooch", "safetensors", "scipy", "tqdm"
PACKAGES = {name: name for name in SAME} | {"skimage": "scikit-image"}  # import name: package


class SetupError(ImportError):
    """What is missing and what to do, in one sentence; a notebook shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython's hook
        return [str(self)]


def offer(path: str | Path) -> None:
    """Let the reader download a file that was saved, where the kernel runs elsewhere (Colab)."""
    if "google.colab" in sys.modules:
        from google.colab import files

        files.download(str(path))


def install_missing() -> list[str]:
    """pip install the packages that are not importable, torch and torchvision never; their names.

    Raises SetupError when torch is missing, since the right build depends on the machine, and when
    pip fails.
    """
    for name in ("torch", "torchvision"):
        if importlib.util.find_spec(name) is None:
            raise SetupError(f"{name} is missing: install the build for this machine (pytorch.org)")
    missing = [p for name, p in PACKAGES.items() if importlib.util.find_spec(name) is None]
    if missing:
        print("installing", ", ".join(missing))
        # a constraint keeps pip from replacing the torch that is there
        import torch

        command = [sys.executable, "-m", "pip", "install", "--quiet", *missing]
        command.append(f"torch=={torch.__version__.split('+')[0]}")
        environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        if subprocess.run(command, check=False, env=environment).returncode:
            raise SetupError(f"pip could not install {', '.join(missing)}: install them, run again")
        importlib.invalidate_caches()
    return missing


def command(config: Config, processes: int = 1) -> str:
    """The command line that trains this config: what differs from the defaults."""
    start = "python" if processes == 1 else f"torchrun --nproc-per-node {processes}"
    words = [f"{start} -m colorlib train"]
    for field in dataclasses.fields(config):
        setting = getattr(config, field.name)
        if setting != field.default:
            text = shlex.join(map(str, setting if isinstance(setting, tuple | list) else [setting]))
            option = f"--{field.name.replace('_', '-')}"
            words.append(option if setting is True else f"{option} {text}")
    return " ".join(words)


def make_accelerator() -> Accelerator:
    """Accelerate's view of this machine: which device, which of how many processes."""
    import torch
    from accelerate import Accelerator

    # several processes on a CPU are several only if accelerate is told that it is one
    return Accelerator(cpu="LOCAL_RANK" in os.environ and not torch.accelerator.is_available())


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM sets `stop`, so that a step can end; a second one interrupts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:  # a cluster may send SIGTERM twice
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
