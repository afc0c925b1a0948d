"""colorlib: the helper module of a course report on self-supervised image colorization.

Read these ten modules, from top to bottom: color, data, config, batches, decoding, model, recipes,
train, checkpoint, metrics. Everything else is in a subpackage that says what it holds: fast,
datasets, photos, peers, compare, study, report, widgets.

`import colorlib as cl` needs torch, NumPy and Pillow alone; what needs more is imported when used.
"""

import importlib

from colorlib.color import hsv_to_rgb, luma, rgb_to_hsv, value
from colorlib.config import Config
from colorlib.data import load_images, load_labels, load_prepared, prepare, to_images, to_tensor
from colorlib.metrics import evaluate
from colorlib.model import ColorNet, colorize, load_model, save_model
from colorlib.recipes import ChromaRegression, Distribution, build
from colorlib.train import fit

__version__ = "0.1.0"
_LAZY = {
    "colorize_photo": "colorlib.photos.colorize_photo",
    "browse": "colorlib.widgets.browser",
    "turing_test": "colorlib.widgets.turing_test",
    "save_figure": "colorlib.report.style",
    "peers": None,
}
__all__ = [
    "ChromaRegression",
    "ColorNet",
    "Config",
    "Distribution",
    "browse",
    "build",
    "colorize",
    "colorize_photo",
    "evaluate",
    "fit",
    "hsv_to_rgb",
    "load_images",
    "load_labels",
    "load_model",
    "load_prepared",
    "luma",
    "peers",
    "prepare",
    "rgb_to_hsv",
    "save_figure",
    "save_model",
    "to_images",
    "to_tensor",
    "turing_test",
    "value",
]


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module 'colorlib' has no attribute {name!r}")
    module = importlib.import_module(_LAZY[name] or f"colorlib.{name}")
    return getattr(module, name) if _LAZY[name] else module
