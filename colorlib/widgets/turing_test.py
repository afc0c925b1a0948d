"""The colorization Turing test: which of two pictures has the made-up colours?

After Zhang et al. 2016, section 3.1: a true picture and a recoloured one, one second each, then
"which is the fake?", as long as one likes; ten practice pairs with the answer told, then 40; every
tenth pair has random colours (theirs) or none at all (added here), to see who is paying attention.
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

import numpy as np
import torch
from PIL import Image

from colorlib import paths
from colorlib.color import luma
from colorlib.data import to_images, to_tensor
from colorlib.datasets.arrays import check_uint8
from colorlib.environment import offer
from colorlib.model import colorize, mark
from colorlib.report.evaluation import grey, random_colours
from colorlib.widgets.panels import png

PRACTICE, TRIALS = 10, 40
SECONDS = 1.0  # that each picture is shown
PAUSE = 0.5  # before the first
EVERY = 10  # one pair in so many is a catch trial
CATCH = ("random colours", "grey")
SIDE = 256  # pixels, as in the paper


def systems_of(model, others=None) -> dict:
    """name -> function from luma (N, 1, H, W) to RGB: ours at three settings, and `others`.

    A model that is a dict of such functions stays as it is.
    """
    if not isinstance(model, dict):
        model = {
            f"ours, vividness {v:g}": lambda gray, v=v, net=model: colorize(net, gray, "luma", v)
            for v in (0.0, 0.5, 1.0)
        }
    return model | (others or {})


def plan(systems, count: int, practice=PRACTICE, trials=TRIALS, seed=0) -> list[dict]:
    """The pairs of one session: image number, system, whether the fake comes first.

    The images are all different; the systems take equal turns, in random order; every tenth pair is
    a catch trial. All of it is drawn from the seed. Raises ValueError where images are too few.
    """
    total = practice + trials
    if count < total:
        raise ValueError(f"images: got {count}, wanted {total} or more, one a pair")
    random = np.random.default_rng(seed)
    chosen = random.permutation(count)[:total]
    names = list(systems)
    turns = [names[i % len(names)] for i in random.permutation(total)]
    for start in range(0, total, EVERY):
        size = min(EVERY, total - start)
        turns[start + random.integers(size)] = CATCH[random.integers(len(CATCH))]
    first = random.permutation(np.arange(total) % 2 == 0)
    return [
        {
            "image": int(chosen[i]),
            "system": turns[i],
            "fake_first": bool(first[i]),
            "practice": i < practice,
        }
        for i in range(total)
    ]


def recolour(system: str, systems: dict, image: np.ndarray, images, seed: int) -> np.ndarray:
    """One uint8 image (H, W, 3) as a system, or a catch trial, colours its luma."""
    truth = to_tensor(image[None])
    if system == "grey":
        made = grey(luma(truth))
    elif system == "random colours":
        made = random_colours(truth, images, seed)
    else:
        with torch.inference_mode():
            made = systems[system](luma(truth))
    return to_images(made)[0]


def enlarge(image: np.ndarray) -> bytes:
    """A uint8 image as a PNG of 256 x 256."""
    return png(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def record(path: Path, answer: dict) -> None:
    """Append one answer, on disk before this returns; none of it is there after an OSError."""
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
    model, images, participant=None, others=None, practice=PRACTICE, trials=TRIALS, seed=None,
    about="",
):  # fmt: skip
    """Take the test on uint8 `images` (N, H, W, 3) of the test split; returns an ipywidgets box.

    model: the shipped network (at three settings of vividness), or a dict of systems, name ->
    function from luma (N, 1, H, W) to RGB. participant: who answers, the same name each time, since
    people are told apart by it; somebody new if None. others: more systems. seed: draws images,
    order and sides; a new one each time if None. about: which images, in words: kept with each
    answer, a network's `mark` beside it, and answers about different ones are not pooled. The file
    of the answers is in the box's `path`.
    """
    import ipywidgets as w

    images = check_uint8(images)
    participant = participant or f"anonymous-{uuid.uuid4().hex[:8]}"
    if not re.fullmatch(r"[\w-]+", participant):
        raise ValueError(f"participant: got {participant!r}, wanted letters, digits, _ and -")
    systems = systems_of(model, others)
    if not isinstance(model, dict):
        about = f"{about}, weights {mark(model)}".removeprefix(", ")
    seed = time.time_ns() % 2**32 if seed is None else seed
    pairs = plan(systems, len(images), practice, trials, seed)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = paths.turing() / f"{participant}-{stamp}.jsonl"
    blank = enlarge(np.full((8, 8, 3), 200, np.uint8))
    size = w.Layout(width=f"{SIDE}px", height=f"{SIDE}px")
    left, right = (w.Image(value=blank, format="png", layout=size) for _ in range(2))
    said = w.HTML(
        f"{practice} pairs to practise, then {trials}. Each picture is shown for a second. "
        "One of the two has made-up colours: which?"
    )
    button = w.Layout(width=f"{SIDE}px")
    buttons = [w.Button(description=d, layout=button, disabled=True) for d in ("left", "right")]
    start = w.Button(description="start", button_style="primary")
    state = {"at": -1, "asked": 0.0, "tasks": set()}

    async def show_pair():
        pair = pairs[state["at"]]
        true = images[pair["image"]]
        fake = recolour(pair["system"], systems, true, images, seed + state["at"])
        sheets = [enlarge(x) for x in ((fake, true) if pair["fake_first"] else (true, fake))]
        kind = "practice" if pair["practice"] else "pair"
        number = state["at"] + 1 - (0 if pair["practice"] else practice)
        said.value = f"{kind} {number} of {practice if pair['practice'] else trials}"
        await asyncio.sleep(PAUSE)
        for picture, sheet in zip((left, right), sheets, strict=True):
            picture.value = sheet
            await asyncio.sleep(SECONDS)
            picture.value = blank
        said.value += ": which one is the fake?"
        state["asked"] = time.perf_counter()
        ask(True)

    def ask(whether: bool):
        for b in buttons:
            b.disabled = not whether

    def advance(told=""):
        state["at"] += 1
        if state["at"] == len(pairs):
            said.value = f"{told} Done, thank you. The answers are in {path.name}."
            offer(path)
            return
        task = asyncio.get_running_loop().create_task(show_pair())
        state["tasks"].add(task)  # or it could be collected before it has run
        task.add_done_callback(finished)

    def finished(task):
        state["tasks"].discard(task)
        if not task.cancelled() and task.exception():
            why = html.escape(str(task.exception()))
            said.value = f"The test stopped: {why}. The answers so far are kept."

    def answer(chosen):
        if chosen.disabled:  # the second half of a double click
            return
        ask(False)
        pair = pairs[state["at"]]
        right_answer = "left" if pair["fake_first"] else "right"
        kept = pair | {"participant": participant, "answer": chosen.description}
        kept |= {"fooled": chosen.description != right_answer, "seed": seed, "about": about}
        kept["seconds"] = round(time.perf_counter() - state["asked"], 3)
        try:
            record(path, kept)
        except OSError as error:
            said.value = f"The answer could not be kept: {html.escape(str(error))}. Try again."
            ask(True)
            return
        told = f"It was the {right_answer} one." if pair["practice"] else ""
        said.value = told
        advance(told)

    def begin(_):
        start.disabled = True
        if state["at"] < 0:
            advance()

    for b in buttons:
        b.on_click(answer)
    start.on_click(begin)

    class Test(w.VBox):
        def __repr__(self):
            return "(the Turing test, where a kernel runs)"

    box = Test([said, w.HBox([left, right]), w.HBox(buttons), start])
    box.path, box.pairs, box.state = path, pairs, state
    box.controls = {"said": said, "left": buttons[0], "right": buttons[1], "start": start}
    return box
