"""Small CIFAR-100 classifiers: two measure recoloured images, one is a control, NoGAN has one.

They are trained on CIFAR-100's labels. Nothing that is shipped was chosen with them.
"""

import dataclasses
import json
import math
import time
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorlib import paths
from colorlib.batches import Batch
from colorlib.checkpoint import Run
from colorlib.color import luma
from colorlib.config import Config
from colorlib.data import load_images, load_labels, to_tensor
from colorlib.datasets.pixels import training_pixels
from colorlib.decoding import look_up
from colorlib.environment import make_accelerator
from colorlib.model import Convolution, Network, Residual, evaluation_mode
from colorlib.recipes import Recipe
from colorlib.train import epochs, make_optimizers

FOLDER = "classifiers"  # in the folder of the shipped weights
CONFIG_FIELDS = (  # those that the training of a classifier reads
    "name epochs batch_size learning_rate muon_rate warmup weight_decay seed validation shift zoom"
)


class Classifier(Network):
    """rgb (B, 3, H, W) in [0, 1], H and W multiples of 8 -> logits (B, classes)."""

    def __init__(self, widths: Sequence[int] = (48, 96, 192), classes: int = 100):
        super().__init__()
        self.config = {"widths": list(widths), "classes": classes}
        self.stem = Convolution(12, widths[0])
        self.body = nn.ModuleList(
            nn.Sequential(nn.MaxPool2d(2), Convolution(a, b), Residual(b))
            for a, b in pairwise(widths)
        )
        self.head = nn.Linear(widths[-1], classes)

    def stages(self, rgb: Tensor) -> list[Tensor]:
        """The feature maps of each level, at 1/2, 1/4, 1/8 of the image's sides."""
        maps = [self.stem(F.pixel_unshuffle(rgb - 0.5, 2))]
        for block in self.body:
            maps.append(block(maps[-1]))
        return maps

    def features(self, rgb: Tensor) -> Tensor:
        """(B, widths[-1]): the input of the last layer."""
        return self.stages(rgb)[-1].mean((2, 3))

    def forward(self, rgb: Tensor) -> Tensor:
        return self.head(self.features(rgb))


class ResNet(Network):
    """The same by the network of He et al. 2016, section 4.2, its first convolution at stride 2."""

    def __init__(self, widths: Sequence[int] = (32, 64, 128), blocks: int = 2, classes: int = 100):
        super().__init__()
        self.config = {"widths": list(widths), "blocks": blocks, "classes": classes}
        self.stem = self.strided(3, widths[0])
        self.body = nn.Sequential(*(Residual(widths[0]) for _ in range(blocks)))
        for a, b in pairwise(widths):
            self.body.extend([self.strided(a, b), *(Residual(b) for _ in range(blocks))])
        self.head = nn.Linear(widths[-1], classes)

    @staticmethod
    def strided(inputs: int, outputs: int) -> nn.Sequential:
        convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, rgb: Tensor) -> Tensor:
        return self.head(self.body(self.stem(rgb - 0.5)).mean((2, 3)))


class Kind(NamedTuple):
    """What makes one classifier: the images that it is trained on, and how."""

    seen: str  # "colour" or "grey"
    network: type[nn.Module] = Classifier
    epochs: int = 8
    seed: int = 0

    def show(self, rgb: Tensor) -> Tensor:
        """Images (N, 3, H, W) as this classifier sees them in training."""
        return rgb if self.seen == "colour" else luma(rgb).expand(-1, 3, -1, -1)


CLASSIFIERS = {
    "classifier": Kind("colour"),
    "classifier-resnet": Kind("colour", ResNet, epochs=6, seed=1),  # the second opinion
    "classifier-grey": Kind("grey"),  # the control
    "features": Kind("colour", epochs=3),  # NoGAN's, which never measure
}


class ClassLabels(Recipe):
    """Cross-entropy with the class labels of colour or grey images, a tenth smoothed."""

    def __init__(self, labels: Tensor, kind: Kind):
        super().__init__()
        self.labels, self.kind = labels, kind

    def inputs(self, batch: Batch) -> tuple[Tensor]:
        return (self.kind.show(batch.rgb),)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        labels = self.labels[batch.number].to(output.device)
        return F.cross_entropy(output, labels, label_smoothing=0.1)


def train_classifier(
    name: str, images: np.ndarray, classes: np.ndarray, config: Config
) -> nn.Module:
    """Train NAME of `CLASSIFIERS` on uint8 images (N, H, W, 3), classes (N,), into data/runs/NAME.

    It goes on where it stopped. Raises KeyboardInterrupt if it is stopped.
    """
    config = dataclasses.replace(config, name=name, precision="no", clip=math.inf)
    accelerator, labels = make_accelerator(), torch.as_tensor(classes).long()
    pixels, _ = training_pixels(images, config, 8, accelerator.device)
    torch.manual_seed(config.seed)
    model = CLASSIFIERS[name].network(classes=int(labels.max()) + 1)
    model = model.to(accelerator.device, memory_format=torch.channels_last).train()
    run = Run(model, make_optimizers(model, config), pixels, config, accelerator)
    run.resume()
    with run.opened():
        for _ in epochs(run, ClassLabels(labels, CLASSIFIERS[name])):
            pass  # nothing is measured before the end
    if not run.finished:
        raise KeyboardInterrupt
    return model.eval()


def make_classifier(name: str, source: str = "cifar100") -> dict:
    """Train NAME of `CLASSIFIERS`, measure it, and write its `files` into data/runs/NAME.

    Returns how it was made. scripts/ship_weights.py ships the files.
    """
    kind, labels = look_up(CLASSIFIERS, name, "classifier"), load_labels(source, "train")
    if labels is None:
        raise ValueError(f"classifier: {source} has no classes, expected cifar100")
    config = Config(name, given="luma", epochs=kind.epochs, seed=kind.seed, zoom=0.25)
    began = time.perf_counter()
    model = train_classifier(name, load_images(source, "train"), labels[0], config)
    minutes = (time.perf_counter() - began) / 60
    rgb = kind.show(to_tensor(load_images(source, "test")))
    made = {
        "config": {setting: getattr(config, setting) for setting in CONFIG_FIELDS.split()},
        "classifier": model.config,
        "seen": kind.seen,
        "test_accuracy": accuracy(model, rgb, load_labels(source, "test")[0]),
        "test_images": len(rgb),
        "minutes": round(minutes, 1),
        "machine": paths.machine(),
        "date": date.today().isoformat(),
        "command": f"python -m colorlib train-classifier {name}",
    }
    weights, record = files(name, paths.runs() / name)
    paths.write_json(record, made)
    about = {"classifier": json.dumps(model.config)}
    paths.write_weights(model.state_dict(), weights, about, half=True)
    return made


def files(name: str, folder: Path = paths.SHIPPED / FOLDER) -> tuple[Path, Path]:
    """A classifier's weights (16-bit floats, with its architecture) and how it was made."""
    return folder / f"{name}.safetensors", folder / f"{name}.json"


def load_classifier(name: str, device: str | torch.device = "cpu") -> nn.Module:
    """A shipped classifier of `CLASSIFIERS`; recipes may learn from "features" alone."""
    kind = look_up(CLASSIFIERS, name, "classifier")
    state, metadata = paths.read_weights(files(name)[0])
    model = kind.network(**json.loads(metadata["classifier"]))
    model.load_state_dict(state)
    return model.eval().to(device, memory_format=torch.channels_last)


def accuracy(model: nn.Module, rgb: Tensor, classes: np.ndarray) -> float:
    """Share of the images rgb (N, 3, H, W) in [0, 1] whose class (N,) has the largest logit."""
    with evaluation_mode(model) as device:
        found = torch.cat([model(part.to(device)).argmax(1).cpu() for part in rgb.split(500)])
    return (found == torch.as_tensor(classes)).double().mean().item()
