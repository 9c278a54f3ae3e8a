"""The house rules that no linter knows: light imports, sizes, documented options, tests that can fail."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqdesign.config import fields_of
from seqdesign_cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = sorted([*(ROOT / "seqdesign").rglob("*.py"), *(ROOT / "cli").rglob("*.py")])
ALL_CODE = sorted(
    SHIPPED + [p for d in ("tests", "examples", "benchmarks") for p in (ROOT / d).rglob("*.py")]
)
HEAVY = ("torch", "pandas", "numpy", "scipy", "Bio", "matplotlib", "lightning_fabric", "pydantic")
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_ROOM = 600, 60, 24
MAX_SHARE = 0.13
"""Of all shipped lines, in one room."""

MODULES = {"Bio": "biopython"}
"""Module -> package, where they differ."""
KINDS = {
    "revisers": "revisers/methods",
    "designers": "designers/methods",
    "models": "models",
    "objectives": "objectives/goals",
    "constraints": "constraints/builtin",
    "attribution": "attribution/methods",
    "tasks": "tasks/kinds",
}
"""Extension points and the folders of their members; tests/contracts/test_<kind>.py runs over a registry."""


def trees(paths: list[Path]) -> Iterator[tuple[Path, ast.Module]]:
    for path in paths:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "code",
    [
        "import seqdesign",
        "import seqdesign.config, seqdesign.registry, seqdesign.runs.folder, seqdesign.errors",
        "from seqdesign_cli.main import main; assert main(['--help']) == 0",
        "from seqdesign_cli.main import main; assert main(['--version']) == 0",
        *(
            f"from seqdesign_cli.main import main; assert main(['{name}', '--help']) == 0"
            for name in COMMANDS
        ),
    ],
)
def test_looking_around_imports_nothing_heavy(python: Callable[..., Any], code: str) -> None:
    done = python("-c", f"{code}\nimport sys\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)), 'END')")
    assert done.code == 0, done.err
    loaded = done.out.splitlines()[-1].split()[:-1]
    assert [name for name in loaded if name != "pydantic"] == []


def test_who_does_not_train_pays_for_no_trainer(python: Callable[..., Any]) -> None:
    slow = {"lightning_fabric", "torch._dynamo", "scipy.stats"}
    code = "import seqdesign.design.campaign, seqdesign.models.predictor.store, seqdesign.models.vae.store"
    done = python("-c", f"{code}\nimport sys\nprint(*{slow!r} & set(sys.modules), 'END')")
    assert done.out.split() == ["END"], done.out + done.err


def test_every_config_field_is_documented() -> None:
    seen = 0
    for row in COMMANDS.values():
        for spec in fields_of(getattr(importlib.import_module(row.module), row.config)):
            assert spec.help.endswith("."), (
                f"{row.config}.{spec.name} needs a docstring that ends with a full stop"
            )
            seen += 1
    assert seen > 0


def test_no_option_name_is_taken_twice_in_a_command() -> None:
    for name, row in COMMANDS.items():
        specs = fields_of(getattr(importlib.import_module(row.module), row.config))
        names = [n for s in specs for n in (s.option, *s.flags)] + ["-h", "--help"]
        assert len(names) == len(set(names)), name


def test_no_group_of_options_hides_an_option_of_another_group() -> None:
    hidden = []
    for name, row in COMMANDS.items():
        config = getattr(importlib.import_module(row.module), row.config)
        for spec in fields_of(config):
            owners = [c for c in config.__mro__[1:] if spec.name in inspect.get_annotations(c)]
            hidden += [(name, spec.option, c.__name__) for c in owners[1:] if not issubclass(owners[0], c)]
    assert hidden == []


def test_the_default_of_an_option_is_that_of_the_group_that_names_it_first() -> None:
    # A group that inherits a field brings the old default along, and may win over the group that changed it.
    wrong = []
    for name, row in COMMANDS.items():
        config = getattr(importlib.import_module(row.module), row.config)
        fields = [f for f in dataclasses.fields(config) if f.default is not dataclasses.MISSING]
        wrong += [(name, f.name) for f in fields if getattr(config, f.name) != f.default]
    assert wrong == []


def test_files_and_functions_stay_small() -> None:
    large = []
    for path, tree in trees(SHIPPED):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE_LINES:
            large.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                doc = node.body[0] if ast.get_docstring(node) else None
                length = node.end_lineno - node.lineno + 1
                length -= (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
                if length > MAX_FUNCTION_LINES:
                    large.append(f"{path.relative_to(ROOT)}: {node.name} has {length} lines")
    assert large == []


def test_rooms_stay_small_and_private_files_stay_in_their_room() -> None:
    rooms = {path.parent for path in SHIPPED}
    crowded = {
        str(room.relative_to(ROOT)): count
        for room in rooms
        if (count := len(list(room.glob("[!_]*.py")))) > MAX_ROOM
    }
    assert crowded == {}
    assert [str(path) for path in SHIPPED if re.fullmatch(r"_[a-z]\w*\.py", path.name)] == []


def test_no_room_holds_more_than_its_share_of_the_house() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SHIPPED}
    rooms: dict[str, int] = {}
    for path, count in lines.items():
        room = "/".join(path.relative_to(ROOT).parts[:2])
        rooms[room] = rooms.get(room, 0) + count
    shares = {room: count / sum(lines.values()) for room, count in rooms.items()}
    assert {room: f"{share:.1%}" for room, share in shares.items() if share > MAX_SHARE} == {}


def module_name(path: Path) -> str:
    below = path.relative_to(ROOT / "cli" if "cli" in path.parts else ROOT)
    return ".".join(below.with_suffix("").parts).removesuffix(".__init__")


def imports_of(tree: ast.Module, modules: set[str]) -> set[str]:
    """Modules of ours that a module imports anywhere, in functions and under TYPE_CHECKING too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & modules) or {node.module or ""}
    return found & modules


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Groups of more than one module that import each other, each sorted."""
    reached: dict[str, set[str]] = {}
    for start in edges:
        seen, todo = set(), [start]
        while todo:
            for target in edges[todo.pop()] - seen:
                seen.add(target)
                todo.append(target)
        reached[start] = seen
    return sorted(
        {
            tuple(sorted(other for other in reached[name] if name in reached[other]))
            for name in edges
            if any(name in reached[other] for other in reached[name] if other != name)
        }
    )  # type: ignore[return-value]


def test_no_module_imports_itself_through_others() -> None:
    names = {path: module_name(path) for path in SHIPPED}
    modules = set(names.values())
    edges = {names[path]: imports_of(tree, modules) - {names[path]} for path, tree in trees(SHIPPED)}
    assert circles(edges) == []
    assert len(edges) > 300


def test_the_search_for_circles_finds_them() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [("a", "b", "c")]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_below_the_commands_nobody_knows_the_config_of_one() -> None:
    configs = {row.config for row in COMMANDS.values()} | {"CommandConfig", "RunConfig"}
    known = []
    for path, tree in trees(SHIPPED):
        room = path.relative_to(ROOT).parts
        if room[0] == "cli" or room[:2] in (("seqdesign", "commands"), ("seqdesign", "config.py")):
            continue
        known += [
            f"{path.relative_to(ROOT)}:{node.lineno} {node.id}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id in configs
        ]
    assert known == []


# Calls that only compute: their result thrown away means that a check or an edit does nothing.
PURE = {
    "allclose", "isclose", "equal", "array_equal", "is_feasible", "replace", "strip", "upper", "lower",
    "startswith", "endswith", "split", "format", "sorted", "isfinite", "isnan", "all", "any",
}  # fmt: skip


def discarded(tree: ast.Module) -> list[int]:
    """Lines of expression statements that are comparisons or calls of pure functions."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr):
            continue
        value = node.value
        if isinstance(value, ast.Compare | ast.BoolOp):
            found.append(node.lineno)
        elif isinstance(value, ast.Call):
            call = value.func
            name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
            owner = (
                call.value.id if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) else ""
            )
            writes = any(keyword.arg in ("out", "inplace") for keyword in value.keywords)
            if name in PURE and not writes and (owner, name) != ("os", "replace"):
                found.append(node.lineno)
    return found


def test_no_check_and_no_result_is_thrown_away() -> None:
    found = [f"{path.relative_to(ROOT)}:{line}" for path, tree in trees(ALL_CODE) for line in discarded(tree)]
    assert found == []


@pytest.mark.parametrize("line", ["os.replace(a, b)", "np.equal(a, b, out=c)", "a.sort()", "print(a)"])
def test_the_search_for_thrown_away_results_spares_effects(line: str) -> None:
    assert discarded(ast.parse(line)) == []


@pytest.mark.parametrize(
    "line",
    ["torch.allclose(a, b)", "np.allclose(a, b)", "a == b", "name.replace('a', 'b')", "a and b", "all(x)"],
)
def test_the_search_for_thrown_away_results_finds_them(line: str) -> None:
    assert discarded(ast.parse(f"def f():\n    {line}")) == [2]


def test_every_test_checks_something() -> None:
    tests = [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for path, tree in trees(sorted((ROOT / "tests").rglob("test_*.py")))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert [name for name, node in tests if not checks(node)] == []
    assert len(tests) > 50


def checks(function: ast.FunctionDef) -> bool:
    """Whether a test asserts, expects an error or warning, or calls a helper named assert_* or check_*."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("raises", "warns") or re.match(r"assert|check", name):
                return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_member_has_a_contract_battery_over_its_registry(kind: str) -> None:
    members = [
        p
        for p in (ROOT / "seqdesign" / KINDS[kind]).glob("[!_]*")
        if p.suffix == ".py" or (p / "__init__.py").exists()
    ]
    battery = ROOT / "tests" / "contracts" / f"test_{kind}.py"
    assert not members or battery.exists(), (
        f"{kind} has members {[m.name for m in members]} but no {battery.name}"
    )
    assert not battery.exists() or "Registry" in battery.read_text() or "registry" in battery.read_text()


def test_every_example_is_short_and_listed() -> None:
    listed = (ROOT / "examples" / "README.md").read_text() if any((ROOT / "examples").glob("*.py")) else ""
    for path in (ROOT / "examples").glob("*.py"):
        assert re.fullmatch(r"\d\d_[a-z_]+\.py", path.name)
        assert path.name in listed, f"{path.name} is not listed in examples/README.md"
        text = path.read_text()
        assert len(text.splitlines()) <= 60, path.name
        assert "import seqdesign as sd\n" in text, path.name
        assert not re.search(
            r"^(from|import) seqdesign\S*\._|import _|seqdesign\.commands", text, re.MULTILINE
        ), path.name


def test_constraints_pin_every_dependency_and_name_no_place(root: Path) -> None:
    lines = (root / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line) for line in lines)
    pinned = {line.partition("==")[0] for line in lines}
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    assert {re.match(r"[\w-]+", requirement)[0].lower() for requirement in wanted} <= pinned
    assert "torch==2.13.0" in lines


def test_the_citation_names_the_version_and_the_licence() -> None:
    from seqdesign import __version__

    text = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {__version__}\n" in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"\nlicense: {project['license']}\n" in text


def test_every_package_that_is_imported_is_declared() -> None:
    """Also a package that another one brings along: it need not do so for ever."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(r for name in ("zst", "parquet", "onnx") for r in extras[name])]
    declared = {re.match(r"[\w-]+", requirement)[0].lower().replace("-", "_") for requirement in wanted}
    imported = {
        name.partition(".")[0]
        for _, tree in trees(SHIPPED)
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    known = {*sys.stdlib_module_names, "seqdesign", "seqdesign_cli"}
    assert {MODULES.get(name, name) for name in imported - known} <= declared


def test_the_wheel_holds_the_packages_and_the_data_and_nothing_else(
    python: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("hatchling")  # a machine that lends a GPU may have none
    done = python("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist", timeout=120, cwd=ROOT)
    assert done.code == 0, done.err
    (wheel,) = (tmp_path / "dist").glob("seqdesign-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"seqdesign", "seqdesign_cli"}
    for path in (ROOT / "data").rglob("*"):
        if path.is_file():
            assert f"seqdesign/_data/{path.relative_to(ROOT / 'data')}" in names
    code = {f"{path.relative_to(ROOT)}".removeprefix("cli/") for path in SHIPPED}
    assert code <= set(names)
    templates = {str(p.relative_to(ROOT)) for p in (ROOT / "seqdesign").rglob("*.j2")}
    assert templates <= set(names)


def test_options_that_name_a_file_to_write_are_marked_and_their_commands_leave_a_manifest() -> None:
    """Else ``rerun`` would write over what the run has written, or could not repeat it."""
    writing = r"(Also write|Write|Table|FASTA file to write|HTML page|Folder of the model\.)"
    with_data = set()
    for name, row in COMMANDS.items():
        specs = fields_of(getattr(importlib.import_module(row.module), row.config))
        paths = [spec for spec in specs if Path in spec.kinds]
        unmarked = [spec.option for spec in paths if re.match(writing, spec.help) and not spec.written]
        assert unmarked == [], name
        with_data |= {name for spec in paths if spec.written}
    for name in with_data - {"datasets", "demo", "logo", "merge", "report", "rerun"}:
        source = Path(sys.modules[COMMANDS[name].module].__file__ or "").read_text(encoding="utf-8")
        assert "leave_manifest(" in source or "run.finish(" in source, name
