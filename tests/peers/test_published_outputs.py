"""The published outputs: the manifest, and fetching from a local server that misbehaves."""

import hashlib
import io
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from colorlib import paths, peers
from colorlib.peers import published_outputs
from colorlib.report.tables import TITLES

COMMIT = "0" * 40


def png(seed: int, width: int = 24, height: int = 16) -> bytes:
    """A small picture of its own colours, as a PNG file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "png")
    return written.getvalue()


# repository -> path there -> (name of the copy, content)
REPOSITORIES = {
    "a/one": {
        "imgs/a photo, 100 %.png": ("one.truth.png", png(0)),
        "imgs/#1?.png": ("one.eccv16.png", png(1)),
    },
    "b/two": {
        "truth.png": ("two.truth.png", png(2)),
        "collage.png": ("two.collage.png", png(3, 48, 40)),
    },
    "c/three": {f"{i}.png": (f"three.{i}.png", png(10 + i)) for i in range(5)},
}
PHOTOGRAPHS = [
    {"case": "one", "group": "g", "panels": {"truth": "one.truth.png", "eccv16": "one.eccv16.png"}},
    {
        "case": "two",
        "group": "g",
        "panels": {
            "truth": "two.truth.png",
            "siggraph17": ["two.collage.png", [10, 4, 34, 20]],
            "ddcolor": ["two.collage.png", [0, 0, 48, 32]],
        },
    },
    {
        "case": "three",
        "group": "g",
        "panels": {
            "truth": "three.0.png",
            "input": "three.1.png",
            "eccv16": "three.2.png",
            "siggraph17": "three.3.png",
            "deoldify-stable": "three.4.png",
        },
    },
]


def below(entry):
    """The panel entry with its file below published/."""
    return f"published/{entry}" if isinstance(entry, str) else [f"published/{entry[0]}", entry[1]]


def small_manifest() -> dict:
    files, sources = {}, []
    for number, (repository, content) in enumerate(REPOSITORIES.items()):
        sources.append({"repository": repository, "commit": COMMIT, "licence": "MIT"})
        for path, (name, data) in content.items():
            digest = hashlib.sha256(data).hexdigest()
            files[f"published/{name}"] = [number, path, digest, len(data)]
    photographs = [
        entry | {"panels": {role: below(place) for role, place in entry["panels"].items()}}
        for entry in PHOTOGRAPHS
    ]
    return {"sources": sources, "groups": {"g": ""}, "files": files, "photographs": photographs}


class Raw(BaseHTTPRequestHandler):
    """Serves REPOSITORIES as raw.githubusercontent.com does; `faults` says what goes wrong."""

    def do_GET(self):
        owner, name, commit, path = self.path.removeprefix("/").split("/", 3)
        repository, path = f"{owner}/{name}", unquote(path)
        self.server.asked.append(path)
        found = REPOSITORIES.get(repository, {}).get(path)
        fault = self.server.faults.get(repository) or self.server.faults.get(path)
        if isinstance(fault, list):  # one fault a request, until none is left
            fault = fault.pop(0) if fault else None
        status = 200 if found and commit == COMMIT else 404
        status = fault if isinstance(fault, int) else status
        self.send_response(status)
        body = found[1] if status == 200 else b"no"
        if fault == "corrupt":
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault == "truncated" else body)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def raw(monkeypatch):
    """The server, with `asked` (paths) and `faults` (repository or path -> what goes wrong)."""
    monkeypatch.setattr(published_outputs, "_content", small_manifest)
    monkeypatch.setattr(published_outputs, "PAUSE", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Raw) as server:
        server.asked, server.faults = [], {}
        monkeypatch.setattr(published_outputs, "RAW", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def copies() -> dict[str, bytes]:
    """Every file below published/ of the data root, also half-written ones."""
    folder = paths.data_root() / "published"
    return {file.name: file.read_bytes() for file in folder.glob("*")}


def everything() -> dict[str, bytes]:
    return {name: data for content in REPOSITORIES.values() for name, data in content.values()}


def without(*names: str) -> dict[str, bytes]:
    return {name: data for name, data in everything().items() if name not in names}


# the manifest


def test_the_manifest_covers_what_was_published():
    photographs = [p for p in published_outputs.photographs() if "truth" in p.panels]
    assert len(photographs) == len({p.case for p in photographs}) == 238
    counts = Counter(system for p in photographs for system in p.outputs)
    deoldify = {"deoldify-stable": 23, "deoldify-artistic": 23, "ddcolor": 23}
    assert counts == {"eccv16": 200, "siggraph17": 22} | deoldify and set(counts) <= set(TITLES)
    for file in published_outputs.files().values():
        assert len(file.commit) == 40 and set(file.commit) <= set("0123456789abcdef")
        assert len(file.sha256) == 64 and set(file.sha256) <= set("0123456789abcdef")
        assert "/" in file.repository and file.bytes > 0
        assert file.name.split("/")[0] in ("published", "peers") and file.name.count("/") == 1
    used = {panel.path for p in published_outputs.photographs() for panel in p.panels.values()}
    unused = {name for name, f in published_outputs.files().items() if f.local() not in used}
    assert unused == {"peers/train_result.png", "peers/test_result.png"}  # shown in notebook 4
    assert 35 < published_outputs.megabytes(published_outputs.files("published").values()) < 45
    assert published_outputs.MANIFEST.stat().st_size < 200_000


def test_every_group_and_source_of_the_manifest_is_described():
    content = published_outputs._content()
    assert all(source["licence"] for source in content["sources"])
    assert {p["group"] for p in content["photographs"]} == set(content["groups"])
    assert {facts[0] for facts in content["files"].values()} == set(range(len(content["sources"])))
    known = {file.local(): file for file in published_outputs.files().values()}
    for photo in published_outputs.photographs():
        assert {known[panel.path].repository for panel in photo.panels.values()} == {
            photo.repository
        }
        for panel in photo.panels.values():
            left, top, right, bottom = panel.box or (0, 0, 1, 1)
            assert 0 <= left < right and 0 <= top < bottom


def test_the_real_files_are_as_the_manifest_says(real_data):
    if published_outputs.missing_files():
        pytest.skip("needs the published files in the data root")
    for photo in peers.published()[::10]:
        sizes = {photo.image(role).size for role in ("truth", *photo.outputs)}
        assert len(sizes) == 1


# fetching


def test_files_are_fetched_once_into_the_data_root(raw, capsys):
    assert peers.fetch_published() == []
    assert copies() == everything()
    size = sum(map(len, everything().values())) / 1e6
    assert f"9 files, {size:.1f} MB, from 3 public repositories" in capsys.readouterr().out
    assert sorted(raw.asked) == sorted(path for c in REPOSITORIES.values() for path in c)
    assert peers.fetch_published() == []
    assert len(raw.asked) == 9 and "All 9 published files" in capsys.readouterr().out


def test_a_path_with_spaces_and_percent_signs_is_encoded(raw):
    peers.fetch_published()
    address = published_outputs.files()["published/one.truth.png"].address()
    assert address.endswith(f"/a/one/{COMMIT}/imgs/a%20photo%2C%20100%20%25.png")
    assert copies()["one.eccv16.png"] == png(1)  # "#1?.png"


def test_a_file_that_is_there_is_not_fetched_again(raw):
    path = paths.data_root() / "published" / "two.truth.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(png(2))
    assert peers.fetch_published() == []
    assert "truth.png" not in raw.asked and len(raw.asked) == 8


def test_a_file_that_is_there_but_damaged_is_fetched_again(raw):
    path = paths.data_root() / "published" / "two.truth.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(png(2)[:-1] + b"?")
    assert peers.fetch_published() == []
    assert copies() == everything()


def test_no_network_is_one_sentence_a_repository(raw, monkeypatch):
    monkeypatch.setattr(published_outputs, "RAW", "http://127.0.0.1:9")
    failed = peers.fetch_published()
    assert [sentence.split(":")[0] for sentence in failed] == list(REPOSITORIES)
    assert all("could not be fetched" in s and "\n" not in s for s in failed)
    assert "5 of 5 files" in failed[2] and not copies()


def test_one_repository_gone_does_not_stop_the_others(raw):
    raw.faults["c/three"] = 404
    (sentence,) = peers.fetch_published(workers=1)
    assert sentence.startswith("c/three: 5 of 5 files could not be fetched")
    assert "404" in sentence and "\n" not in sentence
    assert copies() == without(*(f"three.{i}.png" for i in range(5)))
    asked = {path for path in raw.asked if path in REPOSITORIES["c/three"]}
    assert len(asked) == published_outputs.GIVE_UP  # the last two are not asked for


@pytest.mark.parametrize("fault", ["truncated", "corrupt", 503, 404])
def test_one_file_that_fails_is_one_sentence_and_leaves_nothing(raw, fault):
    raw.faults["2.png"] = fault
    (sentence,) = peers.fetch_published()
    assert sentence.startswith("c/three: ") and "2.png" in sentence and "\n" not in sentence
    assert copies() == without("three.2.png")


@pytest.mark.parametrize("fault", ["truncated", "corrupt", 503, 429])
def test_a_file_that_fails_once_is_tried_again(raw, fault):
    raw.faults["2.png"] = [fault]
    assert peers.fetch_published() == []
    assert copies() == everything() and raw.asked.count("2.png") == 2


def test_a_folder_that_cannot_be_written_is_one_sentence_a_repository(raw):
    paths.data_root().mkdir(parents=True)
    (paths.data_root() / "published").write_text("a file where the folder belongs")
    failed = peers.fetch_published(workers=1)
    assert len(failed) == 3 and all("\n" not in sentence for sentence in failed)


def test_an_interrupted_fetch_goes_on_when_called_again(raw, monkeypatch):
    whole, count = published_outputs.fetch, []

    def interrupted(*args, **options):
        count.append(1)
        if len(count) == 4:
            raise KeyboardInterrupt
        return whole(*args, **options)

    monkeypatch.setattr(published_outputs, "fetch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        peers.fetch_published(workers=1)
    kept = copies()
    assert 3 <= len(kept) < 9 and kept.items() <= everything().items()
    monkeypatch.setattr(published_outputs, "fetch", whole)
    raw.asked.clear()
    assert peers.fetch_published() == []
    assert copies() == everything() and len(raw.asked) == 9 - len(kept)


# the photographs


def test_photographs_are_read_from_the_data_root(raw, capsys):
    peers.fetch_published()
    capsys.readouterr()
    one, _, three = peers.published()
    assert capsys.readouterr().out == ""
    assert (one.case, one.repository) == ("one", "a/one")
    assert one.image().size == (24, 16) and "input" not in one.panels
    assert list(three.outputs) == ["eccv16", "siggraph17", "deoldify-stable"]
    assert three.image("input").tobytes() == Image.open(io.BytesIO(png(11))).tobytes()


def test_a_collage_gives_the_panel_in_its_box_at_the_size_of_the_truth(raw):
    peers.fetch_published()
    two = peers.published()[1]
    whole = np.asarray(Image.open(io.BytesIO(png(3, 48, 40))))
    assert np.array_equal(np.asarray(two.image("siggraph17")), whole[4:20, 10:34])
    expected = Image.fromarray(whole[:32]).resize((24, 16), Image.Resampling.LANCZOS)
    assert np.array_equal(np.asarray(two.image("ddcolor")), np.asarray(expected))


def test_missing_files_are_one_sentence_and_the_rest_is_there(raw, capsys):
    raw.faults |= {"3.png": 404, "truth.png": 404}
    peers.fetch_published()
    capsys.readouterr()
    one, three = peers.published()
    assert (one.case, list(three.outputs)) == ("one", ["eccv16", "deoldify-stable"])
    (sentence,) = capsys.readouterr().out.splitlines()
    assert "2 of the 9 published files" in sentence and "--fetch" in sentence


def test_an_unknown_role_is_refused_by_name(raw):
    peers.fetch_published()
    with pytest.raises(ValueError, match=r"one: got role 'ddcolor', expected one of truth, eccv16"):
        peers.published()[0].image("ddcolor")


# the two photographs of the course project


@pytest.fixture
def course(server, monkeypatch):
    """Stand-ins for the course project's files, served from this machine."""
    address, folder = server
    content = published_outputs._content()
    known = dict(content["files"])
    for name, (source, path, _, _) in known.items():
        if not name.startswith("peers/"):
            continue
        facts = content["sources"][source]
        target = folder / facts["repository"] / facts["commit"] / path
        target.parent.mkdir(parents=True, exist_ok=True)
        colour = "#" + hashlib.md5(name.encode()).hexdigest()[:6]
        Image.new("RGB", (1200, 800), colour).save(target)
        data = target.read_bytes()
        known[name] = [source, path, hashlib.sha256(data).hexdigest(), len(data)]
    monkeypatch.setattr(published_outputs, "_content", lambda: content | {"files": known})
    monkeypatch.setattr(published_outputs, "RAW", address)
    monkeypatch.setattr(published_outputs, "PAUSE", 0)
    return folder


def test_course_outputs_are_fetched_once_and_cropped(course):
    found = peers.course_outputs()
    assert list(found) == ["cow", "mountains"]
    assert list(found["cow"]) == ["input", "ECCV16", "SIGGRAPH17", "DeOldify"]
    assert found["cow"]["ECCV16"].size == found["cow"]["SIGGRAPH17"].size == (422, 280)
    for path in course.rglob("*.*"):
        if path.is_file():
            path.unlink()
    assert list(peers.course_outputs()) == list(found)


def test_a_changed_file_is_refused_and_not_kept(course):
    (path,) = course.rglob("ansel_adams3.jpg")
    path.write_bytes(b"another")
    with pytest.raises(OSError, match="checksum differs"):
        peers.course_outputs()
    assert not (paths.data_root() / "peers" / "ansel_adams3.jpg").exists()


def test_no_network_is_one_sentence(monkeypatch):
    monkeypatch.setattr(published_outputs, "RAW", "http://127.0.0.1:9")
    monkeypatch.setattr(published_outputs, "PAUSE", 0)
    with pytest.raises(OSError, match="could not be fetched") as caught:
        peers.course_outputs()
    assert "\n" not in str(caught.value)


def test_another_name_of_a_course_file_is_refused():
    with pytest.raises(ValueError, match=r"got 'cow\.png', expected one of brown-Guernsey"):
        peers.published_file("cow.png")


# the reader's own outputs


def own(system, name, image):
    """Keep an image as an output of the reader's."""
    path = paths.data_root() / "outputs" / system / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path


def test_own_outputs_join_by_name(images, raw):
    root = paths.data_root()
    for system, name in (("mine", "a"), ("mine", "b"), ("theirs", "a")):
        own(system, name, images[0])
    (root / "photos" / "val" / "cats").mkdir(parents=True)
    Image.fromarray(images[1]).save(root / "photos" / "val" / "cats" / "a.png")
    (root / "inputs").mkdir()
    Image.fromarray(images[2]).save(root / "inputs" / "b.png")
    a, b = peers.published()
    assert (a.case, list(a.outputs)) == ("a", ["mine (yours)", "theirs (yours)"])
    assert (b.case, list(b.outputs)) == ("b", ["mine (yours)"])
    assert np.array_equal(np.asarray(a.image("truth")), images[1])
    assert np.array_equal(np.asarray(b.image("mine (yours)")), images[0])


def test_an_own_output_that_cannot_be_used_is_one_sentence(images, raw, capsys):
    (paths.data_root() / "inputs").mkdir(parents=True)
    Image.fromarray(images[0][..., 0]).save(paths.data_root() / "inputs" / "grey.png")
    for name in ("lost", "grey"):
        own("mine", name, images[0])
    own("mine", "broken", images[0]).write_bytes(b"no image")
    assert peers.published() == []
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4 and "broken.png: not a readable image" in said[0]
    assert "outputs/mine/grey.png needs a colour photograph" in said[1]
    assert "outputs/mine/lost.png needs" in said[2]
    assert peers.published(quiet=True) == [] and not capsys.readouterr().out
