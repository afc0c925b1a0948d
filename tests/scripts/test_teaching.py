"""Material for teachers: notebooks without solutions, slides, and the handout."""

import re

import nbformat
import pytest
from conftest import CHROMIUM, REPOSITORY, script
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

student, slides, handout = script("student_notebooks"), script("slides"), script("handout")
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("0*.ipynb"))
CHECK = "assert double(4) == 8"


def small_notebook():
    solution = new_code_cell("def double(x):\n    return 2 * x")
    solution.metadata |= {"tags": ["solution"], "task": "Write double(x).", "check": CHECK}
    solution.outputs = [nbformat.v4.new_output("stream", text="the answer")]
    text = new_markdown_cell("## Doubling\nSee [solutions](solutions.ipynb).\nGo on.")
    picture = new_code_cell("print('drawn')")
    picture.outputs = [nbformat.v4.new_output("stream", text="drawn")]
    text.metadata["tags"], picture.metadata["tags"] = ["slide"], ["slide"]
    return new_notebook(cells=[text, picture, solution, new_markdown_cell("no slide")])


def run(notebook):
    NotebookClient(notebook, timeout=60).execute()


def test_a_solution_is_emptied_and_checked():
    notebook = student.student_version(small_notebook())
    text, cell = notebook.cells[0], notebook.cells[2]
    assert text.source == "## Doubling\nGo on."
    assert "2 * x" not in cell.source and "the answer" not in str(notebook)
    assert "# Write double(x)." in cell.source and cell.source.endswith(CHECK)
    with pytest.raises(CellExecutionError, match="NotImplementedError"):
        run(notebook)
    line = next(x for x in cell.source.splitlines() if x.startswith("raise"))
    empty = cell.source
    cell.source = empty.replace(line, "def double(x): return x + x")
    run(notebook)  # a right answer
    cell.source = empty.replace(line, "def double(x): return x")
    with pytest.raises(CellExecutionError, match="AssertionError"):
        run(notebook)


def test_a_solution_without_a_task_or_a_check_is_named():
    for key in ("task", "check"):
        notebook = small_notebook()
        del notebook.cells[2].metadata[key]
        with pytest.raises(ValueError, match=r"def double\(x\).*needs metadata"):
            student.student_version(notebook)


def test_the_notebooks_for_students_have_no_solutions(tmp_path):
    student.main(tmp_path)
    assert len(NOTEBOOKS) == 5
    for path in NOTEBOOKS:
        text = (tmp_path / path.name).read_text(encoding="utf-8")
        assert "solutions.ipynb" not in text
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.full
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_our_solutions_pass_their_checks(path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    cells = student.solution_cells(notebook)
    if not cells:
        pytest.skip("no cell has the tag solution")
    for cell in cells:
        cell.source += f"\n\n{cell.metadata['check']}"
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no network: the built-in sample
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, resources=where).execute()


def test_slides_turn_without_a_network(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("needs Chromium")
    notebook = small_notebook()
    last = new_code_cell("print('figure')")
    last.metadata["tags"] = ["slide"]
    last.outputs = [nbformat.v4.new_output("stream", text="the figure")]
    notebook.cells += [new_markdown_cell("## The end\nnot shown"), last]
    nbformat.write(notebook, tmp_path / "01_a.ipynb")
    (tmp_path / "a.html").write_text(slides.page(tmp_path / "01_a.ipynb"), encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page, asked = browser.new_page(), []
        page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
        page.goto((tmp_path / "a.html").as_uri())
        first = page.inner_text("body")
        assert "Doubling" in first and "drawn" in first and "The end" not in first
        assert "print(" not in first and "no slide" not in first
        page.keyboard.press("ArrowRight")
        second = page.inner_text("body")
        assert "The end" in second and "the figure" in second
        assert "drawn" not in second and "not shown" not in second
        page.keyboard.press("ArrowLeft")
        assert page.inner_text("body") == first
        browser.close()
    assert not asked


def test_the_handout_is_two_pages_and_current():
    pdf = (REPOSITORY / "docs" / "handout.pdf").read_bytes()
    assert handout.digest().encode() in pdf, "run make publish"
    assert pdf.count(b"/Type /Page\n") == 2


def test_the_exercises_are_worth_the_points_of_the_rubric():
    rubric = (REPOSITORY / "notebooks" / "README.md").read_text(encoding="utf-8")
    expected = [int(n) for n in re.findall(r"^\| notebook \d,.*?\| (\d+) \|", rubric, re.M)]
    texts = [path.read_text(encoding="utf-8") for path in NOTEBOOKS]
    found = [sum(map(int, re.findall(r"\([^()]*?(\d+) points?\)", text))) for text in texts]
    assert found == expected and sum(found) == 20
