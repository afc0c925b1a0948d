"""Write slides of the notebooks to build/slides/*.html: `make slides`.

A slide is a Markdown cell with the tag `slide` and the outputs of a tagged code cell that follows
directly. Any other tagged code cell is a slide under the heading of its section. nbconvert makes
each page; reveal.js is not used, because it needs a network. The arrow keys, the space bar and a
click on the right or left half turn the slides; printing prints all.
"""

import re
from pathlib import Path

import nbformat
from html_pages import html_page
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from colorlib.paths import REPOSITORY, out, replacing

TAG = "slide"
SHOW = """
<style>
.jp-InputPrompt, .jp-OutputPrompt, .jp-Collapser, .jp-CodeCell .jp-Cell-inputWrapper {display: none}
.slide {padding: 4vh 6vw; font-size: 130%}
.slide img {max-height: 65vh; max-width: 100%}
@media screen {.slide {display: none; min-height: 92vh} .slide.on {display: block}}
@media print {.slide {break-after: page}}
</style>
<script>
const slides = [];
for (const cell of document.querySelectorAll(".jp-Cell")) {
  if (cell.classList.contains("jp-MarkdownCell") || !slides.length) {
    slides.push(document.createElement("section"));
    slides.at(-1).className = "slide";
    cell.before(slides.at(-1));
  }
  slides.at(-1).append(cell);
}
let at = 0;
function turn(step) {
  at = Math.max(0, Math.min(slides.length - 1, at + step));
  slides.forEach((slide, i) => slide.classList.toggle("on", i === at));
  document.title = `${at + 1} of ${slides.length}`;
}
addEventListener("keydown", (event) => {
  if (["ArrowRight", "ArrowDown", "PageDown", " "].includes(event.key)) turn(1);
  if (["ArrowLeft", "ArrowUp", "PageUp"].includes(event.key)) turn(-1);
});
addEventListener("click", (event) => {
  if (!event.target.closest("a")) turn(event.clientX > innerWidth / 2 ? 1 : -1);
});
turn(0);
</script>
</body>"""


def slides_of(notebook: NotebookNode) -> NotebookNode:
    """The notebook, changed in place: its tagged cells, each slide beginning with Markdown."""
    kept, heading, open_slide = [], "", False
    for cell in notebook.cells:
        tagged = TAG in cell.metadata.get("tags", ())
        if cell.cell_type == "markdown":
            titles = re.findall(r"^#+ .*", cell.source, re.M)
            heading = titles[-1] if titles else heading
        elif tagged and not open_slide:
            kept.append(new_markdown_cell(heading))
        open_slide = tagged and cell.cell_type == "markdown"
        kept += [cell] if tagged else []
    notebook.cells = kept
    return notebook


def page(path: Path) -> str:
    """The slides of a notebook as one HTML page, which asks no other host."""
    notebook = slides_of(nbformat.read(path, as_version=4))
    before, _, after = html_page(notebook, set()).rpartition("</body>")
    return before + SHOW + after


def main(folder: Path) -> None:
    for path in sorted((REPOSITORY / "notebooks").glob("0*.ipynb")):
        target = folder / f"{path.stem}.html"
        with replacing(target) as part:
            part.write_text(page(path), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main(out() / "slides")
