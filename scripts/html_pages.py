"""Executed notebooks as pages that work offline: no script, font or style of another host."""

import base64
import html
import json
import re
import sys
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from traitlets.config import Config

from colorlib.paths import REPOSITORY, replacing

HOSTED = ("mathjax_url", "require_js_url", "jquery_url", "widget_renderer_url", "mermaid_js_url")
# of an output, the first that is there
FORMATS = ["text/html", "text/markdown", "image/png", "image/jpeg", "text/plain"]
CAPTIONS = REPOSITORY / "scripts" / "captions.json"  # of each figure, by the name of its file
STYLE = """<style>
pre, code, .highlight pre {font-family: var(--jp-code-font-family), monospace !important}
main, .pages {max-width: 1000px; margin: 0 auto; padding: 0 8px}
.pages {display: flex; flex-wrap: wrap; justify-content: space-between; gap: 8px;
  font: 14px sans-serif; padding-top: 12px; padding-bottom: 12px}
.jp-InputPrompt, .jp-OutputPrompt {font-size: 10px}
.highlight, .jp-InputArea-editor {overflow-x: auto}
.jp-OutputArea-output img {max-width: 100%; height: auto}
.jp-OutputArea-output, .jp-RenderedHTMLCommon {overflow-x: auto}
@media (max-width: 700px) {.jp-InputPrompt, .jp-OutputPrompt {display: none}}
</style></head>"""


def heading(notebook: nbformat.NotebookNode) -> str:
    """The first heading of a notebook, without its mark-up."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.search(r"^# +(.*)", text, re.MULTILINE)
    return re.sub(r"[*`]", "", found[1]).strip() if found else "Notebook"


def describe_figures(notebook: nbformat.NotebookNode, captions: dict[str, str]) -> None:
    """Give each picture an alternative text: its figure's caption, else the heading above it."""
    above = heading(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            above = (re.findall(r"^#+ +(.*)", cell.source, re.MULTILINE) or [above])[-1]
            continue
        named = [name for name in re.findall(r"\"(\w+)\"", cell.source) if name in captions]
        pictures = [(picture_kind(output), output) for output in cell.get("outputs", ())]
        pictures = [(kind, output) for kind, output in pictures if kind]
        for number, (kind, output) in enumerate(pictures):
            alt = captions[named[min(number, len(named) - 1)]] if named else f"Figure: {above}"
            body = "".join(output.data[kind].split())
            shown = f'<img alt="{html.escape(alt)}" src="data:{kind};base64,{body}">'
            output.data = {"text/html": shown}


def fold_hidden_cells(notebook: nbformat.NotebookNode) -> None:
    """Fold the source of a cell that is hidden in Jupyter and printed nothing."""
    for number, cell in enumerate(notebook.cells):
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
        if cell.cell_type == "code" and hidden and not cell.outputs:
            title = re.search(r"@title ([\w ]+)", cell.source)
            text = f"<details><summary>{title[1] if title else 'Code'}</summary>\n\n"
            text += f"```python\n{cell.source}\n```\n\n</details>"
            notebook.cells[number] = nbformat.v4.new_markdown_cell(text, id=cell.get("id"))


def picture_kind(output: nbformat.NotebookNode) -> str | None:
    """The format of an output that is shown as a picture."""
    data = output.get("data", {})
    shown = next((kind for kind in FORMATS if kind in data), "")
    return shown if shown.startswith("image/") else None


def html_page(
    notebook: nbformat.NotebookNode, pages: set[str], before: str = "", after: str = ""
) -> str:
    """The notebook, which is changed, as one HTML page.

    pages: the notebooks that become pages, too. before, after: links to two of them, as HTML.
    """
    notebook.metadata["title"] = heading(notebook)
    describe_figures(notebook, json.loads(CAPTIONS.read_text(encoding="utf-8")))
    fold_hidden_cells(notebook)
    exporter = Config({"HTMLExporter": dict.fromkeys(HOSTED, "")})
    exporter.NbConvertBase.display_data_priority = FORMATS
    page, _ = HTMLExporter(config=exporter).from_notebook_node(notebook)
    page = re.sub(r"<img[^>]*colab-badge\.svg[^>]*>", "Open in Colab", page)
    page = re.sub(r'https://cdnjs[^"]*mermaid[^"]*', "", page)  # no notebook has a diagram

    def embedded(picture: re.Match) -> str:
        body = base64.b64encode((REPOSITORY / "figures" / picture[1]).read_bytes()).decode()
        return f'src="data:image/gif;base64,{body}"'

    def linked(link: re.Match) -> str:  # other files of the repository become plain text
        target, text = link.groups()
        if Path(target).name in pages:
            return link[0].replace(target, f"{Path(target).stem}.html")
        return text if "/" in target or target.endswith(".ipynb") else link[0]

    page = re.sub(r'src="\.\./figures/([\w-]+\.gif)"', embedded, page)
    link = r'<a\b[^>]*?href="([^":#]+)(?:#[^"]*)?"[^>]*>(.*?)</a>'
    page = re.sub(link, linked, page, flags=re.DOTALL)
    page = page.replace("</head>", STYLE, 1)
    turn = f'<nav class="pages"><span>{before}</span><span>{after}</span></nav>'
    if before or after:
        page = re.sub(r"<body[^>]*>", lambda found: found[0] + turn, page, count=1)
        page = f"{turn}</body>".join(page.rsplit("</body>", 1))
    return page


def main(notebooks: str, folder: str) -> None:
    files = sorted(Path(notebooks).glob("0*.ipynb"))
    content = {file.name: nbformat.read(file, as_version=4) for file in files}
    titles = [html.escape(heading(notebook)) for notebook in content.values()]
    links = [f'<a href="{f.stem}.html">{{}}{t}{{}}</a>' for f, t in zip(files, titles, strict=True)]
    neighbours = zip(files, ["", *links], [*links[1:], ""], strict=False)
    for file, before, after in neighbours:
        turn = before.format("← ", ""), after.format("", " →")
        with replacing(Path(folder) / f"{file.stem}.html") as part:
            part.write_text(html_page(content[file.name], set(content), *turn), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
