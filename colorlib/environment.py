"""What a notebook needs beyond colorlib itself, for places that are not set up by `make venv`."""

import importlib
import importlib.util
import os
import subprocess
import sys

PACKAGES = {  # import name: package name
    "accelerate": "accelerate",
    "filelock": "filelock",
    "ipywidgets": "ipywidgets",
    "matplotlib": "matplotlib",
    "pooch": "pooch",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "tqdm": "tqdm",
}


def offer(path) -> None:
    """Let the reader download a file that was saved, where the kernel runs elsewhere (Colab)."""
    if "google.colab" in sys.modules:
        from google.colab import files

        files.download(str(path))


def install_missing() -> list[str]:
    """pip install the packages that are not importable, torch and torchvision never; their names.

    Raises ImportError when torch is missing, since the right build depends on the machine.
    """
    for name in ("torch", "torchvision"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"{name} is missing: see pytorch.org for the build for this machine")
    missing = [p for name, p in PACKAGES.items() if importlib.util.find_spec(name) is None]
    if missing:
        print("installing", ", ".join(missing))
        # a constraint keeps pip from replacing the torch that is there
        import torch

        command = [sys.executable, "-m", "pip", "install", "--quiet", *missing]
        command.append(f"torch=={torch.__version__.split('+')[0]}")
        subprocess.run(command, check=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
        importlib.invalidate_caches()
    return missing
