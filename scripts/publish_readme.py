"""Write what is set elsewhere into README and notebooks, so that each fact has one place.

The repository's address comes from pyproject.toml, results from data/results and benchmarks.
"""

import json
import math
import re
import tomllib

from colorlib.compare.systems import learned_images, with_original
from colorlib.paths import REPOSITORY, replacing
from colorlib.report import store
from colorlib.report.tables import table

COLOUR_METRICS = ("psnr", "raw_auc", "rebalanced_auc", "ciede2000", "colourfulness")


def address() -> str:
    """The repository's address, https://github.com/OWNER/NAME."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["urls"]["Repository"]


def with_address(text: str) -> str:
    """`text` with every Colab badge, clone line and bootstrap address set to `address()`."""
    slug = address().removeprefix("https://github.com/")
    text = re.sub(r"(colab\.research\.google\.com/github/)[^/\s]+/[^/\s]+", rf"\g<1>{slug}", text)
    text = re.sub(r"(git clone )https://\S+", rf"\g<1>{address()}", text)
    return re.sub(r'(REPOSITORY = \\?")[^"\\]+', rf"\g<1>{address()}", text)


def results_table() -> str:
    """README's results, from the committed evaluations of the shipped weights."""
    tables = []
    for given in ("value", "luma"):
        result = store.load_result(f"cifar-{given}", committed=True)
        tables += [table(result, COLOUR_METRICS), f"`{result['command']}`"]
    return "\n\n".join(tables)


def recipes_table() -> str:
    """README's controlled comparison, from the committed one."""
    result = with_original(store.load_result("controlled-full", committed=True))
    shown = ("psnr", "raw_auc", "rebalanced_auc", "colourfulness", "top1", "frechet")
    spent = result["made"]["distribution"]["seconds"] / 60
    return (
        f"{table(result, shown)}\n\n`{result['command']}`: {result['budget']['epochs']} "
        f"epochs of {learned_images(result):,} images each, {spent:.0f} minutes for ours."
    )


def photo_table() -> str:
    """README's results on photographs, from the committed evaluation."""
    result = store.load_result("photo-luma-photographs-test-1000", committed=True)
    shown = table(result, COLOUR_METRICS)
    return f"{shown}\n\nLearned from {result['learned_from']}. `{result['command']}`"


def speed_table() -> str:
    """What `make bench` measured."""
    return (REPOSITORY / "benchmarks" / "results.md").read_text(encoding="utf-8").strip()


def cost() -> str:
    """How long a set of ImageNet's size would take, with the assumptions."""
    bench = json.loads((REPOSITORY / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    rows = {row["what"]: row["value"] for row in bench["rows"]}
    images, side, epochs, devices, sustained = 1_281_167, 128, 20, 8, 10
    disk, pixels = images * side * side * 3 / 1e9, (side / 32) ** 2
    each = rows["work, the shipped network"] * pixels / 1e6  # TFLOP an image
    work, here = each * images * epochs, each / pixels * rows["training, the shipped network"]
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
    """A notebook that says how long it takes, and without views of widgets.

    (Without a kernel each view would say that it has no model.)
    """
    content = json.loads(text)
    first = content["cells"][0]["source"]
    first[:] = [taking(name) + "\n" if line.startswith("*It takes ") else line for line in first]
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def spoken(seconds: float) -> str:
    """A duration as one says it: rounded up to five seconds, or to half a minute."""
    if seconds < 90:
        return f"{5 * math.ceil(seconds / 5)} seconds"
    return f"{math.ceil(seconds / 30) / 2:g} minutes"


def taking(name: str) -> str:
    """How long a notebook takes, its longest parts, and what that would be on Colab."""
    times = store.load_result("times", committed=True)
    there, sample = (times["seconds"][source][name] for source in ("cifar100", "sample"))
    whole = sum(there.values())
    long = sorted((part for part in there.items() if part[1] > whole / 10), key=lambda p: -p[1])
    where = f"{times['machine']['cores']} cores, {times['machine']['cpu']}"
    return (
        f"*It takes {spoken(whole)} in the quick profile with CIFAR-100 at hand, "
        f"{spoken(sum(sample.values()))} with the built-in sample (measured: {where}); longest "
        f"{', '.join(f'“{title}”, {spoken(took)}' for title, took in long)}. On Colab, as an "
        f"estimate that takes its CPU for half as fast, {spoken(2 * whole)}, and first about two "
        "minutes to fetch the project, what it needs and CIFAR-100 (169 MB). A T4 shortens "
        "trainings alone.*"
    )


def times_table(text: str) -> str:
    """The teachers' table with the time of each notebook in its last column."""
    for name, there in store.load_result("times", committed=True)["seconds"]["cifar100"].items():
        row = rf"(\| \[[^]]*\]\({name}\.ipynb\) \|.*\| )[^|]* \|$"
        text = re.sub(row, rf"\g<1>{spoken(sum(there.values()))} |", text, flags=re.M)
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
