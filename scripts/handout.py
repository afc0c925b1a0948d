"""Print docs/handout.html as PDF with Chromium: `make handout`, or `handout.py FILE.pdf`.

The title of the PDF ends with a digest of the page, by which a test tells whether it is current.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from colorlib.paths import REPOSITORY, out, replacing

PAGE = REPOSITORY / "docs" / "handout.html"
PICTURES = ("01_chroma.png", "04_recipes.png")


def digest() -> str:
    """The digest of the page and its pictures."""
    parts = [PAGE, *(REPOSITORY / "figures" / name for name in PICTURES)]
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:12]


def print_page(target: Path) -> None:
    """Write the PDF, or say that there is no Chromium."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("handout: no Chromium was found: open docs/handout.html and print it")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(PAGE.as_uri())
        page.evaluate("(digest) => (document.title += ' ' + digest)", digest())
        with replacing(target) as part:
            page.pdf(path=part, format="A4", prefer_css_page_size=True, print_background=True)
        browser.close()
    print(target)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else out() / "handout.pdf"
    if not target.is_file() or digest().encode() not in target.read_bytes():
        print_page(target)
