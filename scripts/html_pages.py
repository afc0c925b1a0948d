"""Executed notebooks as pages that work offline: no script, font or style of another host."""

import re
import sys
from pathlib import Path

from nbconvert import HTMLExporter
from traitlets.config import Config

from colorlib.paths import replacing

HOSTED = ("mathjax_url", "require_js_url", "jquery_url", "widget_renderer_url", "mermaid_js_url")
FORMATS = ["text/html", "text/markdown", "image/png", "text/plain"]  # the first that is there


def html_page(notebook: Path) -> str:
    """The notebook as one HTML page, as `make report` leaves it."""
    exporter = Config({"HTMLExporter": dict.fromkeys(HOSTED, "")})
    exporter.NbConvertBase.display_data_priority = FORMATS
    html, _ = HTMLExporter(config=exporter).from_filename(str(notebook))
    html = re.sub(r"<img[^>]*colab-badge\.svg[^>]*>", "Open in Colab", html)
    return re.sub(r'https://cdnjs[^"]*mermaid[^"]*', "", html)  # no notebook has a diagram


def main(notebooks: str, folder: str) -> None:
    for notebook in sorted(Path(notebooks).glob("0*.ipynb")):
        with replacing(Path(folder) / f"{notebook.stem}.html") as part:
            part.write_text(html_page(notebook), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
