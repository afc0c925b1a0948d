"""The Makefile and the defaults of the three variables, tried in a copy whose path has a space."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, copy_repository
from PIL import Image

from colorlib import paths

ALL = ["01", "02", "03", "04", "05", "so"]  # and the solutions
STAND_IN = """#!/bin/sh
echo "[$COLORLIB_DATA] [$COLORLIB_OUT] $*" >> "{log}"
"""


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A clone in "a b/r", with no variable set and a home folder of its own."""
    target = tmp_path / "a b" / "r"
    copy_repository(target)
    for name in ("COLORLIB_DATA", "COLORLIB_OUT", "COLORLIB_PROFILE", "MAKEFLAGS", "MAKELEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(target))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no network
    return target


@pytest.fixture
def make(copy, tmp_path):
    """make(words) in the copy, whose Python only logs; the lines that it logged."""
    log = tmp_path / "log"
    python = copy / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(STAND_IN.format(log=log))
    python.chmod(0o755)
    (copy / ".venv" / "installed").touch()

    def run(*words):
        log.write_text("")
        command = ["make", f"PYTHON={sys.executable}", *words]
        subprocess.run(command, cwd=copy, check=True, capture_output=True)
        return log.read_text().splitlines()

    return run


def executed(lines):
    return [line.rsplit("/", 1)[1][:2] for line in lines if "execute_notebooks" in line]


def edit(path):
    time.sleep(0.1)  # file systems count time in ticks
    path.touch()


def status(copy):
    done = subprocess.run(
        ["git", "status", "--porcelain"], cwd=copy, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_no_command_of_the_readme_changes_a_tracked_file(copy):
    """A notebook's calls, too: a figure and a result."""
    Image.fromarray(np.full((40, 40), 128, np.uint8)).save(copy.parent / "gray.png")
    mine = """
import matplotlib.pyplot as plt, colorlib as cl
from colorlib.report import store
cl.save_figure(plt.figure(), "01_process")
made = store.provenance({}, {"a": 1}, {"count": 1}, command="python")
store.save_result("cifar-value", made)
"""
    for words in (
        ["-m", "colorlib", "evaluate", "--source", "sample", "--count", "8"],
        ["-m", "colorlib", "colorize", "../gray.png", "-o", "../out.png"],
        ["-m", "colorlib", "prepare", "--source", "sample", "--count", "8"],
        ["-c", mine],
    ):
        subprocess.run([sys.executable, *words], cwd=copy, check=True, capture_output=True)
    assert status(copy) == ""
    assert (copy / "build" / "figures" / "01_process.png").is_file()
    assert (copy / "build" / "results" / "cifar-value.json").is_file()
    assert list((copy / "data" / "prepared").iterdir())


def test_without_the_repository_all_goes_to_the_current_folder(copy, tmp_path):
    """As pip installs it, without -e."""
    site, here = tmp_path / "site-packages", tmp_path / "my work"
    shutil.copytree(copy / "colorlib", site / "colorlib")
    here.mkdir()
    words = [sys.executable, "-m", "colorlib", "evaluate", "--source", "sample", "--count", "8"]
    environment = os.environ | {"PYTHONPATH": str(site)}
    subprocess.run(words, cwd=here, check=True, capture_output=True, env=environment)
    assert len(list((here / "build" / "results").iterdir())) == 1
    assert [p.name for p in site.iterdir()] == ["colorlib"]


@pytest.mark.full
def test_a_wheel_works_in_a_path_with_a_space(copy, tmp_path, monkeypatch):
    """In an environment that has the dependencies of this one, and colorlib from the wheel."""
    monkeypatch.delenv("PYTHONPATH")
    here, environment = copy.parent / "my work", copy.parent / "an environment"
    here.mkdir()
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", here, copy], check=True)
    shutil.rmtree(copy)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    site = next(environment.glob("lib/python*/site-packages"))
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    (wheel,) = here.glob("*.whl")
    subprocess.run([*pip, wheel], check=True)
    ours = Path(np.__file__).parents[1]
    (site / "dependencies.pth").write_text(f"{ours}\n")
    Image.fromarray(np.full((40, 40), 128, np.uint8)).save(here / "grey.png")
    for words in (
        ["-c", f"import colorlib; assert colorlib.__file__.startswith({str(site)!r})"],
        ["-m", "colorlib", "colorize", "grey.png"],
        ["-m", "colorlib", "evaluate", "--source", "sample", "--count", "8"],
        ["-c", "from colorlib.compare import classifier as c; c.load_classifier('classifier')"],
    ):
        subprocess.run([python, *words], cwd=here, check=True, capture_output=True)
    assert (here / "grey-coloured.png").is_file()
    assert list((here / "build" / "results").iterdir())


def test_results_measures_all_that_notebooks_read_from_a_file(make, copy):
    def measured(*words):
        lines = make("results", *words)
        return [re.search(r"-m colorlib (\w+).*?(--model \w+|$)", line).groups() for line in lines]

    without = measured()
    assert [word for word, _ in without] == [
        *("study", "duplicates", "published", "compare", "compare", "evaluate"),
    ]
    (copy / "my data" / "photos").mkdir(parents=True)
    more = measured("COLORLIB_DATA=my data")
    assert [line for line in more if line not in without] == [
        ("hints", ""),
        ("evaluate", "--model photo"),
        ("evaluate", "--model photo"),
    ]
    assert len(more) == len(without) + 4  # and the cifar weights on photographs


def test_only_the_repository_itself_is_written_as_committed(monkeypatch):
    monkeypatch.setenv("COLORLIB_OUT", str(paths.REPOSITORY))
    assert paths.results() == paths.COMMITTED_RESULTS
    assert paths.figures() == paths.REPOSITORY / "figures"
    monkeypatch.setenv("COLORLIB_OUT", "~/out")
    assert paths.results() == paths.Path.home() / "out" / "results"


def test_folders_with_a_space_and_with_a_tilde_arrive_whole(make, copy, tmp_path):
    lines = make("study", "report", "lab", "COLORLIB_DATA=~/my data, 'mine'", "COLORLIB_OUT=x y")
    start = f"[{tmp_path}/my data, 'mine'] [{copy}/x y] "
    assert len(lines) == 5 and all(line.startswith(start) for line in lines)
    assert all(line.startswith("[] [] ") for line in make("study", "report"))


def test_studying_neither_trains_the_shipped_weights_nor_writes_tracked_files(make, copy):
    lines = make("study")
    assert [line.split()[2:5] for line in lines] == [
        ["-m", "colorlib", "study"],
        ["-m", "colorlib", "duplicates"],
    ]
    assert status(copy) == ""


def test_full_executes_what_changed_and_what_reads_it(make, copy):
    lines = make("full")
    assert executed(lines) == ALL
    assert all(line.startswith(f"[] [{copy}] ") for line in lines)  # the tracked folders
    assert executed(make("full")) == []
    edit(copy / "notebooks" / "03_evaluation.ipynb")
    assert executed(make("full")) == ALL[2:]
    for name in ("widgets/turing_test.py", "weights/cifar.safetensors", "peers/eccv16.py"):
        edit(copy / "colorlib" / name)
        assert executed(make("full")) == ALL


def test_help_lists_every_command(copy):
    done = subprocess.run(["make", "help"], cwd=copy, check=True, capture_output=True, text=True)
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    names = subprocess.run(
        ["make", "-pn", "help"], cwd=copy, check=True, capture_output=True, text=True
    )
    phony = next(x for x in names.stdout.splitlines() if x.startswith(".PHONY:"))
    assert sorted(listed) == sorted(phony.split()[1:])


def test_the_training_command_of_the_weights_stands_once():
    text = (REPOSITORY / "Makefile").read_text()
    assert "--widths" not in text and "--epochs" not in text
