"""What a newcomer meets first: the environments, the README, the address."""

import re
import subprocess
import sys
import tomllib
import types

import pytest
import yaml
from conftest import REPOSITORY, script

import colorlib as cl
from colorlib import environment, paths
from colorlib.report import store, tables

publish = script("publish_readme")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
WANTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


def split(requirement):
    name, limits = re.fullmatch(r"([A-Za-z0-9_.-]+?)([<>=].*)?", requirement).groups()
    return name.lower(), limits or ""


def test_conda_and_pip_get_the_same_packages():
    conda = yaml.safe_load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    conda = dict(split(c) for c in conda if isinstance(c, str))
    assert conda.pop("python") == PROJECT["requires-python"]
    conda.pop("pip"), conda.pop("setuptools")
    pip = dict(split(w) for w in WANTED)
    pip["pytorch"] = pip.pop("torch")
    assert conda == pip


def test_lock_pins_every_package_with_hashes():
    lock = (REPOSITORY / "requirements.lock").read_text()
    entries = re.split(r"^(?=\S)", lock, flags=re.M)[1:]
    assert all(re.match(r"[\w.-]+==", entry) for entry in entries)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert {split(w)[0] for w in WANTED} <= {entry.split("==")[0] for entry in entries}
    assert "://" not in lock
    assert "--require-hashes" in (REPOSITORY / "Makefile").read_text()


def test_pages_and_notebooks_are_as_published():
    for path, text in publish.written().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run make publish"


def test_the_machine_of_the_first_reason_is_that_of_the_weights(monkeypatch):
    assert " minutes on two CPU cores (CIFAR-100)" in publish.reasons()
    made = publish.read_json(paths.SHIPPED / "cifar.json")
    for change, words in (({"cores": 8}, "8 CPU cores"), ({"gpu": "NVIDIA H200"}, "one NVIDIA")):
        other = made | {"machine": made["machine"] | change}
        monkeypatch.setattr(publish, "read_json", lambda path, other=other: other)
        assert f" minutes on {words}" in publish.reasons()


def test_every_marked_part_is_published_and_every_link_leads_to_a_file():
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    pages.append(REPOSITORY / "notebooks" / "README.md")
    marked = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        marked += re.findall(r"<!-- (\w+) -->", text)
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", text)
        for link in (a or b for a, b in links):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"
    assert set(marked) == set(publish.PARTS) - {"handout"}
    assert len(marked) == len(set(marked))


def test_the_readme_is_short_and_its_picture_small():
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").split()) <= 700
    assert (REPOSITORY / "figures" / "vividness.gif").stat().st_size <= 1.5e6


def test_each_notebook_says_how_long_it_and_its_long_parts_take():
    times = store.load_result("times", committed=True)["seconds"]
    teachers = (REPOSITORY / "notebooks" / "README.md").read_text()
    assert publish.times_table(teachers) == teachers
    for path in (REPOSITORY / "notebooks").glob("0*.ipynb"):
        text = path.read_text()
        assert publish.notebook(text, path.stem) == text
        parts, sentence = times["cifar100"][path.stem], publish.time_sentence(path.stem)
        assert max(parts, key=parts.get) in sentence or sum(parts.values()) < 30
        spoken = re.findall(r"([\d.]+) (second|minute)", sentence)
        whole, _, *longest, _ = [float(n) * (60 if u == "minute" else 1) for n, u in spoken]
        assert sum(longest) <= whole + 5 * len(longest)  # the parts add up to no more than all
    assert publish.duration(31) == "35 seconds" and publish.duration(89) == "90 seconds"
    assert publish.duration(91) == "2 minutes" and publish.duration(121) == "2.5 minutes"


def test_a_fork_changes_its_address_in_one_place(monkeypatch):
    name = "01_data_preparation"
    readme = (REPOSITORY / "README.md").read_text()
    notebook = (REPOSITORY / "notebooks" / f"{name}.ipynb").read_text()
    monkeypatch.setattr(publish, "address", lambda: "https://github.com/me/fork")
    page, changed = publish.page(readme), publish.notebook(notebook, name)
    for text in (page, changed):
        assert f"github/me/fork/blob/main/notebooks/{name}.ipynb" in text
        assert "github.com/OWNER" not in text
    assert "git clone https://github.com/me/fork && cd fork" in page
    assert len(page.split()) <= 730
    assert 'COLORLIB_REPOSITORY\\", \\"https://github.com/me/fork\\"' in changed
    assert publish.notebook(changed, name) == changed
    monkeypatch.setattr(publish, "address", lambda: publish.PLACEHOLDER)
    assert "colab-badge" not in publish.notebook(changed, name) + publish.page(page)


def test_the_address_is_that_of_a_remote_on_github(monkeypatch, tmp_path):
    expected = "https://github.com/me/fork"
    for remote in (expected, f"{expected}.git\n", f"{expected}/", "git@github.com:me/fork.git"):
        assert publish.github_address(remote) == expected
    for remote in ("", "/home/me/fork", "https://example.org/me/fork", "https://github.com/me"):
        assert publish.github_address(remote) is None
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    project = tmp_path / "pyproject.toml"
    project.write_text(f'[project.urls]\nRepository = "{publish.PLACEHOLDER}"\n')
    monkeypatch.setattr(publish, "REPOSITORY", tmp_path)
    for remote, found in (("/home/me/fork", publish.PLACEHOLDER), (expected, expected)):
        subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", remote], check=True)
        publish.set_address()
        assert publish.address() == found
        subprocess.run(["git", "-C", tmp_path, "remote", "remove", "origin"], check=True)


@pytest.mark.parametrize(("given", "grey"), [("value", 19.97), ("luma", 23.28)])
def test_committed_results_are_of_the_whole_test_split(given, grey):
    result = store.load_result(f"cifar-{given}", committed=True)
    assert (result["data"]["source"], result["data"]["split"]) == ("cifar100", "test")
    assert result["data"]["count"] == 10000
    assert round(result["rows"][0]["psnr"], 2) == grey
    assert round(result["rows"][0]["raw_auc"], 4) == 0.8844
    assert round(result["rows"][0]["rebalanced_auc"], 4) == 0.6422


def test_what_the_page_of_results_says_of_random_colours():
    rows = store.load_result("equal-budget-full", committed=True)["rows"]
    random = next(row for row in rows if row["system"] == "random_colors")
    assert random["top1"] == min(row["top1"] for row in rows)
    grey = tables.find_row({"rows": rows}, "grey")
    assert random["frechet"] < grey["frechet"]


@pytest.mark.full
def test_shipped_weights_give_the_committed_results(real_data):
    committed = store.load_result("cifar-value", committed=True)
    row = tables.find_row(committed, "ours", 0)
    truth = cl.to_tensor(cl.load_images("cifar100", "test"))
    measured = cl.evaluate(cl.colorize(cl.load_model("cifar"), cl.value(truth)), truth)
    for name, number in measured.items():
        assert number == pytest.approx(row[name], rel=1e-4)


def test_import_needs_torch_numpy_and_pillow_alone():
    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in %r:
            raise ImportError(name + " was imported")
sys.meta_path.insert(0, Refuse())
import colorlib, torch
colorlib.colorize(colorlib.ColorNet(), torch.rand(1, 1, 32, 32))
"""
    refused = {split(w)[0] for w in WANTED} - {"torch", "numpy", "pillow"}
    refused |= {"skimage", "requests", "IPython"}
    subprocess.run([sys.executable, "-c", code % refused], check=True)


def test_nothing_is_installed_where_all_is_there():
    assert environment.install_missing() == []
    names = {split(d)[0] for d in PROJECT["dependencies"]}
    assert set(environment.PACKAGES.values()) == names - {"torch", "torchvision", "numpy", "pillow"}


def test_profile_is_checked(monkeypatch):
    monkeypatch.setenv("COLORLIB_PROFILE", "slow")
    with pytest.raises(ValueError, match="got 'slow', expected"):
        paths.profile()


def test_runs_and_answers_go_to_drive_where_it_is_mounted(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "DRIVE", tmp_path / "MyDrive")
    assert paths.runs() == paths.data_root() / "runs"
    (tmp_path / "MyDrive").mkdir()
    assert paths.runs() == paths.data_root() / "runs"  # COLORLIB_DATA is set, and overrules
    monkeypatch.delenv("COLORLIB_DATA")
    assert paths.runs() == tmp_path / "MyDrive" / "colorlib" / "runs"
    assert paths.turing() == tmp_path / "MyDrive" / "colorlib" / "turing"


def test_what_was_saved_is_offered_on_colab(monkeypatch):
    offered = []
    colab = types.ModuleType("google.colab")
    colab.files = types.SimpleNamespace(download=offered.append)
    environment.offer("a.png")
    assert not offered
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    environment.offer("a.png")
    assert offered == ["a.png"]


def test_the_table_of_faults_names_tests_that_exist():
    table = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
    assert [int(n) for n in re.findall(r"^\| (\d+) \|", table, re.M)] == list(range(1, 97))
    tests = "".join(f.read_text(encoding="utf-8") for f in REPOSITORY.rglob("tests/**/test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", table))
    assert not [name for name in named if f"def {name}(" not in tests]
