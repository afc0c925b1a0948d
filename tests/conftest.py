"""Every test has a data root and an output folder of its own; the real ones are never touched."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import colorlib as cl

REPOSITORY = Path(__file__).resolve().parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REAL_DATA = Path(os.environ.get("COLORLIB_DATA") or REPOSITORY / "data").resolve()


def script(name: str):
    """scripts/NAME.py as a module; as when it is run, it finds the others beside it."""
    path = REPOSITORY / "scripts" / f"{name}.py"
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tracked_files() -> list[str]:
    """The files of the working tree that belong to the repository, also those not committed yet."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if (REPOSITORY / name).is_file()]


def copy_repository(target: Path) -> None:
    """A copy of the working tree's tracked files in `target`, as a repository of one commit."""
    for name in tracked_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, target / name)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "copy"]):
        subprocess.run([*git, *words], cwd=target, check=True)


def drawn(axis, label):
    """The points (2, N) of the line with a label."""
    (line,) = (line for line in axis.lines if line.get_label() == label)
    return np.array(line.get_data(), float)


def shown(figure):
    """The pictures of a figure, as arrays."""
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLORLIB_OUT", str(tmp_path / "out"))
    monkeypatch.delenv("COLORLIB_PROFILE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def real_data(monkeypatch):
    """The caller's own data root with CIFAR-100 in it, or a skip."""
    if not (REAL_DATA / "cifar100" / "test.npy").exists():
        pytest.skip("needs CIFAR-100 in the data root")
    monkeypatch.setenv("COLORLIB_DATA", str(REAL_DATA))


@pytest.fixture
def images():
    """64 smooth colour images, uint8 (64, 32, 32, 3): a gradient of hue and of brightness each."""
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 1, 32)
    corners = random.uniform(0, 255, (64, 2, 2, 3))
    across = corners[:, :, :1] * (1 - ramp)[:, None] + corners[:, :, 1:] * ramp[:, None]
    down = across[:, :1] * (1 - ramp)[:, None, None] + across[:, 1:] * ramp[:, None, None]
    return down.round().astype(np.uint8)


@pytest.fixture
def picture(images):
    """A colour photograph of 64 x 48 as a Pillow image."""
    return Image.fromarray(images[3]).resize((64, 48))


def vivid(**options) -> cl.ColorNet:
    """A tiny untrained network that makes vivid colours."""
    torch.manual_seed(0)
    net = cl.ColorNet((8, 8), (0, 0), (0,), **options).eval()
    torch.nn.init.normal_(net.head.weight)
    return net


@pytest.fixture
def net():
    return vivid()


@pytest.fixture
def hinted():
    """A network with attention that takes hints, too."""
    return vivid(attention=(0, 1), hints=True)


@pytest.fixture
def full_disk():
    """full_disk(size): a context in which a write ends at that many bytes of a file."""
    resource = pytest.importorskip("resource")  # not on Windows

    @contextmanager
    def full_disk(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return full_disk


@pytest.fixture
def count_calls(monkeypatch):
    """count_calls(owner, name): a list that grows with each call of that function."""

    def count_calls(owner, name):
        calls, function = [], getattr(owner, name)

        def counted(*args, **options):
            calls.append(args)
            return function(*args, **options)

        monkeypatch.setattr(owner, name, counted)
        return calls

    return count_calls


@pytest.fixture
def says(caplog):
    """A context in which colorlib must log something that the pattern finds."""

    @contextmanager
    def says(pattern):
        caplog.clear()
        yield
        assert re.search(pattern, "\n".join(caplog.messages)), caplog.messages

    return says


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; paths under /missing answer 404, under /short break off half way."""

    def do_GET(self):
        if not self.path.startswith("/short/"):
            return super().do_GET()
        body = (Path(self.directory) / self.path.removeprefix("/short/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    """(address, folder) of a web server on this machine that serves the folder."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
