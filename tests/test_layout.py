"""The layout of the package: imports go one way, and the core is small."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from conftest import REPOSITORY

PACKAGE = REPOSITORY / "colorlib"
CORE = [
    "color",
    "data",
    "config",
    "batches",
    "decoding",
    "model",
    "recipes",
    "train",
    "checkpoint",
    "metrics",
]
CORE_LINES = 1600
LEVELS = (  # a module imports from its own level or from the ones above it
    "color config paths environment fast",
    "datasets decoding metrics",
    "data batches model",
    "recipes checkpoint",
    "train",
    "photos peers report",
    "widgets compare",
    "study",
    "__main__",
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names.split()}
OUTWARD: set[tuple[str, str]] = set()  # arrows that leave the core


def module_of(path):
    """The name of a file's module without "colorlib."; a package's is its folder's."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(tree):
    """The modules of colorlib that a syntax tree imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            if first == "colorlib":
                yield rest if rest in MODULES else rest.rpartition(".")[0] or "__init__"


IMPORTS = {
    module: set(imported(ast.parse(path.read_text(encoding="utf-8")))) - {module}
    for module, path in MODULES.items()
}


def part(module):
    """The package or the root module that a module belongs to."""
    return module.partition(".")[0]


def test_every_module_has_a_level():
    assert {part(module) for module in MODULES} - {"__init__"} == set(LEVEL)
    assert {target for targets in IMPORTS.values() for target in targets} <= set(MODULES)


def test_no_circle():
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"imports go round: {' <- '.join(error.args[1])}")


def test_imports_go_one_way():
    wrong = [
        f"{module} imports {target}"
        for module, targets in IMPORTS.items()
        for target in targets
        if module != "__init__" and (module, target) not in OUTWARD
        if LEVEL[part(target)] > LEVEL[part(module)]
    ]
    assert not wrong


def test_root_modules_import_root_modules_fast_and_datasets_alone():
    wrong = [
        f"{module} imports {target}"
        for module, targets in IMPORTS.items()
        for target in targets
        if "." not in module and MODULES[module].parent == PACKAGE and module != "__main__"
        if (module, target) not in OUTWARD
        if MODULES[target].parent not in (PACKAGE, PACKAGE / "fast", PACKAGE / "datasets")
    ]
    assert not wrong


def test_config_imports_nothing_of_the_package():
    assert not IMPORTS["config"]


def test_the_core_is_small():
    plumbing = {"__init__", "__main__", "paths", "environment"}
    root = {module for module, path in MODULES.items() if path.parent == PACKAGE}
    assert root == {*CORE, *plumbing}
    sizes = {name: len(MODULES[name].read_text(encoding="utf-8").splitlines()) for name in CORE}
    assert sum(sizes.values()) <= CORE_LINES, sizes


def test_the_tables_of_recipes_and_heads_name_what_is_there():
    from colorlib.decoding import HEADS
    from colorlib.recipes import RECIPES

    for place in (*RECIPES.values(), *HEADS.values()):
        module, _, title = place.removeprefix("colorlib.").partition(":")
        tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
        assert title in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


def unhinted(tree):
    """The parameters without a type hint, and the functions without a return type, in a tree."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        parameters = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        parameters += [p for p in (node.args.vararg, node.args.kwarg) if p]
        for parameter in parameters:
            if parameter.annotation is None and parameter.arg not in ("self", "cls", "_"):
                yield f"{node.name}({parameter.arg})"
        if node.returns is None and node.name != "__init__":
            yield f"{node.name} ->"


def test_every_parameter_has_a_type_hint():
    missing = {}
    for module, path in MODULES.items():
        found = list(unhinted(ast.parse(path.read_text(encoding="utf-8"))))
        if found:
            missing.setdefault(part(module), {})[module] = found
    assert not missing
