"""The command line's manners: help, exit codes, one-line errors, streams and signals."""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqdesign.commands.design.maximize import MaximizeConfig
from seqdesign.config import fields_of
from seqdesign.version import __version__
from seqdesign_cli.bind import COMMON
from seqdesign_cli.commands import COMMANDS, Command
from seqdesign_cli.complete import completer
from seqdesign_cli.guard import exit_code, flush_stdout, say

FAKE = Path(__file__).with_name("fake_command.py")
ROW = Command("fake_command", "FakeConfig", "fake", "Do as told.", "Design")
RUNNER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1));"
    "from seqdesign_cli.commands import COMMANDS, Command;"
    f"COMMANDS['fake'] = Command{tuple(ROW)!r};"
    "from seqdesign_cli.main import main; sys.exit(main())"
)


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add the command ``fake``."""
    spec = importlib.util.spec_from_file_location(ROW.module, FAKE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, ROW.module, module)
    spec.loader.exec_module(module)
    monkeypatch.setitem(COMMANDS, "fake", ROW)
    return


@pytest.fixture
def start(python_env: dict[str, str]) -> Callable[..., subprocess.Popen[bytes]]:
    """Start ``seqdesign WORDS`` as a process, with the command ``fake``."""

    def run(*words: str, **kwargs: object) -> subprocess.Popen[bytes]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": python_env, **kwargs}
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", RUNNER, str(FAKE.parent), *words], **pipes
        )

    return run


def one_line_error(err: str) -> str:
    """The message, after checking that it is the only line."""
    match = re.fullmatch(r"seqdesign: error: (.+)\n", err)
    assert match, err
    return match[1]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command_with_its_line(cli, flag: str) -> None:
    done = cli(flag)
    assert (done.code, done.err) == (0, "")
    for name, row in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(row.help)}$", done.out, re.MULTILINE)


def test_help_of_a_command_shows_every_option_its_rule_and_default_in_groups(cli) -> None:
    done = cli("fake", "-h")
    assert (done.code, done.err) == (0, "")
    text = re.sub(r"\s+", " ", done.out)
    assert "Usage: seqdesign fake [OPTIONS] SEQS Do what is asked. This is the second paragraph." in text
    order = ["Arguments:", "Fake options:", "Model options:", "Common options:"]
    assert sorted(order, key=text.index) == order
    assert "-n, --number INT How many. (1 <= x; default: 10)" in text
    assert "--rate FLOAT Step size [per record]. (0 < x <= 1; default: 0.1)" in text
    assert "--cell gru|lstm Recurrent cell. (default: gru)" in text
    assert "--keep TEXT Positions. (may be repeated)" in text
    assert "--invariance / --no-invariance Use the loss. (default: on)" in text
    assert "SEQS <str> Sequences to read. (required)" in text
    assert "--seed INT Seed of every random choice" in text
    assert "Advanced" not in text


def test_help_on_a_terminal_keeps_square_brackets(monkeypatch: pytest.MonkeyPatch, cli) -> None:
    from seqdesign_cli import app

    build = app.build
    monkeypatch.setattr(app, "build", lambda *, styled: build(styled=True))
    done = cli("fake", "-h")
    assert done.code == 0
    assert "Model options" in done.out
    assert "Step size [per record]" in re.sub(r"\s+", " ", done.out)
    short, whole = (cli("motifs", flag).out for flag in ("--help", "--help-all"))
    shown = [(name in short, name in whole) for name in ("--background", "--pseudocount")]
    assert shown == [(True, True), (False, True)]


def test_no_command_shows_help_on_stderr_and_is_a_usage_error(cli) -> None:
    done = cli()
    assert (done.code, done.out) == (2, "")
    assert "Start here:" in done.err


@pytest.mark.parametrize(("loaded", "said", "expected"), [
    (False, None, ("PASSIVE", "3000")), (False, "ACTIVE", ("ACTIVE", None)), (True, None, (None, None)),
])  # fmt: skip
def test_threads_soon_sleep_while_they_wait_unless_torch_or_the_user_was_first(
    monkeypatch: pytest.MonkeyPatch,
    cli,
    loaded: bool,
    said: str | None,
    expected: tuple[str | None, str | None],
) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", said or "")
    if said is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    if loaded:
        monkeypatch.setitem(sys.modules, "torch", sys)
    cli("--version")
    assert (os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT")) == expected


def test_version_is_one_line_and_json_names_all_versions(cli) -> None:
    done = cli("--version")
    assert (done.code, done.out, done.err) == (0, f"seqdesign {__version__}\n", "")
    found = json.loads(cli("--version", "--json").out)
    assert (found["schema_version"], found["versions"]["seqdesign"]) == (1, __version__)
    assert {"torch", "python", "numpy"} <= set(found["versions"])


def test_options_reach_the_command(cli) -> None:
    done = cli(
        "fake", "x.fa", "--alpha", "-1.5", "--keep", "5-12", "--keep", "30", "--no-invariance", "--json"
    )
    assert json.loads(done.out) == {
        "schema_version": 1, "command": "fake",
        "alpha": -1.5, "keep": ["5-12", "30"], "invariance": False, "r2": None,
    }  # fmt: skip
    assert (done.code, done.err) == (0, "")


def test_a_config_file_gives_options_and_arguments(cli, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('input = "x.fa"\nalpha = -2.0\nkeep = ["7"]\n')
    done = cli("fake", "--config", tmp_path / "run.toml", "--alpha", "3", "--json")
    assert (json.loads(done.out)["alpha"], json.loads(done.out)["keep"]) == (3.0, ["7"])


def test_text_goes_where_the_result_says(cli) -> None:
    assert (cli("fake", "x").out, cli("fake", "x").err) == ("", "alpha 0.0\n")
    assert (cli("fake", "x", "--do", "text").out, cli("fake", "x", "--do", "text").err) == ("alpha 0.0\n", "")
    assert (cli("fake", "x", "-q").out, cli("fake", "x", "-q").err) == ("", "")
    assert cli("fake", "x", "-q", "--do", "text").out == "alpha 0.0\n"


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_the_number_that_matters_is_bold_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdesign_cli.run import emphasised

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    text, key = "R2 0.5, R2 0.7\nwrote a\n", (r"^wrote (\w)", r"R2 ([\d.]+)", r"absent (x)")
    assert emphasised(text, key, Terminal()) == "R2 \x1b[1m0.5\x1b[0m, R2 0.7\nwrote \x1b[1ma\x1b[0m\n"
    assert emphasised(text, key, io.StringIO()) == text
    assert emphasised(text, key, None) == text
    monkeypatch.setenv("NO_COLOR", "1")
    assert emphasised(text, key, Terminal()) == text


def test_what_is_bold_is_one_group_of_a_pattern() -> None:
    from seqdesign.runs.result import Result

    for row in set(COMMANDS.values()) - {ROW}:
        importlib.import_module(row.module)
    keys = {found.command: found.KEY for found in Result.__subclasses__() if found.KEY}
    assert {"train-predictor", "maximize", "revise", "evaluate", "predict"} <= keys.keys()
    for patterns in keys.values():
        assert all(re.compile(pattern).groups == 1 for pattern in patterns)


@pytest.mark.parametrize("flag", [["-q"], [], ["--json"]])
def test_the_phases_of_a_command_are_shown_unless_quiet(
    cli, monkeypatch: pytest.MonkeyPatch, flag: list[str]
) -> None:
    """Every command goes through ``run``, which shows even work that has no phase of its own."""
    from seqdesign.runs import progress

    seen: list[str] = []
    monkeypatch.setattr(progress, "REDRAW", 0.001)
    monkeypatch.setattr(progress, "PLAIN", 0.0)
    monkeypatch.setattr(progress.Display, "_line", lambda self, text: seen.append(text))
    assert cli("fake", "x", "--do", "slow", *flag).code == 0
    assert bool(seen) == (flag != ["-q"])
    assert all(re.fullmatch(r"starting: \d+ s so far", line) for line in seen)


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(
    ("flag", "lines"),
    [
        ("-q", []),
        ("--no-quiet", ["progress", "warning: posterior collapsed"]),
        ("-v", ["detail", "progress", "warning: posterior collapsed", "old call"]),
    ],
)
def test_messages_are_as_loud_as_asked(cli, flag: str, lines: list[str]) -> None:
    done = cli("fake", "x", "--do", "talk", "--json", flag)
    assert done.err.splitlines() == [f"seqdesign: {line}" for line in lines]
    assert json.loads(done.out)["command"] == "fake"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fake"], "SEQS: is missing; it must be a file path"),
        (["fake", "x", "--rate", "nan"], "--rate: must be a finite number with 0 < x <= 1, got 'nan'"),
        (
            ["fake", "x", "--cell", "gruu"],
            "--cell: must be one of gru, lstm, got 'gruu'; did you mean 'gru'?",
        ),
        (
            ["fake", "x", "-n", "0", "--rate", "2"],
            "2 problems: --number: must be .* got '0'; --rate: must be .* got '2'",
        ),
        (["fake", "x", "--alhpa", "1"], "no such option: --alhpa; did you mean --alpha?"),
        (["fake", "x", "-o", "y"], "no such option: -o; fake writes no file"),
        (
            ["motifs", "x", "-oy"],
            "no such option: -o; files are named by --table, .*--report.*",
        ),
        (["evaluate", "x", "--output=y"], "no such option: --output; files are named by --table or --report"),
        (
            ["train-predictor", "x", "--objective", "min"],
            "no such option: --objective; train-gan or maximize have it, .* not",
        ),
        (["train-vae", "x", "--minimise"], "no such option: --minimise; did you mean --minimize of .*?"),
        (["maximize", "--gc-content", "x"], "no such option: --gc-content; did you mean --gc?"),
        (["fake", "x", "--zzzzzz"], "no such option: --zzzzzz; see --help"),
        (["fake", "x", "y"], "got unexpected extra argument.*y.*; see --help"),
        (["fake", "x", "--alpha"], "option '--alpha' requires an argument; see --help"),
        (["fkae"], "no such command 'fkae'. Did you mean 'fake'.*; see --help"),
        (
            ["fake", "x", "--config", "none.toml"],
            "--config: cannot read none.toml: No such file or directory",
        ),
    ],
)
def test_a_usage_error_is_one_line_and_exit_2(cli, words: list[str], said: str) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(said.replace("?", r"\?"), one_line_error(done.err))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("input-error", "a.fa:3: record 'r1': letter 'J' is not DNA"),
        ("extra", "reading .zst needs an optional package: pip install 'seqdesign[zst]'"),
        ("memory", "out of memory; use a smaller --batch-size, shorter sequences or --device cpu"),
        ("gpu-memory", "out of memory; use a smaller --batch-size, shorter sequences or --device cpu"),
        ("library-memory", "out of memory; use a smaller --batch-size, shorter sequences or --device cpu"),
        ("cpu-memory", "out of memory; use a smaller --batch-size, shorter sequences or --device cpu"),
        (
            "bug",
            (
                "this is a bug in seqdesign, please report it: ZeroDivisionError: division by zero"
                " (--debug shows where)"
            ),
        ),
        ("os-error", "/secret/file: Permission denied"),
    ],
)
def test_a_failure_is_one_line_and_exit_1(cli, what: str, said: str) -> None:
    done = cli("fake", "x", "--do", what)
    assert (done.code, done.out) == (1, "")
    assert one_line_error(done.err) == said


def test_debug_shows_the_traceback_and_the_same_line(cli) -> None:
    done = cli("fake", "x", "--do", "input-error", "--debug")
    assert done.code == 1
    assert done.err.startswith("Traceback (most recent call last):")
    assert done.err.endswith("seqdesign: error: a.fa:3: record 'r1': letter 'J' is not DNA\n")


def test_an_interrupt_is_exit_130(cli) -> None:
    done = cli("fake", "x", "--do", "interrupt", interrupted=True)
    assert (done.code, done.err) == (130, "seqdesign: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_130(start, number: int) -> None:
    with start("fake", "x", "--do", "sleep") as process:
        assert process.stderr.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == b"seqdesign: interrupted\n"


def test_a_reader_that_leaves_is_silent_141(start) -> None:
    with start("fake", "x", "--do", "stream", "-q") as process:
        assert process.stdout.readline() == b">s0\n"
        process.stdout.close()
        assert process.wait(timeout=20) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["fake", "-h"], ["fake", "x", "--do", "text"]])
def test_output_that_nobody_reads_is_silent_141(start, words: list[str]) -> None:
    with start(*words, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(timeout=20) == 141
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize(
    "words",
    [["--version"], ["fake", "x", "--do", "text"], ["fake", "x", "--json"], ["fake", "x", "--do", "stream"]],
)
def test_a_full_disk_on_stdout_is_one_line_and_exit_1(start, words: list[str]) -> None:
    with (
        open("/dev/full", "wb") as full,
        start(*words, "-q" if "fake" in words else "--json", stdout=full) as process,
    ):
        assert process.wait(timeout=20) == 1
        assert "No space left on device" in one_line_error(process.stderr.read().decode())


def test_closed_standard_streams_are_survived(python_env: dict[str, str]) -> None:
    base = [sys.executable, "-c", RUNNER, str(FAKE.parent), "fake", "x"]
    shell = 'exec "$@" <&- >&-'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *base, "--json"], stderr=subprocess.PIPE, env=python_env, check=False
    )
    assert done.returncode == 1
    assert "cannot write to stdout: it is closed" in one_line_error(done.stderr.decode())
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" 2>&-', "sh", *base, "--json"],
        capture_output=True,
        env=python_env,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["command"] == "fake"


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"COLUMNS": "20"},
        {"TERM": "dumb"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
def test_help_works_in_a_poor_environment(python, environment: dict[str, str]) -> None:
    done = python("-m", "seqdesign_cli", "inspect", "--help", **environment)
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    assert "--json" in done.out


def test_the_shell_gets_commands_and_options_completed(python_env: dict[str, str]) -> None:
    for words, wanted in (("seqdesign fa", b"fake"), ("seqdesign fake --alp", b"--alpha")):
        env = {
            **python_env,
            "_SEQDESIGN_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        done = subprocess.run(
            [sys.executable, "-c", RUNNER, str(FAKE.parent)], capture_output=True, env=env, check=False
        )
        assert wanted in done.stdout.split(b"\n")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("maximize --method ", "mean-field"),
        ("maximize --forbid BsaI", "BsaI"),
        ("train-vae --decoder ", "lstm"),
        ("train-vae dataset:rna_mp", "dataset:rna_mpsa_5ss9"),
        ("predict --model mod", "models/"),
        ("predict --model models/", "models/predictor/"),
        ("report --out", "--output"),
    ],
)
def test_the_shell_gets_values_completed(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, wanted: str
) -> None:
    (tmp_path / "models" / "predictor").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    line = f"seqdesign {words}"
    monkeypatch.setenv("_SEQDESIGN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    assert wanted in cli().out.splitlines()


def test_nothing_is_offered_for_a_number_or_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    specs = {spec.name: spec for spec in fields_of(MaximizeConfig)}
    assert completer("maximize", specs["num"])("") == []
    assert completer("maximize", specs["table"])(f"{tmp_path}/absent/") == []
    (tmp_path / ".hidden").touch()
    assert completer("maximize", specs["table"])(f"{tmp_path}/") == []
    assert completer("maximize", specs["table"])(f"{tmp_path}/.") == [f"{tmp_path}/.hidden"]


def test_commands_of_plugins_are_listed_and_run_and_broken_ones_are_named(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "more_commands-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: more-commands\nVersion: 1.0\n")
    names = ("mine = more_commands:ROW", "inspect = more_commands:ROW", "broken = more_commands:gone")
    (info / "entry_points.txt").write_text("\n".join(["[seqdesign.commands]", *names, ""]))
    (tmp_path / "more_commands.py").write_text(
        "from seqdesign_cli.commands import Command\n"
        "ROW = Command('fake_command', 'FakeConfig', 'fake', 'Brought along.', 'Look')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.warns(UserWarning, match=r"command plug-in 'broken' .* cannot be loaded"):
        listed = cli("--help").out
    assert "Brought along." in listed
    assert listed.count("  inspect ") == 1
    with pytest.warns(UserWarning, match="'broken'"):
        assert "--alpha" in cli("mine", "--help").out


def test_versions_and_the_help_of_a_bare_command(cli) -> None:
    assert cli("--version").out == f"seqdesign {__version__}\n"
    assert json.loads(cli("--version", "--json").out)["versions"]["seqdesign"] == __version__
    done = cli()
    assert done.code == 2
    assert done.err.startswith("Usage: seqdesign")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenPipeError(), 141, ""),
        (SystemExit(3), 3, ""),
        (SystemExit("bye"), 1, ""),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 1, "out of memory; use a smaller --batch-size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1, "out of memory"),
        (
            FileNotFoundError(2, "No such file or directory", "x.fa"),
            1,
            "error: x.fa: No such file or directory",
        ),
        (OSError("odd"), 1, "error: odd"),
        (ZeroDivisionError("x"), 1, "this is a bug in seqdesign, please report it: ZeroDivisionError: x"),
    ],
)
def test_every_failure_is_one_line_and_a_code(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr("seqdesign_cli.guard._detach_stdout", lambda: None)
    assert exit_code(error, debug=False) == code
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == bool(said)


class Full:
    """A stdout that cannot be written."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def flush(self) -> None:
        raise self.error


def test_a_full_disk_and_a_reader_that_went_away_are_seen_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdesign_cli.guard._detach_stdout", lambda: None)
    for stdout, report, code, said in (
        (Full(BrokenPipeError()), True, 141, ""),
        (Full(OSError(28, "No space left on device")), True, 1, "cannot write to stdout: No space left"),
        (Full(OSError(28, "No space left on device")), False, 1, ""),
        (None, True, 0, ""),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            assert flush_stdout(report=report) == code
        told = capsys.readouterr().err
        assert said in told
        assert bool(told) == bool(said)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", None)
        say("nobody hears this")


def test_the_list_of_commands_is_grouped_and_begins_with_the_first_steps(cli) -> None:
    lines = cli("--help").out.splitlines()
    places = [lines.index(f"{group}:") for group in ("Start here", "Train", "Design", "Look", "Repeat")]
    assert places == sorted(places)


def test_help_shows_what_most_people_need_and_the_rest_when_asked(cli) -> None:
    shortened = 0
    for name, row in COMMANDS.items():
        config = getattr(importlib.import_module(row.module), row.config)
        specs, first = {s.name: s for s in fields_of(config)}, config.FIRST
        if not first:
            continue
        shortened += 1
        assert set(first) <= set(specs), name
        short, whole = (cli(name, flag) for flag in ("--help", "--help-all"))
        assert (short.code, whole.code, short.err, whole.err) == (0, 0, "", "")
        advanced = whole.out.index("Advanced options:")
        assert all(whole.out.index(specs[field].option) < advanced for field in first), name
        assert "Advanced options:" not in short.out
        assert all(specs[field].option in short.out for field in first), name
        more = re.search(r"--help-all +Show this message with (\d+) more options", short.out)
        assert more, name
        assert int(more[1]) == sum(
            field not in first and spec.panel != COMMON for field, spec in specs.items()
        )
        assert len(short.out.splitlines()) <= 100, name
    assert shortened > 20


def test_an_option_without_effect_is_not_offered(cli) -> None:
    for name in ("inspect", "datasets", "logo", "report"):
        assert "--seed" not in cli(name, "--help").out
        assert "--device" not in cli(name, "--help").out


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_of_the_table_can_be_bound(cli, name: str) -> None:
    done = cli(name, "--help")
    assert done.code == 0
    assert f"Usage: seqdesign {name}" in done.out
    assert "Common options:" in done.out


def test_the_table_and_the_files_of_commands_agree(root: Path) -> None:
    modules = (root / "seqdesign" / "commands").rglob("[!_]*.py")
    files = {path.stem for path in modules if re.search(r"^class \w+Config\(", path.read_text(), re.M)}
    rows = {row.module.rpartition(".")[2] for name, row in COMMANDS.items() if name != "fake"}
    assert rows == files
    for name, row in COMMANDS.items():
        assert row.function == name.replace("-", "_")
