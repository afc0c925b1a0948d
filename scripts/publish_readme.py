"""Write results, benchmarks and the repository's address into README, docs and notebooks.

A page holds pairs of markers, <!-- name --> and <!-- /name -->. What stands between them is
written anew by the function of that name in `PARTS`.
"""

import json
import math
import re
import subprocess
import tomllib
from pathlib import Path

import mistune
from targets import benchmarks, targets_table

from colorlib import metrics
from colorlib.compare.equal_budget import recipes_table
from colorlib.paths import REPOSITORY, SHIPPED, replacing
from colorlib.report import store
from colorlib.report.tables import find_row, markdown_table, result_table

BENCHMARKS = REPOSITORY / "benchmarks"
METRICS = ("psnr", "raw_auc", "rebalanced_auc", "ciede2000", "colourfulness")
PLACEHOLDER = "https://github.com/OWNER/colorlib"
COLAB = "https://colab.research.google.com"
NOTEBOOKS = {
    "01_data_preparation": ("1 · Data", "HSV, the chroma disk, value and luma"),
    "02_training": ("2 · Training", "the network, the loss, the loop; a recipe of your own"),
    "03_evaluation": ("3 · Evaluation", "every metric beside grey; vividness; the slider browser"),
    "04_comparison": ("4 · Comparison", "published systems, five recipes, a Turing test"),
    "05_study": ("5 · Study", "ablation, seeds, calibration, near-duplicates, failures"),
}


def committed(name: str) -> dict:
    return store.load_result(name, committed=True)


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def address() -> str:
    """The repository's address as pyproject.toml has it, https://github.com/OWNER/NAME."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["urls"]["Repository"]


def github_address(remote: str) -> str | None:
    """The https address of a git remote on GitHub, or None for any other remote."""
    found = re.search(r"github\.com[:/]([\w.-]+)/([\w.-]+?)(\.git)?/?$", remote.strip())
    return found and f"https://github.com/{found[1]}/{found[2]}"


def set_address() -> None:
    """Replace the placeholder in pyproject.toml by the address of origin, if it is on GitHub."""
    words = ["git", "-C", str(REPOSITORY), "remote", "get-url", "origin"]
    remote = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    found, path = github_address(remote), REPOSITORY / "pyproject.toml"
    if found and address() == PLACEHOLDER:
        write(path, path.read_text(encoding="utf-8").replace(PLACEHOLDER, found))


def badge(name: str) -> str:
    """The badge that opens a notebook in Colab; "" while the address is the placeholder."""
    if address() == PLACEHOLDER:
        return ""
    link = f"{COLAB}/github/{address().removeprefix('https://github.com/')}/blob/main/notebooks"
    return f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({link}/{name}.ipynb)"


def reasons() -> str:
    """Three reasons for this project, each with its number."""
    result, made = committed("cifar-value"), read_json(SHIPPED / "cifar.json")
    careful, vivid = (find_row(result, "ours", vividness) for vividness in (0.0, 1.0))
    low, high = careful["difference"]["psnr"]
    true = vivid["colourfulness"] / vivid["colourfulness_ratio"]
    gain = careful["psnr"] - find_row(result, "grey")["psnr"]
    return (
        f"- **No labels:** trained from images alone, {made['minutes']:.0f} minutes on "
        f"{hardware(made['machine'])} (CIFAR-100).\n"
        f"- **Numbers with intervals:** PSNR {gain:.2f} dB above grey [{low:.2f}, {high:.2f}] on "
        f"{result['data']['count']:,} test images (value as input).\n"
        f"- **One slider:** colourfulness {careful['colourfulness']:.0f} to "
        f"{vivid['colourfulness']:.0f} from the same weights; the true colours have {true:.0f}."
    )


def hardware(machine: dict) -> str:
    """A machine in a sentence: "two CPU cores", or "one NVIDIA H200"."""
    if machine["gpu"]:
        return f"one {machine['gpu']}"
    cores = machine["cores"]
    return {1: "one CPU core", 2: "two CPU cores"}.get(cores, f"{cores} CPU cores")


def commands() -> str:
    """The two commands, and the one before them that fetches the project."""
    slug = address().rsplit("/", 1)[1]
    clone = "" if address() == PLACEHOLDER else f"git clone {address()} && cd {slug}\n"
    return (
        f"```\n{clone}make report   # runs the notebooks; open build/report/*.html\n"
        "make lab      # opens the notebooks in JupyterLab\n```"
    )


def notebooks() -> str:
    """The table of notebooks, with badges if the address is set."""
    rows = []
    for name, (title, text) in NOTEBOOKS.items():
        badges = [badge(name)] if badge(name) else []
        rows.append([f"[{title}](notebooks/{name}.ipynb)", text, *badges])
    columns = len(rows[0])
    return markdown_table(["notebook", "about", ""][:columns], rows, "l" * columns)


def results() -> str:
    """The committed evaluations of the shipped weights."""
    found = [committed(f"cifar-{given}") for given in ("value", "luma")]
    return "\n\n".join(f"{result_table(r, METRICS)}\n\n`{r['command']}`" for r in found)


def recipes() -> str:
    """The committed comparison at an equal budget."""
    metrics = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness", "top1", "frechet")
    return recipes_table(committed("equal-budget-full"), metrics)


def photographs() -> str:
    """The committed evaluation on photographs."""
    result = committed("photo-luma-photos-test-1000")
    table = result_table(result, METRICS)
    return f"{table}\n\nTrained on {result['trained_on']}. `{result['command']}`"


def device(machine: dict) -> str:
    return machine["gpu"] or f"{machine['cpu']}, {machine['threads']} threads"


def stages() -> str:
    """The stages of the weights `photo`: validation PSNR and raw AuC over the hours of training."""
    rows, before = [], 0.0
    for number, stage in enumerate(read_json(SHIPPED / "photo.json")["stages"], 1):
        history, where = stage["history"], device(stage["machine"])
        for row in history[:: max(1, len(history) // 4)] + history[-1:] * (len(history) > 4):
            hours = before + row["seconds"] / 3600
            numbers = f"{hours:.2f}", f"{row['psnr']:.2f}", f"{row['raw_auc']:.4f}"
            rows.append([f"{number}, epoch {row['epoch']}", where, *numbers])
        before += stage["hours"]
    header = ["stage", "machine", "hours", "PSNR, dB", "raw AuC"]
    return markdown_table(header, rows, "llrrr")


def mirror() -> str:
    """What averaging with the mirror image brings on validation photographs."""
    gains = read_json(SHIPPED / "photo.json")["mirror"]
    names = list(next(iter(gains.values())))
    rows = [[at, *(f"{gain[name]:+.4f}" for name in names)] for at, gain in gains.items()]
    header = ["mirrored minus plain", *(metrics.NAMES[name] for name in names)]
    return markdown_table(header, rows, "l" + "r" * len(names)).replace("-0.", "−0.")


def bench() -> str:
    """The benchmarks as a table."""
    titles, result = (read_json(BENCHMARKS / f"{name}.json") for name in ("titles", "results"))
    rows = []
    for row in result["rows"]:
        number = f"{row['value']:,.0f}" if row["value"] >= 100 else f"{row['value']:.3g}"
        speedup = f"{row['speedup']:.3g} ×" if "speedup" in row else ""
        rows.append([titles[row["key"]], f"{number} {row['unit']}".strip(), speedup])
    table = markdown_table(["what", "measured", "ours is faster by"], rows)
    machine = result["machine"]
    return f"{table}\n\n*{device(machine)}, torch {machine['torch']}; `make bench`.*"


def cost() -> str:
    """How long a set of ImageNet's size would take, with the assumptions."""
    speed, images, side, epochs, devices, sustained = benchmarks("value"), 1_281_167, 128, 20, 8, 10
    each = speed["work-shipped"] * (side / 32) ** 2 / 1e6  # TFLOP an image
    here = speed["work-shipped"] * speed["training-shipped"] / 1e6  # TFLOP/s
    work = each * images * epochs
    return (
        f"An estimate: {epochs} epochs of {images:,} images (ImageNet) of {side} × {side} pixels, "
        f"a file of {images * side * side * 3 / 1e9:.0f} GB, take the shipped network "
        f"{work / 1000:,.0f} PFLOP. At the {here * 1000:.0f} GFLOP/s of the benchmark that is "
        f"{work / here / 3600:.0f} hours. On {devices} GPUs that sustain {sustained} TFLOP/s each "
        f"on this small network (assumed, not measured) it is "
        f"{work / sustained / devices / 60:.0f} minutes, if the disks deliver "
        f"{sustained * devices / each:,.0f} images a second."
    )


def handout() -> str:
    """The comparison of the handout, as HTML."""
    metrics = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness")
    return mistune.html(result_table(committed("equal-budget-full"), metrics)).strip()


MADE = (reasons, commands, notebooks, results, recipes, photographs, bench, cost, handout, stages)
PARTS = {part.__name__: part for part in (*MADE, mirror)} | {"targets": targets_table}


def page(text: str) -> str:
    """A page with every marked part written anew."""
    marked = r"(<!-- (\w+) -->)\n.*?(<!-- /\2 -->)"
    return re.sub(marked, lambda m: f"{m[1]}\n{PARTS[m[2]]()}\n{m[3]}", text, flags=re.S)


def notebook(text: str, name: str) -> str:
    """A notebook with its badge, its times and its address, without views of widgets.

    Without a kernel each view would print that its model is missing.
    """
    text = re.sub(r'(COLORLIB_REPOSITORY\\", \\")[^"\\]+', rf"\g<1>{address()}", text)
    content = json.loads(text)
    first = "".join(content["cells"][0]["source"])
    if name in NOTEBOOKS:
        first = re.sub(r"^\*It takes .*", lambda _: time_sentence(name), first, flags=re.M)
    first = re.sub(r"\n+\[!\[Open in Colab\].*", "", first) + f"\n\n{badge(name)}"
    content["cells"][0]["source"] = first.rstrip().splitlines(keepends=True)
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def duration(seconds: float) -> str:
    """A duration in words: rounded up to five seconds, or to half a minute."""
    if seconds < 90:
        return f"{5 * math.ceil(seconds / 5)} seconds"
    return f"{math.ceil(seconds / 30) / 2:g} minutes"


def time_sentence(name: str) -> str:
    """How long a notebook takes, its long parts, and what that would be on Colab."""
    times = committed("times")
    parts, sample = (times["seconds"][source][name] for source in ("cifar100", "sample"))
    whole = sum(parts.values())
    long = sorted((part for part in parts.items() if part[1] > whole / 5), key=lambda p: -p[1])
    longest = ", ".join(f"“{title}”, {duration(seconds)}" for title, seconds in long)
    return (
        f"*It takes {duration(whole)} on {times['machine']['cores']} CPU cores with CIFAR-100 "
        f"at hand, {duration(sum(sample.values()))} with the built-in sample"
        + (f"; longest: {longest}" if long and whole > 30 else "")
        + f". On Colab {duration(2 * whole)} (estimated), plus two minutes of set-up. A GPU only "
        "speeds up the training cells.*"
    )


def times_table(text: str) -> str:
    """The teachers' table with the time of each notebook in its last column."""
    for name, parts in committed("times")["seconds"]["cifar100"].items():
        row = rf"(\| \[[^]]*\]\({name}\.ipynb\) \|.*\| )[^|]* \|$"
        text = re.sub(row, rf"\g<1>{duration(sum(parts.values()))} |", text, flags=re.M)
    return text


def written() -> dict[Path, str]:
    """path -> text, of every page and notebook as it should be."""
    docs, folder = REPOSITORY / "docs", REPOSITORY / "notebooks"
    teachers = folder / "README.md"
    pages = [REPOSITORY / "README.md", *docs.glob("*.md"), *docs.glob("*.html"), teachers]
    found = {path: page(path.read_text(encoding="utf-8")) for path in pages}
    found[teachers] = times_table(found[teachers])
    for path in sorted(folder.glob("*.ipynb")):
        found[path] = notebook(path.read_text(encoding="utf-8"), path.stem)
    return found


def write(path: Path, content: str | bytes) -> None:
    """Write a file whose content has changed."""
    body = content if isinstance(content, bytes) else content.encode()
    if not path.is_file() or path.read_bytes() != body:
        with replacing(path) as part:
            part.write_bytes(body)
        print("wrote", path)


def main() -> None:
    set_address()
    for path, text in written().items():
        write(path, text)


if __name__ == "__main__":
    main()
