import hashlib
import importlib

import pytest
from PIL import Image

from colorlib import paths, peers

published = importlib.import_module("colorlib.peers.published")  # the module, not the function


@pytest.fixture
def served(server, monkeypatch):
    """Stand-ins for the published files, served from this machine."""
    address, folder = server
    files = {}
    for name, (path, _) in published.FILES.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.new(
            "RGB", (1200, 800), hashlib.md5(name.encode()).hexdigest()[:6].join(("#", ""))
        ).save(target)
        files[name] = path, hashlib.sha256(target.read_bytes()).hexdigest()
    monkeypatch.setattr(published, "FILES", files)
    monkeypatch.setattr(published, "SOURCE", f"{address}/")
    return folder


def test_published_outputs_are_fetched_once_and_cropped(served):
    found = peers.published()
    assert list(found) == ["cow", "mountains"]
    assert list(found["cow"]) == ["input", "ECCV16", "SIGGRAPH17", "DeOldify"]
    assert found["cow"]["ECCV16"].size == found["cow"]["SIGGRAPH17"].size == (422, 280)
    for path in served.rglob("*.*"):
        path.unlink()
    assert list(peers.published()) == list(found)


def test_a_changed_file_is_refused_and_not_kept(served):
    (served / "imgs" / "ansel_adams3.jpg").write_bytes(b"another")
    with pytest.raises(OSError, match="checksum differs"):
        peers.published()
    assert not (paths.data_root() / "peers" / "ansel_adams3.jpg").exists()


def test_no_network_is_one_sentence(monkeypatch):
    monkeypatch.setattr(published, "SOURCE", "http://127.0.0.1:9/")
    with pytest.raises(OSError, match="could not be fetched") as caught:
        peers.published()
    assert "\n" not in str(caught.value)
