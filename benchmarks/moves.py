"""From a key to the new picture: the slider browser in JupyterLab, in headless Chromium."""

import json
import subprocess
import sys
from statistics import median

from colorlib.paths import REPOSITORY

MOVES = REPOSITORY / "build" / "browser" / "moves.json"


def moving() -> list[dict]:
    """The median over the browser test's moves, as the page sees them; nothing without Chromium."""
    MOVES.unlink(missing_ok=True)
    test = ["tests/test_browser.py", "-k", "follows_mouse_and_keyboard"]
    subprocess.run([sys.executable, "-m", "pytest", *test], cwd=REPOSITORY, check=True)
    if not MOVES.is_file():
        return []  # skipped: the test has said why
    took = json.loads(MOVES.read_text(encoding="utf-8"))["milliseconds"]
    return [{"what": "a move of the slider, key to picture", "value": median(took), "unit": "ms"}]
