"""The parts of a written report: tables as LaTeX and CSV, and a LaTeX file that includes them all.

Written into figures/ from data/results and the notebooks' own figures, by `make publish`.
captions.json names the figures, tables.json the tables, report_template.tex the rest.
"""

import csv
import io
import json
import re
from collections.abc import Sequence

from PIL import Image
from publish_readme import METRICS, write

from colorlib.compare.equal_budget import with_original
from colorlib.paths import REPOSITORY
from colorlib.report import store, tables
from colorlib.report.style import COLUMN
from colorlib.study import analysis
from colorlib.study.runs import RUNS

FOLDER, SCRIPTS = REPOSITORY / "figures", REPOSITORY / "scripts"
CAPTIONS, TABLES = (
    json.loads((SCRIPTS / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("captions", "tables")
)
SECTIONS = {"01": "Data", "02": "Method", "03": "Results", "04": "Comparison", "05": "Study"}


def escape(text: str) -> str:
    """Plain text as LaTeX."""
    marks = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    marks |= {mark: f"\\{mark}" for mark in "&%$#_{}"}
    marks |= {"é": r"\'e", "Δ": r"$\Delta$", "×": r"$\times$", "−": "$-$"}
    return "".join(marks.get(letter, letter) for letter in text)


def load_rows(name: str) -> dict:
    """A committed result, each row with its "title"; also of the study's runs."""
    result = store.load_result(name, committed=True)
    if "original_network" in result:
        result = with_original(result)
    if "runs" in result:
        runs = {run.title: result["runs"].get(key) for key, run in RUNS.items()}
        result["rows"] = [{"system": k} | analysis.best_of(run) for k, run in runs.items() if run]
    result["rows"] = [row for row in result["rows"] if row.get("scope", "main") == "main"]
    for row in result["rows"]:
        place = f"{tables.TITLES[row['beside']]}: " if "beside" in row else ""
        row["title"] = place + tables.title(row)
    return result


def tabular(result: dict, metrics: Sequence[str]) -> str:
    """A result as a LaTeX tabular: a row a system, a column a metric."""
    lines = [["system", *(tables.COLUMNS[m] for m in metrics)]]
    lines += [[row["title"], *tables.cells(row, metrics)] for row in result["rows"]]
    head, *body = (" & ".join(map(escape, line)) + r" \\" for line in lines)
    start = rf"\begin{{tabular}}{{l{'r' * len(metrics)}}}"
    return "\n".join([start, r"\hline", head, r"\hline", *body, r"\hline", r"\end{tabular}", ""])


def comma_separated(result: dict) -> str:
    """Every measured number of a result, unrounded."""
    found = {key for row in result["rows"] for key in row}
    names = ["title", "system", "vividness", *tables.COLUMNS, "seconds_per_image"]
    names, out = [name for name in names if name in found], io.StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(result["rows"])
    return out.getvalue()


def figures() -> dict[str, str]:
    """name -> the notebook that makes it, of every saved figure, in the notebooks' order."""
    found = {}
    for path in sorted((REPOSITORY / "notebooks").glob("0*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and re.search(
                r"save_figure|\.saved|figures\.show", source
            ):
                for name in re.findall(r'"(0\d_\w+)"', source):
                    found[name] = path.name
    return found


def readme() -> str:
    """figures/README.md."""
    shown = [[name, CAPTIONS[name], cell] for name, cell in figures().items()]
    listed = []
    for name, table in TABLES.items():
        command = load_rows(table["result"])["command"]
        listed.append([f"tables/{name}.tex, .csv", table["caption"], f"`{command}`"])
    return (
        "# Figures and tables of the report\n\n"
        "Each figure is a PNG of 300 dpi (of photographs: 150 dpi) and a PDF; widths are those of\n"
        "a one- or two-column page. `report.tex` includes all of them.\n\n"
        f"{tables.markdown_table(['figure', 'shows', 'made by'], shown, 'lll')}\n\n"
        f"{tables.markdown_table(['table', 'shows', 'command'], listed, 'lll')}\n"
    )


def floating(kind: str, content: str, caption: str, label: str) -> str:
    """A LaTeX figure or table."""
    legend = f"\\caption{{{escape(caption)}}}\\label{{{label}}}"
    return f"\\begin{{{kind}}}\\centering\n{content}\n{legend}\n\\end{{{kind}}}\n"


def report() -> str:
    """figures/report.tex: each figure at the size that it was drawn for, so that letters fit."""
    text, made = "", figures()
    for number, title in SECTIONS.items():
        text += f"\\section{{{title}}}\n"
        for name in (n for n in made if n.startswith(number)):
            with Image.open(FOLDER / f"{name}.png") as image:
                inches = image.width / image.info["dpi"][0]
                kind = "figure*" if inches > COLUMN + 0.1 else "figure"
            text += floating(kind, rf"\includegraphics{{{name}}}", CAPTIONS[name], f"fig:{name}")
        for name in (n for n in TABLES if n.startswith(number)):
            result, caption = load_rows(TABLES[name]["result"]), TABLES[name]["caption"]
            if result["data"].get("split"):
                caption += f" {tables.caption(result)}"
            text += floating("table*", rf"\small\input{{tables/{name}}}", caption, f"tab:{name}")
        text += "\\clearpage\n"
    template = (SCRIPTS / "report_template.tex").read_text(encoding="utf-8")
    return template.replace("% sections\n", text)


def files() -> dict[str, str]:
    """path inside figures/ -> content, of all that is written."""
    written = {"README.md": readme(), "report.tex": report()}
    for name, table in TABLES.items():
        result = load_rows(table["result"])
        written[f"tables/{name}.tex"] = tabular(result, table.get("columns", METRICS))
        written[f"tables/{name}.csv"] = comma_separated(result)
    return written


def main() -> None:
    for name, content in files().items():
        write(FOLDER / name, content)
    for path in (FOLDER / "tables").iterdir():  # of a table that no longer exists
        if path.stem not in TABLES:
            path.unlink()


if __name__ == "__main__":
    main()
