"""Moves in the widgets: from a key to the new picture in Chromium, and what the kernel does."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import skimage.data
from PIL import Image

from colorlib.paths import REPOSITORY
from colorlib.widgets.photo import photo_tool

MOVES = REPOSITORY / "build" / "browser" / "moves.json"


def slider_moves() -> list[dict]:
    """The median over the browser test's moves, as the page sees them; nothing without Chromium."""
    MOVES.unlink(missing_ok=True)
    test = ["tests/widgets/test_in_a_browser.py", "-k", "follows_mouse_and_keyboard"]
    subprocess.run([sys.executable, "-m", "pytest", *test], cwd=REPOSITORY, check=True)
    if not MOVES.is_file():
        return []  # the test was skipped and printed the reason
    milliseconds = json.loads(MOVES.read_text(encoding="utf-8"))["milliseconds"]
    return [{"key": "slider-move", "value": median(milliseconds), "unit": "ms"}]


def photo_tool_moves(count: int = 15) -> list[dict]:
    """Medians of the photo tool's handlers on a photograph of 12 megapixels, without a browser."""
    image = Image.fromarray(skimage.data.chelsea()).resize((4000, 3000))
    tool = photo_tool(image=image).tool
    took: dict[str, list[float]] = {"tool-vividness": [], "tool-place": [], "tool-hint": []}

    def timed(key: str, act: Callable[[], None]) -> None:
        began = time.perf_counter()
        act()
        took[key].append(1000 * (time.perf_counter() - began))

    for i in range(1, count + 1):
        share = i / (count + 2)
        timed("tool-vividness", lambda v=share: tool.controls["vividness"].set_trait("value", v))
        timed("tool-place", lambda at=share: tool.act("click", at, at))
        timed("tool-hint", lambda: tool.color("#3A7BD5"))
    return [{"key": key, "value": median(times), "unit": "ms"} for key, times in took.items()]
