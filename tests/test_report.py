"""The pages that `make report` leaves, in a real browser without any network."""

import shutil

import pytest
from conftest import REPOSITORY

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
PAGES = sorted((REPOSITORY / "build" / "report").glob("0*.html"))
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium"),
    pytest.mark.skipif(not PAGES, reason="needs the pages of `make report`"),
]
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
def page():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1100, "height": 900})
        context.route("http*://**", lambda route: route.abort())
        yield context.new_page()
        browser.close()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_asks_no_other_host_and_fits_its_width(page, path):
    asked = []
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    page.goto(path.as_uri())
    page.wait_for_timeout(500)
    assert not asked
    wide = page.evaluate(
        "() => [document.body, ...document.querySelectorAll('table, img, .jp-OutputArea-output')]"
        ".filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map((e) => e.innerText)"
    )
    assert not wide, wide[0][:200]
    for picture in page.locator("img").all():
        assert picture.evaluate("(e) => e.complete && e.naturalWidth > 0")


def test_the_small_viewer_turns_without_python(page):
    (path,) = (p for p in PAGES if p.stem.startswith("03"))
    page.goto(path.as_uri())
    before, after, still, live = page.evaluate(MOVE)
    assert before != after and not still and live
