import hashlib
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import colorlib as cl
from colorlib import peers
from colorlib.color import rgb_to_lab
from colorlib.peers import official

# outputs of the authors' own networks with weights made by `weight` below
GOLDEN = json.loads(Path(__file__).with_name("peers_golden.json").read_text())


def weight(name, value):
    """The rule of the golden outputs: values that depend on a parameter's name and shape alone."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    shape = tuple(value.shape)
    normal = random.standard_normal(shape)
    if name.endswith("running_var"):
        return 0.5 + random.uniform(size=shape)
    if name.endswith("running_mean"):
        return 0.1 * normal
    if len(shape) >= 2:
        return normal * np.sqrt(2 / np.prod(shape[1:]))
    return 0.1 * normal if name.endswith("bias") else 1 + 0.1 * normal


def with_golden_weights(network):
    state = {k: v for k, v in network.state_dict().items() if not v.is_floating_point()}
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            state[name] = torch.from_numpy(np.asarray(weight(name, value))).float()
    for name in [n for n in state if n.endswith("weight_orig")]:
        start = name.removesuffix("orig")
        matrix = state[name].double().flatten(1).numpy()
        seed = zlib.crc32(f"{start}u".encode())
        u = np.random.RandomState(seed).standard_normal(len(matrix))
        u = u / np.linalg.norm(u)
        for _ in range(50):
            v = matrix.T @ u
            v = v / np.linalg.norm(v)
            u = matrix @ v
            u = u / np.linalg.norm(u)
        state[f"{start}u"], state[f"{start}v"] = (torch.from_numpy(x).float() for x in (u, v))
    network.load_state_dict(state)
    return network.eval()


NAMES = [
    pytest.param(name, marks=pytest.mark.full if name == "deoldify-stable" else [])
    for name in GOLDEN
]


@pytest.mark.parametrize("name", NAMES)
def test_network_is_the_authors_own(name):
    network = peers.OFFICIAL[name].network()
    shapes = {k: list(v.shape) for k, v in network.state_dict().items()}
    digest = hashlib.sha256(json.dumps(sorted(shapes.items())).encode()).hexdigest()
    assert digest == GOLDEN[name]["names_sha256"]
    with_golden_weights(network)
    random = np.random.RandomState(0)
    if name.startswith("deoldify"):
        given = random.standard_normal((1, 3, 64, 64))
    else:
        given = random.uniform(0, 100, (1, 1, 64, 64))
    with torch.inference_mode():
        output = network(torch.from_numpy(given).float())
    assert list(output.shape) == GOLDEN[name]["shape"]
    found = output.flatten()[GOLDEN[name]["at"]]
    error = (found - torch.tensor(GOLDEN[name]["values"])).abs().max() / GOLDEN[name]["std"]
    assert error < 1e-4


class Small(nn.Module):
    """Stands in for a published network: ab that grows with lightness."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1)

    def forward(self, lightness, *hints):
        return self.conv(lightness / 10) + (hints[0] if hints else 0)


@pytest.fixture
def served(server, monkeypatch):
    """(publish, Small()): a web server that has the stand-in's weights for "eccv16"."""
    address, folder = server
    network = Small()

    def publish(content, under="", sha256="its own", name="eccv16"):
        torch.save(content, folder / "weights.pth")
        body = (folder / "weights.pth").read_bytes()
        if sha256 == "its own":
            sha256 = hashlib.sha256(body).hexdigest()
        entry = replace(
            peers.OFFICIAL[name],
            network=Small,
            url=f"{address}/{under}weights.pth",
            sha256=sha256,
        )
        monkeypatch.setitem(peers.OFFICIAL, name, entry)
        return body

    return publish, network


def kept():
    folder = official.weights_path("eccv16").parent
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_weights_are_fetched_once_and_kept_as_safetensors(served, server, capsys):
    publish, network = served
    publish(network.state_dict())
    peer = peers.load("eccv16")
    assert "fetching its official weights, about 129 MB" in capsys.readouterr().out
    assert torch.equal(peer.network.conv.weight, network.conv.weight)
    assert kept() == ["eccv16.safetensors"]
    (server[1] / "weights.pth").unlink()
    again = peers.load("eccv16")
    assert torch.equal(again.network.conv.weight, network.conv.weight)
    assert capsys.readouterr().out == ""


def test_a_file_without_published_hash_is_pinned(served, server, capsys):
    publish, network = served
    body = publish({"model": network.state_dict(), "opt": {"lr": 1}}, sha256=None)
    peers.load("eccv16")
    assert "The first download is trusted, and its checksum is kept" in capsys.readouterr().out
    assert kept() == ["eccv16.safetensors", "eccv16.sha256"]
    pin = official.weights_path("eccv16").with_suffix(".sha256").read_text().strip()
    assert pin == hashlib.sha256(body).hexdigest()
    official.weights_path("eccv16").unlink()
    (server[1] / "weights.pth").write_bytes(b"another")
    with pytest.raises(OSError, match="checksum differs"):
        peers.load("eccv16")


def test_a_bad_first_download_is_not_pinned(served):
    publish, network = served
    publish("a page that says sorry", sha256=None)
    with pytest.raises(ValueError, match="expected tensors by name"):
        peers.load("eccv16")
    assert kept() == []
    publish(network.state_dict(), sha256=None)
    assert torch.equal(peers.load("eccv16").network.conv.weight, network.conv.weight)


def test_broken_files_are_one_sentence(served, server, tmp_path):
    publish, network = served
    body = publish(network.state_dict())
    for content in (b"", body[: len(body) // 2], b"<html>", bytes(100)):
        (tmp_path / "w.pth").write_bytes(content)
        with pytest.raises(ValueError, match=r"w\.pth is not a plain file of weights") as caught:
            official.read_into(Small(), tmp_path / "w.pth")
        assert "\n" not in str(caught.value)
    peers.load("eccv16")
    path = official.weights_path("eccv16")
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"eccv16\.safetensors is damaged .* delete it"):
        peers.load("eccv16")


@pytest.mark.parametrize(
    ("under", "said"),
    [("missing/", "the server answered 404"), ("short/", "could not be fetched|checksum differs")],
)
def test_failed_downloads_are_one_sentence_and_leave_nothing(served, under, said):
    publish, network = served
    publish(network.state_dict(), under)
    with pytest.raises(OSError, match=said) as caught:
        peers.load("eccv16")
    assert "\n" not in str(caught.value) and kept() == []


def test_no_network_and_a_changed_file(served, monkeypatch):
    publish, network = served
    publish(network.state_dict(), sha256="0" * 64)
    with pytest.raises(OSError, match="checksum differs"):
        peers.load("eccv16")
    entry = replace(peers.OFFICIAL["eccv16"], url="http://127.0.0.1:9/w.pth")
    monkeypatch.setitem(peers.OFFICIAL, "eccv16", entry)
    with pytest.raises(OSError, match="could not be fetched"):
        peers.load("eccv16")
    assert kept() == []


class Hostile:
    def __reduce__(self):
        return os.system, ("touch hostile-was-here",)


def test_files_that_do_not_fit_are_named_and_not_run(served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    publish, network = served
    good = network.state_dict()
    for content, said in (
        ({k: v for k, v in good.items() if k != "conv.bias"}, 'Missing key.*"conv.bias"'),
        (good | {"more": torch.ones(1)}, 'Unexpected key.*"more"'),
        (good | {"conv.bias": torch.ones(5)}, "size mismatch for conv.bias"),
        (good | {"conv.bias": "text"}, "does not fit: .*conv.bias"),
        ([1, 2], "expected tensors by name"),
        ({"a": Hostile()}, "not a plain file of weights"),
    ):
        publish(content)
        with pytest.raises(ValueError, match=said) as caught:
            peers.load("eccv16")
        assert "\n" not in str(caught.value) and kept() == []
    assert not (tmp_path / "hostile-was-here").exists()
    with pytest.raises(ValueError, match="got 'nobody', expected eccv16"):
        peers.load("nobody")


@pytest.mark.parametrize("size", [(1, 1), (33, 70), (300, 200)])
def test_zhang_peers_keep_lightness_at_any_size(size):
    peer = official.Peer("eccv16", Small())
    gray = torch.rand(3, 1, *size) * 0.6 + 0.2
    rgb = peer.colorize(gray)
    assert rgb.shape == (3, 3, *size) and rgb.min() >= 0 and rgb.max() <= 1
    expected = rgb_to_lab(gray.expand(-1, 3, -1, -1))[:, :1]
    assert (rgb_to_lab(rgb)[:, :1] - expected).abs().max() < 0.5
    assert torch.allclose(peer.colorize(gray[1:2]), rgb[1:2], atol=1e-5)


def test_zhang_peers_join_the_upsampled_ab_with_the_full_lightness():
    network = Small()
    gray = torch.rand(1, 1, 100, 120) * 0.5 + 0.25
    small = F.interpolate(gray, (256, 256), mode="bicubic", antialias=True).clamp(0, 1)
    lightness = rgb_to_lab(small.expand(-1, 3, -1, -1))[:, :1]
    expected = F.interpolate(network(lightness), (100, 120), mode="bilinear")
    found = rgb_to_lab(official.Peer("eccv16", network).colorize(gray))[:, 1:]
    assert torch.allclose(found, expected, atol=0.1)


class Reddish(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([0.5, 0.0, -0.5]).view(3, 1, 1))

    def forward(self, image):
        self.seen = image.shape
        return image + self.shift


@pytest.mark.parametrize("size", [(1, 1), (40, 61)])
def test_deoldify_keeps_luma_and_sees_a_square(size):
    peer = official.Peer("deoldify-artistic", Reddish())
    gray = torch.rand(2, 1, *size) * 0.4 + 0.3
    rgb = peer.colorize(gray)
    assert peer.network.seen[-2:] == (560, 560)
    assert torch.allclose(cl.luma(rgb), gray, atol=1e-3)
    assert (rgb[:, 0] - rgb[:, 2] > 0.1).all()


def test_strips_change_nothing(monkeypatch):
    peer, gray = official.Peer("eccv16", Small()), torch.rand(2, 1, 50, 30)
    whole = peer.colorize(gray)
    monkeypatch.setattr(official, "STRIP", 500)
    assert torch.allclose(peer.colorize(gray), whole, atol=1e-6)


@pytest.mark.parametrize(
    "bad", [torch.rand(1, 3, 8, 8), torch.rand(1, 8, 8), torch.ones(1, 1, 4, 4) * 9]
)
def test_bad_gray_is_named(bad):
    with pytest.raises(ValueError, match="colorize: got"):
        official.Peer("eccv16", Small()).colorize(bad)


def test_photographs_go_through_a_peer_from_the_command_line(served, tmp_path, monkeypatch):
    from colorlib import __main__ as cli

    publish, network = served
    publish(network.state_dict())
    Image.fromarray(np.full((40, 30), 100, np.uint8)).save(tmp_path / "a.png")
    words = ["colorlib", "colorize", str(tmp_path / "a.png"), "--model", "eccv16"]
    monkeypatch.setattr("sys.argv", words)
    assert cli.main() == 0
    done = Image.open(tmp_path / "a-coloured.png")
    assert done.size == (30, 40) and done.mode == "RGB"
