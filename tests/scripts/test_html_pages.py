"""The pages of the report, made of the committed notebooks, in a browser without any network."""

import pytest
from conftest import CHROMIUM, REPOSITORY, script

from colorlib.widgets.static_viewer import viewer

playwright = pytest.importorskip("playwright.sync_api")
NAMES = sorted(path.stem for path in (REPOSITORY / "notebooks").glob("0*.ipynb"))
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of the pages."""
    folder = tmp_path_factory.mktemp("report")
    script("html_pages").main(REPOSITORY / "notebooks", folder)
    assert sorted(path.stem for path in folder.iterdir()) == NAMES
    return folder


@pytest.fixture(scope="module")
def page():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1100, "height": 900})
        context.route("http*://**", lambda route: route.abort())
        yield context.new_page()
        browser.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_no_other_host_and_fits_its_width(page, report, name):
    asked = []
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    page.goto((report / f"{name}.html").as_uri())
    page.wait_for_timeout(500)
    assert not asked
    wide = page.evaluate(
        "() => [document.body, ...document.querySelectorAll('table, img, .jp-OutputArea-output')]"
        ".filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map((e) => e.innerText)"
    )
    assert not wide, wide[0][:200]
    for picture in page.locator("img").all():
        assert picture.evaluate("(e) => e.complete && e.naturalWidth > 0")


def test_two_small_viewers_on_one_page_turn_without_python(page, images, net, tmp_path):
    viewers = [viewer(images[start : start + 5], net, "luma") for start in (0, 5)]
    (tmp_path / "page.html").write_text("<!doctype html>" + "".join(viewers), encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    at = "(view) => getComputedStyle(view).backgroundPosition"
    boxes = page.locator(".colorlib-viewer")
    names = [boxes.nth(i).locator(".name") for i in (0, 1)]
    assert boxes.count() == 2 and page.locator("[id]").count() == 0
    assert not boxes.first.locator("img.still").is_visible()
    prediction = boxes.first.locator(".view").nth(1)
    before = prediction.evaluate(at)
    boxes.first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert names[0].inner_text() == "2 of 5: image 1, vividness 0.25"
    assert names[1].inner_text() == "1 of 5: image 0, vividness 0"
    assert prediction.evaluate(at) != before
    boxes.nth(1).locator(".level").fill("4")
    assert names[1].inner_text().endswith("vividness 1")
    assert not boxes.first.locator(".disk").is_visible()
    prediction.click(position={"x": 40, "y": 50})
    assert boxes.first.locator(".disk circle").count() == 6  # the disk, and five levels


@pytest.mark.parametrize("name", NAMES)
def test_titles_links_alternative_texts_and_the_font_of_code(page, report, name):
    page.goto((report / f"{name}.html").as_uri())
    assert page.title() == page.locator("h1").first.inner_text().rstrip("¶").strip()
    links = [link for link in page.locator("a[href]").all() if link.get_attribute("href")]
    targets = {link.get_attribute("href").partition("#")[0] for link in links}
    local = {target for target in targets if target and ":" not in target}
    assert all((report / target).is_file() for target in local), local
    at = NAMES.index(name)
    neighbours = {f"{other}.html" for other in NAMES[max(0, at - 1) : at + 2] if other != name}
    assert neighbours <= local
    for picture in page.locator("img").all():
        alt = picture.get_attribute("alt")
        assert alt and not alt.startswith("No description"), picture.evaluate("(e) => e.outerHTML")
    fonts = "() => [...document.querySelectorAll('pre')].map((e) => getComputedStyle(e).fontFamily)"
    assert all("mono" in font for font in page.evaluate(fonts))


def test_a_figure_without_a_name_is_described_by_its_heading(tmp_path):
    pages = script("html_pages")
    picture = {"image/png": "aGVsbG8=\n"}
    output = pages.nbformat.v4.new_output("display_data", picture)
    hidden = {"jupyter": {"source_hidden": True}}
    cells = [
        pages.nbformat.v4.new_code_cell("# @title Setup: x\nonce_shown = 1", metadata=hidden),
        pages.nbformat.v4.new_markdown_cell("# Title\n\n[next](02_b.ipynb), [x](solutions.ipynb)"),
        pages.nbformat.v4.new_markdown_cell('## A "heading"'),
        pages.nbformat.v4.new_code_cell("plot()", outputs=[output]),
    ]
    for name in ("01_a.ipynb", "02_b.ipynb"):
        pages.nbformat.write(pages.nbformat.v4.new_notebook(cells=cells), tmp_path / name)
    pages.main(tmp_path, tmp_path / "out")
    made = (tmp_path / "out" / "01_a.html").read_text()
    assert "alt='Figure: A \"heading\"'" in made and "<title>Title</title>" in made
    assert made.count('href="02_b.html"') == 3 and ".ipynb" not in made
    assert "<details><summary>Setup</summary>" in made and made.count("once_shown") == 1
    assert "→" in made and "←" not in made
