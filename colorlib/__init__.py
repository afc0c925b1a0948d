"""colorlib: the helper module of a course report on self-supervised image colorization.

Read these ten modules, from top to bottom: color, data, config, batches, decoding, model, recipes,
train, checkpoint, metrics. Everything else is in a subpackage that says what it holds: fast,
datasets, photos, peers, compare, study, report, widgets.

`import colorlib as cl` needs torch, NumPy and Pillow alone. Each name below is imported when it is
first used.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
_NAMES = {
    "color": "hsv_to_rgb luma rgb_to_hsv value",
    "config": "Config",
    "data": "load_images load_labels load_prepared prepare to_images to_tensor",
    "metrics": "evaluate",
    "model": "ColorNet colorize load_model save_model",
    "photos.colorize_photo": "colorize_photo",
    "recipes": "ChromaRegression Distribution build",
    "report.style": "save_figure",
    "train": "fit",
    "widgets.browser": "browse",
    "widgets.turing_test": "turing_test",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}
__all__ = [*_MODULES, "peers"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"colorlib.{_MODULES[name]}"), name)
    try:
        return importlib.import_module(f"colorlib.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"colorlib.{name}":
            raise
        raise AttributeError(f"module 'colorlib' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
