"""The colorization Turing test: which of two pictures has the artificial colours?

After Zhang et al. 2016, section 3.1: a true picture and a recoloured one, one second each, then
"which is the fake?", without a time limit; ten practice pairs with the answer told, then 40; every
tenth pair has random colours (as in the paper) or none at all (added here), as an attention check.
A participant never learns which system made a picture. Answers are kept one by one in
data/turing/PARTICIPANT-TIME.jsonl; fooling_rates.py makes the table.
"""

import asyncio
import errno
import html
import json
import os
import re
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from colorlib import paths
from colorlib.color import luma
from colorlib.datasets.arrays import check_uint8, to_images, to_tensor
from colorlib.environment import offer
from colorlib.model import ColorNet
from colorlib.report.evaluation import (
    Colorizer,
    System,
    as_systems,
    at_vividness,
    grey,
    random_colors,
)
from colorlib.report.store import weights_digest
from colorlib.widgets.page import Tool, encoded, row

if TYPE_CHECKING:
    from ipywidgets import VBox

PRACTICE, TRIALS = 10, 40
SECONDS = 1.0  # for which each picture is shown
PAUSE = 0.5  # before the first
CHECK_EVERY = 10  # one pair in so many is an attention check
CHECKS = ("random_colors", "grey")
SIDE = 256  # pixels, as in the paper
VIVIDNESS = (0.0, 0.5, 1.0)

Systems = ColorNet | dict[str, Colorizer]


def tested_systems(model: Systems, others: dict[str, Colorizer] | None = None) -> list[System]:
    """Ours at three settings, or the systems of a mapping; and `others`."""
    ours = as_systems(model) if isinstance(model, dict) else at_vividness(model, "luma", VIVIDNESS)
    return ours + as_systems(others or {})


def plan(
    systems: list[System],
    count: int,
    practice: int = PRACTICE,
    trials: int = TRIALS,
    seed: int = 0,
) -> list[dict]:
    """The pairs of one session: image index, system, whether the fake comes first.

    The images are all different; the systems take equal turns, in random order; every tenth pair is
    an attention check. All of it is drawn from the seed. Raises ValueError if there are too few of
    the `count` images.
    """
    total = practice + trials
    if count < total:
        raise ValueError(f"images: got {count}, expected {total} or more, one for each pair")
    random = np.random.default_rng(seed)
    chosen = random.permutation(count)[:total]
    rows = [system.row() for system in systems]
    turns = [rows[i % len(rows)] for i in random.permutation(total)]
    for start in range(0, total, CHECK_EVERY):
        size = min(CHECK_EVERY, total - start)
        turns[start + random.integers(size)] = {"system": CHECKS[random.integers(len(CHECKS))]}
    first = random.permutation(np.arange(total) % 2 == 0)
    return [
        {"image": int(chosen[i])}
        | turns[i]
        | {"fake_first": bool(first[i]), "practice": i < practice}
        for i in range(total)
    ]


def recolor(
    pair: dict, systems: list[System], image: np.ndarray, images: np.ndarray, seed: int
) -> np.ndarray:
    """One uint8 image (H, W, 3) as the system, or the attention check, of a pair colours it."""
    truth = to_tensor(image[None])
    if pair["system"] == "grey":
        colored = grey(luma(truth))
    elif pair["system"] == "random_colors":
        colored = random_colors(truth, images, seed)
    else:
        system = next(s for s in systems if s.row().items() <= pair.items())
        with torch.inference_mode():
            colored = system.colorize(luma(truth))
    return to_images(colored)[0]


def enlarge(image: np.ndarray) -> bytes:
    """A uint8 image as a PNG of 256 x 256."""
    large = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return encoded(large, "PNG")


def record(path: Path, answer: dict) -> None:
    """Append one answer and flush it to the disk; after an OSError the file is as it was."""
    line = (json.dumps(answer) + "\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        start = file.tell()
        try:
            if file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(start)  # or the next try would be glued to it
            raise


def turing_test(
    model: Systems,
    images: np.ndarray,
    participant: str | None = None,
    others: dict[str, Colorizer] | None = None,
    practice: int = PRACTICE,
    trials: int = TRIALS,
    seed: int | None = None,
    about: str = "",
) -> "VBox":
    """Take the test on uint8 `images` (N, H, W, 3) of the test split; returns an ipywidgets box.

    model: the shipped network (at three settings of vividness), or a dict of systems, key ->
    function from luma (N, 1, H, W) to RGB. participant: who answers, the same name each time, since
    people are told apart by it; somebody new if None. others: more systems. seed: draws images,
    order and sides; a new one each time if None. about: which images, in words. It is kept with
    each answer together with the network's digest, and answers about different ones are not pooled.
    The file of the answers is in the box's `path`. The buttons and the left and right arrow keys
    answer. Raises ValueError for too few images, and for a name that is no file name.
    """
    import ipywidgets as w

    images = check_uint8(images)
    participant = participant or f"anonymous-{uuid.uuid4().hex[:8]}"
    if not re.fullmatch(r"[\w-]+", participant):
        raise ValueError(f"participant: got {participant!r}, expected letters, digits, _ and -")
    systems = tested_systems(model, others)
    if not isinstance(model, dict):
        about = f"{about}, weights {weights_digest(model)}".removeprefix(", ")
    seed = time.time_ns() % 2**32 if seed is None else seed
    pairs = plan(systems, len(images), practice, trials, seed)
    path = paths.turing() / f"{participant}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    blank = enlarge(np.full((8, 8, 3), 200, np.uint8))
    message = w.HTML(
        f"{practice} pairs to practise, then {trials}. Each picture is shown for a second. One of "
        "the two has artificial colours: which? Answer with the buttons or with the left and right "
        "arrow keys."
    )
    verdict = w.HTML()
    progress = w.IntProgress(0, 0, len(pairs), layout=w.Layout(width="100%"))
    start = w.Button(description="start", button_style="primary")
    width = w.Layout(flex="1 1 150px", max_width=f"{SIDE}px", margin="2px")
    pictures, buttons, sides = [], [], []
    for side in ("left", "right"):
        name = w.HTML(f'<span data-alt="The {side} picture of the pair"></span>')
        pictures.append(w.Image(value=blank, layout=w.Layout(width="100%", margin="0")))
        buttons.append(w.Button(description=side, layout=w.Layout(width="100%", margin="4px 0")))
        sides.append(w.VBox([pictures[-1], buttons[-1], name], layout=width))
    state: dict = {"at": -1, "asking": False, "sheets": [], "told": [], "tasks": set()}

    async def show_pair() -> None:
        pair = pairs[state["at"]]
        true = images[pair["image"]]
        fake = recolor(pair, systems, true, images, seed + state["at"])
        both = (fake, true) if pair["fake_first"] else (true, fake)
        state["sheets"] = [enlarge(image) for image in both]
        number = state["at"] + 1 - (0 if pair["practice"] else practice)
        which = f"Practice {number} of {practice}" if pair["practice"] else f"{number} of {trials}"
        message.value = f"{which}: look."
        await asyncio.sleep(PAUSE)
        for shown, sheet in zip(pictures, state["sheets"], strict=True):
            shown.value = sheet
            await asyncio.sleep(SECONDS)
            shown.value = blank
        message.value = f"{which}: which one has the artificial colours?"
        state["asked"], state["asking"] = time.perf_counter(), True

    def advance() -> None:
        state["at"] += 1
        progress.value = state["at"]
        for shown in pictures:
            shown.value = blank
        if state["at"] == len(pairs):
            message.value = f"Done, thank you. {own_score(state['told'])}"
            verdict.value = f"The answers are in {html.escape(str(path))}."
            offer(path)
            return
        task = asyncio.get_running_loop().create_task(show_pair())
        state["tasks"].add(task)  # or it could be collected before it has run
        task.add_done_callback(finished)

    def finished(task: asyncio.Task) -> None:
        state["tasks"].discard(task)
        if not task.cancelled() and task.exception():
            reason = html.escape(str(task.exception()))
            message.value = f"The test stopped: {reason}. The answers so far are kept."

    def answer(side: str) -> None:
        if not state["asking"]:  # the second half of a double click, or too early
            return
        pair = pairs[state["at"]]
        fake = "left" if pair["fake_first"] else "right"
        kept = pair | {"participant": participant, "answer": side, "fooled": side != fake}
        kept |= {"seed": seed, "about": about}
        kept["seconds"] = round(time.perf_counter() - state["asked"], 3)
        try:
            record(path, kept)
        except OSError as error:
            message.value = f"The answer could not be kept: {html.escape(str(error))}. Try again."
            return
        state["asking"] = False
        state["told"].append(kept)
        if not pair["practice"]:
            advance()
            return
        for shown, sheet in zip(pictures, state["sheets"], strict=True):
            shown.value = sheet
        word = "Wrong" if kept["fooled"] else "Correct"
        verdict.value = f"<b>{word}: the {fake.upper()} picture has the artificial colours.</b>"
        message.value = "Press <i>next</i>, or an arrow key."
        state["waiting"] = True

    def go_on(_: w.Button | None = None) -> None:
        if state["at"] < 0 or state.pop("waiting", False):
            verdict.value, start.description = "", "next"  # it keeps the focus, so it stays
            advance()

    def act(kind: str, *words: str) -> None:
        if kind == "key" and state["asking"]:
            answer(words[0])
        elif kind == "key":
            go_on()

    for button in buttons:
        button.on_click(lambda pressed: answer(pressed.description))
    start.on_click(go_on)
    parts = [message, progress, row(sides), verdict, start]
    tool = Tool()
    tool.controls, tool.act = {}, act
    box = tool.page(parts, "the Turing test")
    box.path, box.pairs, box.state = path, pairs, state
    box.controls = {"message": message, "verdict": verdict, "progress": progress, "start": start}
    box.controls |= {"left": buttons[0], "right": buttons[1], "pictures": pictures, "act": act}
    return box


def own_score(answers: list[dict]) -> str:
    """How many fakes a participant found, in a sentence; practice does not count."""
    counted = [a for a in answers if not a["practice"]]
    checks = [a for a in counted if a["system"] in CHECKS]
    found = [not a["fooled"] for a in counted if a["system"] not in CHECKS]
    said = f"You found {sum(found)} of {len(found)} artificial pictures; guessing finds half."
    right = sum(not a["fooled"] for a in checks)
    return f"{said} Attention checks: {right} of {len(checks)}."
