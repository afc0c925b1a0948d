"""The slider browser in JupyterLab, in headless Chromium: from a key to the new picture."""

import json
import subprocess
import sys
from statistics import median

from colorlib.paths import REPOSITORY

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
