"""The parts of a written report: tables as LaTeX and CSV, and a LaTeX file that includes them all.

Written into figures/ from data/results and the notebooks' own figures, by `make publish`.
"""

import csv
import io
import json
import re
from collections.abc import Sequence

from PIL import Image

from colorlib.compare.equal_budget import with_original
from colorlib.paths import REPOSITORY, replacing
from colorlib.report import store, tables
from colorlib.report.style import COLUMN
from colorlib.study import analysis
from colorlib.study.analysis import SHOWN
from colorlib.study.runs import RUNS

FOLDER = REPOSITORY / "figures"
CAPTIONS = json.loads((REPOSITORY / "scripts" / "captions.json").read_text(encoding="utf-8"))
MAIN = ("psnr", "raw_auc", "rebalanced_auc", "ciede2000", "colourfulness")
CLASSIFIED = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness", "top1", "frechet")
PEERS = ("psnr", "raw_auc", "rebalanced_auc", "ciede2000", "luma_difference")
TABLES = {  # file name -> (result, columns, caption), in the order of the notebooks
    "02-short": ("short-cifar100", MAIN, "Notebook 2's short runs."),
    "03-value": ("cifar-value", MAIN, "CIFAR-100 test images, value given."),
    "03-luma": ("cifar-luma", MAIN, "CIFAR-100 test images, luma given."),
    "03-classifier": (
        "classifier-cifar",
        ("top1", "accuracy_recovered", "frechet"),
        "Top-1 of the classifier.",
    ),
    "04-photographs": ("photo-luma-photos-test-1000", MAIN, "Photographs of 64 x 64."),
    "04-cow-and-mountains": (
        "photographs",
        ("colourfulness", "luma_difference"),
        "The cow and the mountains, whose true colours are not known.",
    ),
    "04-cat-and-astronaut": (
        "photographs-with-truth",
        MAIN,
        "The cat and the astronaut, whose true colours are known.",
    ),
    "04-recipes": ("equal-budget-full", CLASSIFIED, "One network, five recipes, luma given."),
    "04-peers-cifar100": ("peers-cifar100", PEERS, "All systems on CIFAR-100, luma given."),
    "04-peers-photographs": ("peers-photographs", PEERS, "All systems on photographs, luma given."),
    "05-runs": ("study", SHOWN, "The runs of notebook 5, luma given."),
    "05-without-duplicates": (
        "cifar-luma-without-duplicates",
        MAIN,
        "CIFAR-100 test images without a near-duplicate among the training images, luma given.",
    ),
}
SECTIONS = {"01": "Data", "02": "Method", "03": "Results", "04": "Comparison", "05": "Study"}
HEAD = r"""\documentclass[twocolumn]{article}
% A skeleton for a written report: every figure and table of the notebooks, once. Compile it in
% this folder with pdflatex. `make publish` writes it anew: copy it before you edit.
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{graphicx}
\usepackage[margin=18mm]{geometry}
\title{Self-supervised image colorization}
\author{Your name}
\begin{document}
\maketitle
\begin{abstract}
The question, the method, and the results in numbers.
\end{abstract}
\section{Introduction}
Why colorization is a self-supervised task.
"""


def escape(text: str) -> str:
    """Plain text as LaTeX."""
    marks = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    marks |= {mark: f"\\{mark}" for mark in "&%$#_{}"} | {"é": r"\'e", "Δ": r"$\Delta$"}
    return "".join(marks.get(letter, letter) for letter in text)


def load_rows(name: str) -> dict:
    """A committed result whose rows all have a "system": the study's runs and photographs, too."""
    result = store.load_result(name, committed=True)
    if "original_network" in result:
        result = with_original(result)
    if "runs" in result:
        runs = result["runs"]
        result["rows"] = [
            {"system": run.title} | analysis.best_of(runs[key])
            for key, run in RUNS.items()
            if key in runs
        ]
    for row in result["rows"]:
        row["title"] = tables.title(row)
        if "photograph" in row:
            row["title"] = f"{row['photograph']}: {row['title']}"
    return result


def full_caption(name: str, result: dict) -> str:
    """A table's caption: what it shows, and on which images."""
    data = result["data"]
    return f"{TABLES[name][2]} {tables.caption(result) if data.get('split') else ''}".strip()


def tabular(result: dict, metrics: Sequence[str]) -> str:
    """A result as a LaTeX tabular: a row a system, a column a metric."""
    lines = [rf"\begin{{tabular}}{{l{'r' * len(metrics)}}}", r"\hline"]
    lines.append(" & ".join(["system", *(escape(tables.COLUMNS[m]) for m in metrics)]) + r" \\")
    lines.append(r"\hline")
    for row in result["rows"]:
        lines.append(" & ".join([escape(row["title"]), *tables.cells(row, metrics)]) + r" \\")
    return "\n".join([*lines, r"\hline", r"\end{tabular}", ""])


def comma_separated(result: dict) -> str:
    """Every measured number of a result, unrounded."""
    found = {key for row in result["rows"] for key in row}
    names = [m for m in (*tables.COLUMNS, "seconds_per_image") if m in found]
    names = ["title", "system", *(m for m in ("vividness",) if m in found), *names]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(result["rows"])
    return out.getvalue()


def figures() -> dict[str, str]:
    """name -> the notebook whose cell makes it, of every saved figure, in the notebooks' order."""
    found = {}
    for path in sorted((REPOSITORY / "notebooks").glob("0*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code" and "save_figure" in (source := "".join(cell["source"])):
                for name in re.findall(r'"(0\d_\w+)"', source):
                    found[name] = f"{path.name}, cell {cell['execution_count']}"
    return found


def readme() -> str:
    """figures/README.md."""
    shown = [[name, CAPTIONS[name], cell] for name, cell in figures().items()]
    listed = [
        [f"tables/{name}.tex, .csv", caption, f"`{load_rows(result)['command']}`"]
        for name, (result, _, caption) in TABLES.items()
    ]
    return (
        "# Figures and tables of the report\n\n"
        "Each figure is a PNG of 300 dpi and a PDF with its fonts embedded; widths are those\n"
        "of a one- or two-column page. `report.tex` includes all of them.\n\n"
        f"{tables.markdown_table(['figure', 'shows', 'made by'], shown, 'lll')}\n\n"
        f"{tables.markdown_table(['table', 'shows', 'command'], listed, 'lll')}\n"
    )


def report() -> str:
    """figures/report.tex: each figure at the size that it was drawn for, so that letters fit."""
    lines, made = [HEAD.strip()], figures()
    for number, title in SECTIONS.items():
        lines += [rf"\section{{{title}}}"]
        for name in (n for n in made if n.startswith(number)):
            with Image.open(FOLDER / f"{name}.png") as image:
                wide = "*" if image.width / 300 > COLUMN + 0.1 else ""
            lines += [rf"\begin{{figure{wide}}}\centering", rf"\includegraphics{{{name}}}"]
            lines += [rf"\caption{{{escape(CAPTIONS[name])}}}\label{{fig:{name}}}"]
            lines += [rf"\end{{figure{wide}}}"]
        for name in (n for n in TABLES if n.startswith(number)):
            caption = full_caption(name, load_rows(TABLES[name][0]))
            lines += [r"\begin{table*}\centering\small", rf"\input{{tables/{name}}}"]
            lines += [rf"\caption{{{escape(caption)}}}\label{{tab:{name}}}", r"\end{table*}"]
        lines += [r"\clearpage"]
    lines += [
        r"\section{Discussion and conclusion}",
        "What the numbers show, and what they do not show.",
    ]
    return "\n".join([*lines, r"\end{document}", ""])


def files() -> dict[str, str]:
    """path inside figures/ -> content, of all that is written."""
    written = {"README.md": readme(), "report.tex": report()}
    for name, (result, metrics, _) in TABLES.items():
        result = load_rows(result)
        written[f"tables/{name}.tex"] = tabular(result, metrics)
        written[f"tables/{name}.csv"] = comma_separated(result)
    return written


def main() -> None:
    for name, content in files().items():
        path = FOLDER / name
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            with replacing(path) as part:
                part.write_text(content, encoding="utf-8")
            print("wrote figures/" + name)
    for path in (FOLDER / "tables").iterdir():  # of a table that no longer exists
        if path.stem not in TABLES:
            path.unlink()


if __name__ == "__main__":
    main()
