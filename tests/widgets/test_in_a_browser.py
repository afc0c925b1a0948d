"""The notebooks in JupyterLab, in a real browser: what a reader does, and what it costs.

Screenshots are left in build/browser.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from conftest import CHROMIUM, REPOSITORY
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="needs Chromium (Debian: apt install chromium)"
)
SHOTS = REPOSITORY / "build" / "browser"
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none", "kernelShutdown": True},
    "docmanager-extension/plugin": {"autosave": False},
}
CHANGED = {  # quicker, and with a Turing test of ten pairs
    "COUNT = None if FULL else 500": "COUNT = 60",
    "COUNT = None if FULL else 200": "COUNT = 20",
    "PRACTICE, PAIRS = 10, 40": "PRACTICE, PAIRS = 2, 8",
    "SECONDS = 20": "SECONDS = 1",
    'QUICK = equal_budget.BUDGETS["short"]': 'QUICK = equal_budget.BUDGETS["short"] = '
    '{"epochs": 1, "count": 300, "validation": 200}',
}
STATE = """() => {
  const panel = window.jupyterapp.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel, cells = panel?.content?.model?.cells ?? [];
  const code = [...cells].filter((cell) => cell.type === "code");
  const left = code.filter((cell) => cell.executionCount === null).length;
  return [kernel ? kernel.status : "none", left];
}"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """(address of a JupyterLab on copies of the notebooks, a page of Chromium)."""
    for path in (REPOSITORY / "notebooks").glob("0*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            for old, new in CHANGED.items():
                if cell.cell_type == "code":
                    cell.source = cell.source.replace(old, new)
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        (tmp_path / "lab").mkdir(exist_ok=True)
        nbformat.write(notebook, tmp_path / "lab" / path.name)
    for name, content in SETTINGS.items():
        path = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path / "settings"))
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no network
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "jupyterlab", "--no-browser", "--allow-root", "--LabApp.expose_app_in_browser=1"]
    words += [f"--port={port}", "--ServerApp.token=", "--ServerApp.password="]
    words += [f"--ServerApp.root_dir={tmp_path / 'lab'}"]
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen([sys.executable, *words], stdout=log, stderr=log, env=os.environ)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: reachable(f"{address}/api"), 60)
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1300, "height": 1000})
            yield address, page
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


def reachable(address: str) -> bool:
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(address, timeout=5).status == 200
    except OSError:
        return False


def wait_for(holds, seconds: float):
    """Wait until holds() is true, and return what it says."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"did not happen in {seconds} s")


def run_all(address: str, page, name: str) -> None:
    """Open a notebook, run all its cells, and see that no error shows."""
    page.goto(f"{address}/lab/tree/{name}.ipynb?reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    wait_for(lambda: page.evaluate(STATE)[0] == "idle", 180)
    assert page.locator(".jp-Dialog").count() == 0
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    wait_for(lambda: page.evaluate(STATE) == ["idle", 0], 300)
    page.wait_for_timeout(500)
    shot(page, name)
    for kind in ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr"):
        found = page.locator(f'.jp-OutputArea-output [data-mime-type="{kind}"]')
        assert found.count() == 0, found.first.inner_text()


WATCH = """(picture) => {
  window.took = [];
  document.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
  new MutationObserver(() => window.took.push(performance.now() - window.pressed))
    .observe(picture, {attributes: true, attributeFilter: ["src"]});
}"""


def shot(page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def change(picture, act) -> None:
    """Wait for another picture after act()."""
    before = picture.get_attribute("src")
    act()
    wait_for(lambda: picture.get_attribute("src") != before, 10)


def notebook_of(address: str, page, folder, name: str, code: str) -> None:
    """Run a notebook of one cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "lab" / f"{name}.ipynb")
    run_all(address, page, name)
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")


def fits_every_width(page, box, name: str) -> None:
    """At three widths nothing of a widget reaches beyond its right edge."""
    for width in (1300, 900, 400):
        page.set_viewport_size({"width": width, "height": 1400})
        page.wait_for_timeout(500)
        frame = box.bounding_box()
        for part in box.locator("button, input, select, img, pre, .noUi-target").all():
            if part.is_visible() and part.get_attribute("type") != "file":
                place = part.bounding_box()
                right = place["x"] + place["width"]
                inside = right <= frame["x"] + frame["width"] + 1
                assert inside, (width, part.evaluate("(e) => e.outerHTML"))
        for slider in box.locator(".noUi-target").all():
            assert not slider.is_visible() or slider.bounding_box()["width"] > 60, width
        shot(page, f"{name}_{width}")
    page.set_viewport_size({"width": 1300, "height": 1400})
    page.wait_for_timeout(500)


BROWSER = """import colorlib as cl

images = cl.load_images("sample", "test")[:60]
labels = [i % 3 for i in range(60)], ["apple", "boy", "clock"]
cl.browse(images, cl.load_model("cifar"), "value", labels)"""


def test_the_browser_follows_mouse_and_keyboard(lab, tmp_path):
    address, page = lab
    notebook_of(address, page, tmp_path, "browser", BROWSER)
    box = page.locator(".colorlib-widget")
    said = lambda words: wait_for(lambda: words in box.inner_text(), 10)  # noqa: E731
    said("1 of 60: image 0, apple")
    fits_every_width(page, box, "browser")
    for name in ("position", "vividness", "second setting", "pixel: row", "column"):
        assert box.get_by_role("slider", name=name, exact=True).count() == 1, name
    alts = [picture.get_attribute("alt") for picture in box.locator("img.widget-image").all()]
    assert len(alts) == 6 and all(alts) and len(set(alts)) == 6
    picture = box.get_by_alt_text("The prediction at the first setting")
    picture.evaluate(WATCH)
    box.get_by_role("slider", name="position").focus()
    for i in range(21):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)  # to ask meanwhile would slow what is measured
        wait_for(lambda i=i: page.evaluate("window.took.length") > i, 10)
    # from the key to the new picture, as a page sees it
    took = sorted(page.evaluate("window.took"))
    assert len(took) == 21 and took[10] < 200, took
    said("22 of 60")
    place = box.get_by_role("slider", name="vividness").bounding_box()
    middle = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2

    def drag():
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 80, middle[1], steps=4)
        page.mouse.up()

    change(picture, drag)
    change(picture, lambda: picture.click(position={"x": 40, "y": 60}))
    for name in ("next", "previous", "random"):
        change(picture, lambda name=name: box.get_by_role("button", name=name).click())
    change(picture, lambda: page.keyboard.press("ArrowRight"))  # the button has the focus
    box.locator("select").nth(0).select_option("clock")
    said("1 of 20: image 2, clock")
    box.locator("select").nth(1).select_option("worst first")
    said("Sorted by")
    box.get_by_role("button", name="save").click()
    said("Saved as")
    shot(page, "browser_used")
    (SHOTS / "moves.json").write_text(json.dumps({"milliseconds": took}))


TURING = """import colorlib as cl

images = cl.load_images("sample", "test")[:60]
cl.turing_test(cl.load_model("cifar"), images, "me", practice=2, trials=3, seed=1)"""


def test_the_turing_test_by_the_keyboard_alone(lab, tmp_path):
    address, page = lab
    notebook_of(address, page, tmp_path, "turing", TURING)
    box = page.locator(".colorlib-widget")
    fits_every_width(page, box, "turing")
    box.get_by_role("button", name="start").focus()
    page.keyboard.press("Enter")
    counts = ["Practice 1 of 2", "Practice 2 of 2", "1 of 3", "2 of 3", "3 of 3"]
    for number, count in enumerate(counts):
        question = f"{count}: which one has the artificial colours?"
        wait_for(lambda question=question: question in box.inner_text(), 20)
        page.keyboard.press("ArrowLeft")
        if number < 2:
            wait_for(lambda: "picture has the artificial colours." in box.inner_text(), 5)
            page.wait_for_timeout(1000)
            assert "picture has the artificial colours." in box.inner_text()  # it stays
            shot(page, f"turing_verdict_{number}")
            page.keyboard.press("ArrowRight")
        assert page.evaluate("() => document.activeElement.tagName") == "BUTTON"
    wait_for(lambda: "You found" in box.inner_text(), 20)
    shot(page, "turing_end")


TOOL = """from colorlib.widgets.photo import photo_tool

photo_tool()"""


def test_the_photo_tool_takes_clicks_and_uploads(lab, tmp_path, images):
    address, page = lab
    notebook_of(address, page, tmp_path, "tool", TOOL)
    box = page.locator(".colorlib-photo")
    picture, stack = box.locator("img.widget-image"), box.locator(".colorlib-stack")
    said, code = lambda words: wait_for(lambda: words in box.inner_text(), 20), box.locator("pre")
    said("colours of its own")
    fits_every_width(page, box, "tool")
    page.set_viewport_size({"width": 1300, "height": 1600})
    wait_for(lambda: picture.get_attribute("alt"), 5)
    for name in ("vividness", "working size", "place: x", "place: y"):
        assert box.get_by_role("slider", name=name).count() == 1

    def click(x, y):
        place = stack.bounding_box()
        stack.click(position={"x": x * place["width"], "y": y * place["height"]})

    click(0.5, 0.25)
    box.locator(".cross").wait_for()
    wait_for(lambda: box.get_by_role("button", name=" %").count() == 9, 10)
    shot(page, "tool_place")
    change(picture, lambda: box.get_by_role("button", name=" %").nth(4).click())
    wait_for(lambda: "hints=[(225, 7" in code.inner_text(), 10)
    click(0.5, 0.25)
    box.get_by_text("Click its new place").wait_for()
    change(picture, lambda: click(0.25, 0.5))
    wait_for(lambda: "hints=[(112, 1" in code.inner_text(), 10)
    box.locator(".wipe input").fill("50")
    assert "inset" in picture.evaluate("(x) => getComputedStyle(x).clipPath")
    for width in (400, 900):
        page.set_viewport_size({"width": width, "height": 1600})
        page.wait_for_timeout(500)
        shot(page, f"tool_hint_{width}")
    change(picture, lambda: box.get_by_role("button", name="another", exact=True).click())
    wait_for(lambda: "seed=1" in code.inner_text(), 10)
    shot(page, "tool_another")
    change(picture, lambda: box.get_by_role("button", name="remove").click())
    with page.expect_download() as download:
        box.get_by_role("button", name="save full size").click()
        box.get_by_text("download chelsea-coloured.png").click()
    with Image.open(download.value.path()) as got:
        assert got.size == (451, 300)
    Image.fromarray(images[3]).resize((200, 150)).save(tmp_path / "mine.jpg")
    with page.expect_file_chooser() as chooser:
        box.locator(".widget-upload").click()
    change(picture, lambda: chooser.value.set_files(tmp_path / "mine.jpg"))
    said("mine.jpg, 200 × 150 pixels")
    box.locator(".widget-slider", has_text="vividness").locator(".noUi-handle").focus()
    change(picture, lambda: page.keyboard.press("ArrowRight"))
    shot(page, "tool_upload")


@pytest.mark.full
@pytest.mark.parametrize(
    "name", ["01_data_preparation", "02_training", "03_evaluation", "04_comparison", "05_study"]
)
def test_every_notebook_runs(lab, name):
    run_all(*lab, name)
