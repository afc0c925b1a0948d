"""The written report's parts: every figure and table once, from the results, and it compiles."""

import csv
import re
import shutil
import subprocess

import pytest
from conftest import REPOSITORY, script
from PIL import Image

paper = script("latex_report")


def test_what_is_committed_is_what_the_results_say():
    for name, content in paper.files().items():
        path = REPOSITORY / "figures" / name
        assert path.read_text(encoding="utf-8") == content, f"{name}: run make publish"


def test_every_figure_is_there_once_in_both_formats():
    made = paper.figures()
    assert set(made) == set(paper.CAPTIONS)
    text = paper.report()
    for name in made:
        assert text.count(f"{{{name}}}") == 1
        with Image.open(REPOSITORY / "figures" / f"{name}.png") as image:
            dpi = round(float(image.info["dpi"][0]))
            width = image.width / dpi
        assert dpi in (150, 300)
        assert 2 < width < 7.2, f"{name} is {width:.1f} inches wide"
        pdf = (REPOSITORY / "figures" / f"{name}.pdf").read_bytes()
        assert b"/FontFile" in pdf or b"/Font" not in pdf.replace(b"/FontDescriptor", b"")
    on_disk = {p.stem for p in (REPOSITORY / "figures").glob("0*.p*")}
    assert on_disk == set(made)


def test_tables_hold_the_numbers_of_the_results():
    result = paper.load_rows("cifar-luma")
    rows = list(csv.DictReader(paper.comma_separated(result).splitlines()))
    assert [float(row["psnr"]) for row in rows] == [row["psnr"] for row in result["rows"]]
    text = paper.tabular(result, ("psnr", "colourfulness"))
    last = result["rows"][-1]
    assert re.search(rf"vividness 1 & {last['psnr']:.2f} & {last['colourfulness']:.1f} ", text)
    assert paper.escape("50 % & a_b") == r"50 \% \& a\_b"


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs a LaTeX")
def test_the_skeleton_compiles(tmp_path):
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error"]
    words += [f"-output-directory={tmp_path}", "report.tex"]
    done = subprocess.run(words, cwd=REPOSITORY / "figures", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "report.pdf").stat().st_size > 100_000
