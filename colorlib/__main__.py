"""The command line of colorlib: data, training, measuring, and colours for files."""

import argparse
import dataclasses
import json
import logging
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from colorlib import data, paths
from colorlib.config import NAME, Config
from colorlib.datasets.prepared import TITLES
from colorlib.recipes import build
from colorlib.report import evaluation, tables


def prepare(args: argparse.Namespace) -> None:
    """write the HSV arrays train_hsv.npy and test_hsv.npy of a source"""
    source, why = data.resolve(args.source)
    print(why)
    for split in ("train", "test"):
        path = data.prepared_path(source, split, args.count)
        try:
            images = data.load_images(source, split, args.count)
        except ValueError as error:
            if split == "train":
                raise
            print(f"Training images alone: {error}")  # a folder need not be split
            return
        array = data.prepare(images, path)
        print(f"{path.parent.name}/{path.name}: {array.shape} {array.dtype}")


def pack(args: argparse.Namespace) -> None:
    """write a folder of any number of images as one .npy file, to train on memory-mapped"""
    from colorlib.datasets.prepared import pack

    array = pack(args.folder, args.output, args.split, args.size, args.force)
    print(f"{args.output}: {array.shape} {array.dtype}")


def train(args: argparse.Namespace) -> int:
    """train a network into data/runs/NAME, going on where it stopped"""
    from colorlib.train import fit

    config = Config(**{f.name: getattr(args, f.name) for f in dataclasses.fields(Config)})
    model, recipe = build(config)
    source, _ = data.resolve(args.source)
    images = data.load_images(source, "train", size=args.size)
    history = fit(model, recipe, images, config)
    for row in history[-1:]:
        print(", ".join(f"{k} {v:.4g}" for k, v in row.items()))
    record = paths.runs() / config.name / "history.json"
    if not record.is_file():
        return 1
    made = json.loads(record.read_text(encoding="utf-8"))
    if "--source" not in made["command"]:  # fit is given images, not where they came from
        made["command"] += f" --source {shlex.quote(source)} --size {args.size}"
        paths.write_json(record, made)
    return 0


def evaluate(args: argparse.Namespace) -> None:
    """measure a network on a source; prints the table and keeps it as a result"""
    from colorlib.model import load_model

    if args.name and not re.fullmatch(NAME, args.name):
        expected = "letters, digits, _ - and, not first, ."
        raise ValueError(f"--name: got {args.name!r}, expected {expected}")
    inputs = ("value", "luma") if args.given == "both" else (args.given,)
    model = load_model(args.model)
    for given in inputs:
        name = f"{args.name}-{given}" if args.name and len(inputs) > 1 else args.name
        result = evaluation.evaluate_model(
            model, args.model, given, args.source, args.split, args.count, args.size,
            args.unless_current, name,
        )  # fmt: skip
        print(f"{tables.result_table(result)}\n")
    print(f"The results are in {paths.results()}")


def train_classifier(args: argparse.Namespace) -> None:
    """train a classifier into data/runs/NAME: one that measures images, or NoGAN's features"""
    from colorlib.compare import classifier

    for name in args.names:
        made = classifier.make_classifier(name, args.source)
        print(f"{name}: {made['test_accuracy']:.4f} of {made['test_images']:,} test images right")


def compare(args: argparse.Namespace) -> None:
    """train the compared recipes at one budget and measure them; the result equal-budget-BUDGET"""
    from colorlib.compare import equal_budget

    given = args.source, args.budget, args.count
    result = equal_budget.compare(*given, unless_current=args.unless_current)
    if result["rows"]:
        print(tables.result_table(result))
    for key, margin in equal_budget.pareto_margins(result).items():
        print(f"{tables.TITLES[key]}: our curve lies {margin:+.4f} rebalanced AuC above")


def study(args: argparse.Namespace) -> None:
    """train and measure the runs of notebook 5 that are not on file"""
    from colorlib.study import runs

    runs.study(args.names, args.source)


def duplicates(args: argparse.Namespace) -> None:
    """find test images that also occur in the training set; the main table without them"""
    from colorlib.study.near_duplicates import evaluate_without_duplicates

    found = evaluate_without_duplicates(args.source, unless_current=args.unless_current)
    pairs, data = found["duplicates"]["pairs"], found["duplicates"]["data"]
    print(f"{len(pairs):,} of {data['count']:,} test images have a near-duplicate in training")


def published(args: argparse.Namespace) -> int:
    """measure a network beside published systems; the result published-MODEL"""
    from colorlib import peers
    from colorlib.compare.published import published_result, tables

    code = say(peers.fetch_published() if args.fetch else [])
    result = published_result(args.model, tuple(args.vividness), args.unless_current)
    print(f"{tables(result)}\n\nThe results are in {paths.results()}")
    return code


def hints(args: argparse.Namespace) -> None:
    """measure what hints bring, and colours drawn at random; the result hints-MODEL"""
    from colorlib.compare import hint_study

    result = hint_study.hints_result(args.model, args.count, args.unless_current)
    print(f"{hint_study.hints_table(result)}\n\n{hint_study.decoders_table(result)}")


def colorize(args: argparse.Namespace) -> int:
    """colour photographs, files and folders, file to file"""
    from colorlib.photos.batch import colorize_files
    from colorlib.photos.colorize_photo import network
    from colorlib.photos.hints import parse_hint

    options = {"vividness": args.vividness, "size": args.size, "seed": args.seed}
    options["hints"] = [parse_hint(text) for text in args.hint]
    if args.hint and (len(args.photos) != 1 or args.photos[0].is_dir()):
        raise ValueError("--hint: places belong to one photograph; name one file")
    model = network(args.model)
    return say(colorize_files(args.photos, args.output, model, args.force, **options))


def say(failed: list[str]) -> int:
    """Print a line for each failure; the exit code."""
    for sentence in failed:
        print(f"colorlib: {sentence}", file=sys.stderr)
    return int(bool(failed))


def place(text: str) -> Path:
    """A path on the command line; an empty one, of a variable not set, would be this folder."""
    if not text:
        raise argparse.ArgumentTypeError("got an empty name, expected a file or a folder")
    return Path(text)


NAMED = ", ".join(TITLES)
SHARED: dict[str, dict[str, Any]] = {
    "--source": {"default": "auto", "help": f"auto, {NAMED}, a folder or a .npy file"},
    "--size": {"type": int, "default": 32, "help": "a folder's images are scaled to this side"},
    "--model": {"default": "photo", "help": "a shipped name or a .safetensors file"},
    "--unless-current": {"action": "store_true", "help": "not if a result on file is still valid"},
    "--force": {"action": "store_true", "help": "overwrite"},
}
PEERS = "or a published network, such as eccv16 (its official weights are fetched when first used)"


def parser() -> argparse.ArgumentParser:
    from colorlib.photos.colorize_photo import INNER

    top = argparse.ArgumentParser(prog="python -m colorlib", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(function: Callable[[argparse.Namespace], int | None], *shared: str) -> Callable:
        """A command with options of `SHARED`; returns the function that adds one of its own."""
        sub = commands.add_parser(function.__name__.replace("_", "-"), help=function.__doc__)
        sub.set_defaults(run_command=function)
        for option in shared:
            sub.add_argument(option, **SHARED[option])
        return sub.add_argument

    add = command(prepare, "--source")
    add("--count", type=int, help="only the first images of each split")
    add = command(pack, "--force")
    add("folder", type=place)
    add("-o", "--output", type=place, required=True, help="a .npy file")
    add("--split", default="train", choices=("train", "test"))
    add("--size", type=int, default=64, help="side of the images, in pixels")
    add = command(train, "--source", "--size")
    for field in dataclasses.fields(Config):
        kind = int if field.name == "count" else type(field.default)
        many = {"nargs": "+", "type": int} if kind is tuple else {"type": kind}
        if kind is bool:
            many = {"action": "store_true"}
        add(f"--{field.name.replace('_', '-')}", default=field.default, **many)
    add = command(evaluate, "--source", "--size", "--unless-current")
    add("--model", **SHARED["--model"] | {"default": "cifar"})
    add("--given", default="value", choices=("value", "luma", "both"))
    add("--split", default="test", choices=("train", "test"))
    add("--count", type=int, help="only the first images")
    add("--name", help="of the result file")
    add = command(train_classifier)
    add("names", nargs="+", help="classifier, classifier-resnet, classifier-grey or features")
    add("--source", default="cifar100", help="what has classes: cifar100")
    add = command(compare, "--source", "--unless-current")
    add("--budget", default="full", choices=("full", "short"))
    add("--count", type=int, help="only the first test images")
    add = command(study, "--source")
    add("names", nargs="*", help="of runs; all by default")
    command(duplicates, "--source", "--unless-current")
    add = command(published, "--model", "--unless-current")
    add("--fetch", action="store_true", help="first download what is missing, 40 MB")
    add("--vividness", type=float, nargs="+", default=(0.0, 0.5, 1.0))
    add = command(colorize, "--force")
    add("photos", type=place, nargs="+", help="files, or folders of them")
    add("-o", "--output", type=place, help="a file or a folder; NAME-coloured by default")
    add("--model", default="photo", help=f"{SHARED['--model']['help']}, {PEERS}")
    add("--vividness", type=float, default=0.5)
    add("--size", type=int, default=INNER, help="shorter side the network works at")
    about = "the colour at a place, in pixels of the photograph; may be given several times"
    add("--hint", action="append", default=[], metavar="X,Y,#RRGGBB", help=about)
    add("--seed", type=int, help="colours drawn at random: a number from 0 to 4294967295")
    add = command(hints, "--model", "--unless-current")
    add("--count", type=int, default=500, help="of the held-out photographs")
    return top


def main() -> int:
    for stream in (sys.stdout, sys.stderr):  # no name of a file is to end a command
        stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(format="colorlib: %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is half written is removed
    args = parser().parse_args()
    try:
        code = args.run_command(args) or 0
    except BrokenPipeError:
        code = 141  # as a shell says it
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"colorlib: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has read enough; Python is not to try it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    sys.exit(main())
