"""Write facts that have their place elsewhere into README and notebooks.

The repository's address comes from pyproject.toml, results from data/results and benchmarks.
"""

import json
import math
import re
import tomllib

from colorlib.compare.systems import training_images, with_original
from colorlib.paths import REPOSITORY, replacing
from colorlib.report import store
from colorlib.report.tables import markdown_table, result_table

COLOR_METRICS = ("psnr", "raw_auc", "rebalanced_auc", "ciede2000", "colourfulness")


def address() -> str:
    """The repository's address, https://github.com/OWNER/NAME."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["urls"]["Repository"]


def with_address(text: str) -> str:
    """`text` with every Colab badge, clone line and the setup cell's address set to `address()`."""
    slug = address().removeprefix("https://github.com/")
    text = re.sub(r"(colab\.research\.google\.com/github/)[^/\s]+/[^/\s]+", rf"\g<1>{slug}", text)
    text = re.sub(r"(git clone )https://\S+", rf"\g<1>{address()}", text)
    return re.sub(r'(COLORLIB_REPOSITORY\\", \\")[^"\\]+', rf"\g<1>{address()}", text)


def badge(name: str) -> str:
    """The line that opens notebook NAME in Colab; "" while the address is the placeholder."""
    if "/OWNER/" in address():
        return ""
    slug, site = address().removeprefix("https://github.com/"), "https://colab.research.google.com"
    link = f"{site}/github/{slug}/blob/main/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({site}/assets/colab-badge.svg)]({link})"


def results_table() -> str:
    """README's results, from the committed evaluations of the shipped weights."""
    tables = []
    for given in ("value", "luma"):
        result = store.load_result(f"cifar-{given}", committed=True)
        tables += [result_table(result, COLOR_METRICS), f"`{result['command']}`"]
    return "\n\n".join(tables)


def recipes_table() -> str:
    """README's comparison at an equal budget, from the committed result."""
    result = with_original(store.load_result("equal-budget-full", committed=True))
    metrics = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness", "top1", "frechet")
    minutes = result["networks"]["distribution"]["seconds"] / 60
    return (
        f"{result_table(result, metrics)}\n\n`{result['command']}`: "
        f"{result['config']['budget']['epochs']} epochs of {training_images(result):,} images "
        f"each, {minutes:.0f} minutes for ours."
    )


def photo_table() -> str:
    """README's results on photographs, from the committed evaluation."""
    result = store.load_result("photo-luma-photos-test-1000", committed=True)
    table = result_table(result, COLOR_METRICS)
    return f"{table}\n\nTrained on {result['trained_on']}. `{result['command']}`"


def benchmarks() -> dict:
    """What `make bench` measured, as committed."""
    path = REPOSITORY / "benchmarks" / "results.json"
    return json.loads(path.read_text(encoding="utf-8"))


def speed_table() -> str:
    """The benchmarks as a Markdown table."""
    result, rows = benchmarks(), []
    path = REPOSITORY / "benchmarks" / "titles.json"
    titles = json.loads(path.read_text(encoding="utf-8"))
    for row in result["rows"]:
        number = f"{row['value']:,.0f}" if row["value"] >= 100 else f"{row['value']:.3g}"
        speedup = f"{row['speedup']:.3g} x" if "speedup" in row else ""
        rows.append([titles[row["key"]], f"{number} {row['unit']}".strip(), speedup])
    machine = result["machine"]
    where = machine["gpu"] or f"{machine['cpu']}, {machine['threads']} threads"
    table = markdown_table(["what", "measured", "ours is faster by"], rows)
    return f"{table}\n\n*{where}, torch {machine['torch']}; `make bench`.*"


def cost() -> str:
    """How long a set of ImageNet's size would take, with the assumptions."""
    rows = {row["key"]: row["value"] for row in benchmarks()["rows"]}
    images, side, epochs, devices, sustained = 1_281_167, 128, 20, 8, 10
    disk, pixels = images * side * side * 3 / 1e9, (side / 32) ** 2
    each = rows["work-shipped"] * pixels / 1e6  # TFLOP an image
    work, here = each * images * epochs, each / pixels * rows["training-shipped"]
    return (
        f"What it would cost, as an estimate: {images:,} images (ImageNet) of {side} x {side} "
        f"pixels (a file of {disk:.0f} GB), {epochs} epochs with the shipped network are "
        f"{work / 1000:,.0f} PFLOP. At the "
        f"{here * 1000:.0f} GFLOP/s measured above that is {work / here / 3600:.0f} hours; on "
        f"{devices} GPUs that sustain {sustained} TFLOP/s each on this small network (assumed, not "
        f"measured) {work / sustained / devices / 60:.0f} minutes, if disks deliver "
        f"{sustained * devices / each:,.0f} images a second."
    )


def with_part(text: str, name: str, content: str) -> str:
    """`text` with what stands between the two markers `name` replaced."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, rest = text.split(start)
    return f"{head}{start}{content}\n{end}{rest.split(end)[1]}"


def readme(text: str) -> str:
    """README with the parts that are made from results."""
    text = with_part(text, "results", results_table())
    text = with_part(text, "recipes", recipes_table())
    text = with_part(text, "photo", photo_table())
    return with_part(with_part(text, "bench", speed_table()), "cost", cost())


def notebook(text: str, name: str) -> str:
    """A notebook with its badge and the sentence on how long it takes, without views of widgets.

    Without a kernel each view would print that its model is missing.
    """
    content = json.loads(text)
    first = "".join(content["cells"][0]["source"])
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
    times = store.load_result("times", committed=True)
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
    for name, there in store.load_result("times", committed=True)["seconds"]["cifar100"].items():
        row = rf"(\| \[[^]]*\]\({name}\.ipynb\) \|.*\| )[^|]* \|$"
        text = re.sub(row, rf"\g<1>{duration(sum(there.values()))} |", text, flags=re.M)
    return text


def main() -> None:
    page, teachers = REPOSITORY / "README.md", REPOSITORY / "notebooks" / "README.md"
    for path in [page, teachers, *sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]:
        text = path.read_text(encoding="utf-8")
        if path == page:
            new = with_address(readme(text))
        elif path == teachers:
            new = times_table(text)
        else:
            new = with_address(notebook(text, path.stem))
        if new != text:
            with replacing(path) as part:
                part.write_text(new, encoding="utf-8")
            print("wrote", path.name)


if __name__ == "__main__":
    main()
