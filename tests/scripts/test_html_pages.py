"""The pages of the report, made of the committed notebooks, in a browser without any network."""

import shutil

import pytest
from conftest import REPOSITORY, script

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NAMES = sorted(path.stem for path in (REPOSITORY / "notebooks").glob("0*.ipynb"))
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
MOVE = """() => {
  const box = document.getElementById("viewer"), slider = box.querySelector(".level");
  const at = () => box.querySelectorAll(".view")[1].style.backgroundPosition;
  const before = at();
  slider.value = 3;
  slider.dispatchEvent(new Event("input"));
  const still = [...box.querySelectorAll(".still")].some((part) => part.offsetHeight);
  return [before, at(), still, box.querySelector(".live").offsetHeight > 100];
}"""


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


def test_the_small_viewer_turns_without_python(page, report):
    page.goto((report / "03_evaluation.html").as_uri())
    before, after, still, live = page.evaluate(MOVE)
    assert before != after and not still and live
