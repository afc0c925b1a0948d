import json
import os
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image

import colorlib as cl
from colorlib import __main__ as cli
from colorlib import data, paths
from colorlib.datasets.prepared import TITLES

TINY = "--widths 8 8 --down 0 0 --up 0 --batch-size 8 --epochs 1"


def test_help_names_every_data_set_and_docs_where_one_is_added():
    assert all(name in cli.SHARED["--source"]["help"] for name in TITLES)
    page = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| a data set |"))
    for name, file in (("_load", "data.py"), ("TITLES", "datasets/prepared.py")):
        assert f"`{name}`" in row and f"`{file}`" in row
        assert name in (paths.PACKAGE / file).read_text(encoding="utf-8")


@pytest.fixture
def run(monkeypatch, capsys):
    def run(line):
        monkeypatch.setattr(sys, "argv", ["colorlib", *line.split()])
        code = cli.main()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def folder(tmp_path, images):
    """A folder of one picture."""
    (tmp_path / "set").mkdir()
    Image.fromarray(images[0]).save(tmp_path / "set" / "a.png")
    return tmp_path / "set"


def test_prepare_train_evaluate_colorize(run, tmp_path, images):
    np.save(tmp_path / "mine.npy", images)
    code, _, _ = run("prepare --source sample --count 20")
    assert code == 0
    assert cl.load_prepared(data.prepared_path("sample", "test", 20)).shape == (20, 3, 32, 32)
    code, out, _ = run(f"train --source {tmp_path}/mine.npy --name mine {TINY}")
    assert code == 0 and "psnr" in out
    weights = paths.runs() / "mine" / "model.safetensors"
    record = json.loads((paths.runs() / "mine" / "history.json").read_text())
    assert record["command"].endswith(f"--source {tmp_path}/mine.npy --size 32")
    words = record["command"].removeprefix("python -m colorlib ")
    assert run(words)[0] == 0  # it can be typed, and finds the finished run
    assert json.loads((paths.runs() / "mine" / "history.json").read_text()) == record
    code, out, _ = run(f"evaluate --model {weights} --given both --source sample --count 8")
    assert code == 0 and "| mean colour |" in out and "8 images of built-in sample" in out
    kept = json.loads((paths.results() / "run-mine-luma-sample-test-8.json").read_text())
    assert kept["config"]["given"] == "luma" and len(kept["rows"]) == 7
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    code, _, _ = run(f"colorize {tmp_path}/a.png --model {weights}")
    assert code == 0 and Image.open(tmp_path / "a-coloured.png").size == (32, 32)


def test_a_recorded_command_with_a_space_can_be_typed(run, tmp_path, images, monkeypatch):
    source, weights = tmp_path / "my set.npy", tmp_path / "my model.safetensors"
    np.save(source, images)

    def typed(command):
        words = shlex.split(command.removeprefix("python -m "))
        monkeypatch.setattr(sys, "argv", words)
        assert cli.main() == 0

    typed(f"colorlib train --source '{source}' --name mine {TINY}")
    shutil.copy(paths.runs() / "mine" / "model.safetensors", weights)
    typed(f"colorlib evaluate --model '{weights}' --source '{source}' --split train --name one")
    for record in (paths.runs() / "mine" / "history.json", paths.results() / "one.json"):
        before = json.loads(record.read_text())
        assert f"--source '{source}'" in before["command"]
        typed(before["command"])
        assert json.loads(record.read_text())["command"] == before["command"]


def test_a_recipe_of_the_study_can_be_trained_from_the_command_line(run, tmp_path, images):
    np.save(tmp_path / "mine.npy", images)
    code, _, _ = run(f"train --source {tmp_path}/mine.npy --name hard --recipe hard {TINY}")
    assert code == 0 and (paths.runs() / "hard" / "model.safetensors").is_file()


def test_pack_then_train_on_the_file(run, tmp_path, images):
    (tmp_path / "set").mkdir()
    for i, image in enumerate(images[:20]):
        Image.fromarray(image).save(tmp_path / "set" / f"{i}.png")
    code, out, _ = run(f"pack {tmp_path}/set -o {tmp_path}/set.npy --size 32")
    assert code == 0 and "(20, 32, 32, 3) uint8" in out
    code, out, _ = run(f"train --source {tmp_path}/set.npy --name packed {TINY}")
    assert code == 0 and (paths.runs() / "packed" / "model.safetensors").is_file()


def test_a_run_that_stopped_early_has_an_exit_code(run, tmp_path, images, monkeypatch):
    np.save(tmp_path / "mine.npy", images)
    monkeypatch.setattr("colorlib.train.fit", lambda *_: [])
    code, _, _ = run(f"train --source {tmp_path}/mine.npy --name mine {TINY}")
    assert code == 1


def test_errors_are_one_line_and_an_exit_code(run, tmp_path, images):
    for line, said in (
        ("evaluate --source nowhere", "nowhere"),
        ("evaluate --model nothing", "nothing"),
        (f"colorize {tmp_path}/nowhere.png", "nowhere.png"),
    ):
        code, _, err = run(line)
        assert code == 1 and said in err and err.startswith("colorlib: ") and err.count("\n") == 1


def test_colorize_does_not_overwrite(run, tmp_path, images):
    Image.fromarray(images[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"mine")
    code, _, err = run(f"colorize {tmp_path}/a.png --model cifar -o {tmp_path}/b.png")
    assert code == 1 and "--force" in err and (tmp_path / "b.png").read_bytes() == b"mine"
    code, _, _ = run(f"colorize {tmp_path}/a.png --model cifar -o {tmp_path}/b.png --force")
    assert code == 0 and Image.open(tmp_path / "b.png").size == (32, 32)


def test_colorize_goes_on_after_a_bad_file_and_says_so(run, tmp_path, folder, images):
    Image.fromarray(images[0]).save(folder / "b.jpg")
    (folder / "bad.png").write_bytes(b"no image")
    code, out, err = run(f"colorize {folder} --model cifar -o {tmp_path}/out")
    assert code == 1 and "bad.png: not a readable image" in err and out.count("\n") == 2
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["a.png", "b.jpg"]


def test_a_table_is_shown_even_where_it_cannot_be_kept(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COLORLIB_OUT", str(tmp_path / "file"))
    code, out, err = run("evaluate --source sample --count 4")
    assert code == 1 and "| grey |" in out and err.startswith("colorlib: ")


@pytest.mark.parametrize("name", ["../../esc", "..", "a/b"])
def test_a_result_stays_in_its_folder(run, name):
    code, _, err = run(f"evaluate --source sample --count 4 --name {name}")
    assert code == 1 and "--name: got" in err


def test_a_flat_folder_is_prepared_without_test_images(run, folder):
    code, out, _ = run(f"prepare --source {folder}")
    assert code == 0 and "Training images alone" in out
    assert data.prepared_path(folder, "train").is_file()


def test_pack_does_not_overwrite(run, tmp_path, folder):
    (tmp_path / "set.npy").write_bytes(b"mine")
    line = f"pack {folder} -o {tmp_path}/set.npy"
    code, _, err = run(line)
    assert code == 1 and "--force" in err and (tmp_path / "set.npy").read_bytes() == b"mine"
    code, _, err = run(f"{line} --force --size -5")
    assert code == 1 and "size: got -5" in err
    assert run(f"{line} --force")[0] == 0


def test_an_empty_name_is_not_the_current_folder(monkeypatch, folder, capsys):
    monkeypatch.chdir(folder)
    for words in (["colorize", ""], ["colorize", "a.png", "-o", ""], ["pack", "", "-o", "x.npy"]):
        monkeypatch.setattr(sys, "argv", ["colorlib", *words])
        with pytest.raises(SystemExit, match="2"):
            cli.main()
        assert "got an empty name, expected a file or a folder" in capsys.readouterr().err
    for name in ("prepare", "train", "evaluate"):
        monkeypatch.setattr(sys, "argv", ["colorlib", name, "--source", ""])
        assert cli.main() == 1 and "source: got an empty name" in capsys.readouterr().err
    assert [file.name for file in folder.iterdir()] == ["a.png"]


def test_what_is_left_out_is_said(folder):
    (folder / "b.heic").write_bytes(b"")
    words = [sys.executable, "-m", "colorlib", "colorize", str(folder), "--model", "cifar"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0 and f"colorlib: {folder}: left out 1 .heic" in done.stderr


def test_a_reader_that_stops_reading_is_no_error(folder):
    """As `| head -n 0`."""
    for name in "bcd":
        (folder / f"{name}.png").write_bytes((folder / "a.png").read_bytes())
    words = [sys.executable, "-u", "-m", "colorlib", "colorize", str(folder), "--model", "cifar"]
    for line in (words, [word for word in words if word != "-u"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([*line, "--force"], cwd=REPOSITORY, stdout=writing, stderr=-1)
        os.close(writing)
        assert done.returncode == 0 and b"roken" not in done.stderr
        assert len(list(folder.glob("?-coloured.png"))) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_a_stop_leaves_nothing_half_written(folder):
    code = """
import sys, time
from pathlib import Path
def slow(self, body):
    self.write_text("half a picture")
    print("writing", flush=True)
    time.sleep(60)
Path.write_bytes = slow
sys.argv = ["colorlib", "colorize", sys.argv[1], "--model", "cifar"]
from colorlib.__main__ import main
sys.exit(main())
"""
    words = [sys.executable, "-c", code, str(folder / "a.png")]
    child = subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "writing\n"
    child.terminate()
    assert child.wait(20) == 143
    assert [file.name for file in folder.iterdir()] == ["a.png"]
