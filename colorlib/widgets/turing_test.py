"""The colorization Turing test: which of two pictures has the artificial colours?

After Zhang et al. 2016, section 3.1: a true picture and a recoloured one, one second each, then
"which is the fake?", without a time limit; ten practice pairs with the answer told, then 40; every
tenth pair has random colours (as in the paper) or none at all (added here), as an attention check.
A participant never learns which system made a picture. Answers are kept one by one in
data/turing/PARTICIPANT-TIME.jsonl; fooling_rates.py makes the table.
"""

import asyncio
import html
import json
import re
import time
import uuid
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from colorlib import paths
from colorlib.color import luma
from colorlib.datasets.arrays import check_uint8, to_images, to_tensor
from colorlib.environment import offer
from colorlib.model import ColorNet
from colorlib.report import evaluation
from colorlib.report.evaluation import Colorizer, System, as_systems
from colorlib.report.store import weights_digest
from colorlib.widgets.page import Tool, encoded, row

if TYPE_CHECKING:
    from ipywidgets import Box

PRACTICE, TRIALS = 10, 40
SECONDS = 1.0  # for which each picture is shown
PAUSE = 0.5  # before the first
CHECK_EVERY = 10  # one pair in so many is an attention check
CHECKS = ("random_colors", "grey")
SIDE = 256  # pixels, as in the paper
VIVIDNESS = (0.0, 0.5, 1.0)
SIDES = ("left", "right")

Systems = ColorNet | dict[str, Colorizer]


def tested_systems(model: Systems, others: dict[str, Colorizer] | None = None) -> list[System]:
    """Ours at three settings, or the systems of a mapping; and `others`."""
    if isinstance(model, ColorNet):
        return evaluation.at_vividness(model, "luma", VIVIDNESS) + as_systems(others or {})
    return as_systems(model | (others or {}))


def plan(systems: list[System], count: int, practice: int, trials: int, seed: int) -> list[dict]:
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
    order = random.permutation(np.arange(total) % 2 == 0)
    return [
        {"image": int(image)} | turn | {"fake_first": bool(first), "practice": number < practice}
        for number, (image, turn, first) in enumerate(zip(chosen, turns, order, strict=True))
    ]


def recolor(
    pair: dict, systems: list[System], image: np.ndarray, images: np.ndarray, seed: int
) -> np.ndarray:
    """One uint8 image (H, W, 3) as the system, or the attention check, of a pair colours it."""
    truth = to_tensor(image[None])
    checks = {
        "grey": evaluation.grey,
        "random_colors": lambda _: evaluation.random_colors(truth, images, seed),
    }
    system = next(s for s in as_systems(checks) + systems if s.row().items() <= pair.items())
    with torch.inference_mode():
        return to_images(system.colorize(luma(truth)))[0]


def enlarge(image: np.ndarray) -> bytes:
    """A uint8 image as a PNG of 256 x 256."""
    large = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return encoded(large, "PNG")


def turing_test(
    model: Systems,
    images: np.ndarray,
    participant: str | None = None,
    others: dict[str, Colorizer] | None = None,
    practice: int = PRACTICE,
    trials: int = TRIALS,
    seed: int | None = None,
    about: str = "",
) -> "Box":
    """Take the test on uint8 `images` (N, H, W, 3) of the test split; returns an ipywidgets box.

    model: the shipped network (at three settings of vividness), or a dict of systems, key ->
    function from luma (N, 1, H, W) to RGB. participant: who answers, the same name each time, since
    people are told apart by it; somebody new if None. others: more systems. seed: draws images,
    order and sides; a new one each time if None. about: which images, in words. It is kept with
    each answer together with the network's digest, and answers about different ones are not pooled.
    The file of the answers is the `path` of the box's `tool`. The buttons and the left and right
    arrow keys answer. Raises ValueError for too few images, and for a name that is no file name.
    """
    participant = participant or f"anonymous-{uuid.uuid4().hex[:8]}"
    if not re.fullmatch(r"[\w-]+", participant):
        raise ValueError(f"participant: got {participant!r}, expected letters, digits, _ and -")
    if not isinstance(model, dict):
        about = f"{about}, weights {weights_digest(model)}".removeprefix(", ")
    seed = time.time_ns() % 2**32 if seed is None else seed
    systems = tested_systems(model, others)
    pairs = plan(systems, len(check_uint8(images)), practice, trials, seed)
    kept = {"participant": participant, "seed": seed, "about": about}
    return TuringTest(pairs, systems, images, kept).box


class TuringTest(Tool):
    """The widgets of the test, by name in `controls`; `session` asks all its pairs.

    kept: what is kept with each answer: participant, seed and about.
    """

    def __init__(self, pairs: list[dict], systems: list[System], images: np.ndarray, kept: dict):
        import ipywidgets as w

        self.pairs, self.systems, self.images, self.kept = pairs, systems, images, kept
        name = f"{kept['participant']}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
        self.path, self.answers = paths.turing() / name, []
        self.practice = sum(pair["practice"] for pair in pairs)
        self.task: asyncio.Task | None = None
        self.awaited: tuple[str, ...] = ()  # the buttons that mean something now
        self.blank = enlarge(np.full((8, 8, 3), 200, np.uint8))
        full = w.Layout(width="100%", margin="0 0 4px")
        c = self.controls = {
            "message": w.HTML(
                f"{self.practice} pairs to practise, then {len(pairs) - self.practice}. Each "
                "picture is shown for a second. One of the two has artificial colours: which? "
                "Answer with the buttons or with the left and right arrow keys."
            ),
            "verdict": w.HTML(),
            "progress": w.IntProgress(0, 0, len(pairs), layout=w.Layout(width="100%")),
            "start": self.button("start", lambda: self.press("next"), button_style="primary"),
            "pictures": {side: w.Image(value=self.blank, layout=full) for side in SIDES},
        }
        column = w.Layout(flex="1 1 150px", max_width=f"{SIDE}px", margin="2px")
        columns = []
        for side, shown in c["pictures"].items():
            c[side] = self.button(side, lambda side=side: self.press(side), layout=full)
            alt = w.HTML(f'<span data-alt="The {side} picture of the pair"></span>')
            columns.append(w.VBox([shown, c[side], alt], layout=column))
        parts = [c["message"], c["progress"], row(columns), c["verdict"], row([c["start"]])]
        self.box = self.page(parts, "the Turing test")

    def act(self, kind: str, *words: str) -> None:
        """An arrow key answers, or goes on."""
        if kind == "key":
            self.press(words[0] if words[0] in self.awaited else "next")

    def press(self, button: str) -> None:
        """Begin, or hand a button that is awaited to the session: no double click, none early."""
        if self.task is None and button == "next":
            self.controls["start"].description = "next"  # it keeps the focus, so it stays
            self.task = asyncio.get_running_loop().create_task(self.session())
        elif button in self.awaited:
            self.awaited = ()
            self.pressed.set_result(button)

    async def wait_for(self, *buttons: str) -> str:
        """The first of the buttons that is pressed from now on."""
        self.awaited, self.pressed = buttons, asyncio.get_running_loop().create_future()
        return await self.pressed

    async def session(self) -> None:
        """Ask all pairs; a sentence says why if that fails."""
        message = self.controls["message"]
        try:
            for number, pair in enumerate(self.pairs):
                await self.ask(number, pair)
                self.controls["progress"].value = number + 1
        except Exception as error:
            reason = html.escape(str(error))
            message.value = f"The test stopped: {reason}. The answers so far are kept."
            return
        message.value = f"Done, thank you. {own_score(self.answers)}"
        self.controls["verdict"].value = f"The answers are in {html.escape(str(self.path))}."
        offer(self.path)

    async def ask(self, number: int, pair: dict) -> None:
        """Show a pair, one picture after the other, ask, and keep the answer."""
        message, verdict = self.controls["message"], self.controls["verdict"]
        pictures, true = self.controls["pictures"], self.images[pair["image"]]
        fake = recolor(pair, self.systems, true, self.images, self.kept["seed"] + number)
        fake_side, true_side = SIDES if pair["fake_first"] else SIDES[::-1]
        sheets = {fake_side: enlarge(fake), true_side: enlarge(true)}
        which = f"{number + 1 - self.practice} of {len(self.pairs) - self.practice}"
        if pair["practice"]:
            which = f"Practice {number + 1} of {self.practice}"
        message.value = f"{which}: look."
        await asyncio.sleep(PAUSE)
        for side, shown in pictures.items():
            shown.value = sheets[side]
            await asyncio.sleep(SECONDS)
            shown.value = self.blank
        message.value = f"{which}: which one has the artificial colours?"
        began = time.perf_counter()
        side = await self.wait_for(*SIDES)
        answer = {"answer": side, "fooled": side == true_side}
        answer["seconds"] = round(time.perf_counter() - began, 3)
        self.answers.append(pair | self.kept | answer)
        with paths.replacing(self.path) as part:
            part.write_text("".join(json.dumps(a) + "\n" for a in self.answers), "utf-8")
        if pair["practice"]:
            self.show(sheets)
            verdict.value = (
                f"<b>{'Wrong' if side == true_side else 'Correct'}: the {fake_side.upper()} "
                "picture has the artificial colours.</b>"
            )
            message.value = "Press <i>next</i>, or an arrow key."
            await self.wait_for("next")
            verdict.value = ""
            self.show({})

    def show(self, sheets: dict[str, bytes]) -> None:
        """Show a picture on each side, or grey."""
        for side, shown in self.controls["pictures"].items():
            shown.value = sheets.get(side, self.blank)


def own_score(answers: list[dict]) -> str:
    """How many fakes a participant found, in a sentence; practice does not count."""
    counted = [a for a in answers if not a["practice"]]
    checks = [not a["fooled"] for a in counted if a["system"] in CHECKS]
    found = [not a["fooled"] for a in counted if a["system"] not in CHECKS]
    return (
        f"You found {sum(found)} of {len(found)} artificial pictures; guessing finds half. "
        f"Attention checks: {sum(checks)} of {len(checks)}."
    )
