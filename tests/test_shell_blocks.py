"""Every shell block of README and docs runs as it stands, page by page, in a folder such as a reader has.

Lines run through the command line in this process. Budgets are small by the documented means: each line gets
``--config`` with the values below, over which the line's own options win. A page starts with small input
files and with the models that it uses but does not train itself; its blocks follow each other in one folder.
"""

from __future__ import annotations

import functools
import gzip
import io
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

from seqdesign.commands.start import demo
from seqdesign.sequences.lab.genbank import edited, write_genbank
from seqdesign.training import config

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = ("make demo", "make test", "pip install -c constraints.txt .")
"""They install, or run this very suite."""
PROGRAMS = (
    "seqdesign",
    "make",
    "pip",
    "python",
    "bash",
    "cd",
    "cat",
    "head",
    "grep",
    "ls",
    "git",
    "torchrun",
)
"""A block that begins with one of these is a shell block; any other shows what is printed or in a file."""
TOOLS = ("head", "grep", "cat", "ls")
SMALL: dict[str, dict[str, Any]] = {
    "train-vae": {"epochs": 1},
    "train-predictor": {"epochs": 2, "members": 2},
    "train-gan": {"steps": 4},
    "train-lm": {"epochs": 1},
    "train-translate": {"steps": 4},
    "train-similarity": {"epochs": 1, "hidden": 8},
    "sample": {"num": 4},
    "maximize": {"budget": 20, "tries": 1},
    "demo": {"epochs": 1, "inputs": 20},
    "library": {"searches": 1},
    "motifs": {"motifs": "few.meme"},
    "evaluate": {"resamples": 20, "max_nearest": 100, "max_sequences": 100},
}
MODELS = {
    "train-vae": "seqs.fa",
    "train-predictor": "seqs.csv",
    "train-gan": "seqs.fa",
    "train-lm": "seqs.fa",
    "train-similarity": "seqs.fa",
}
"""What trains models/vae, models/predictor, models/gan and models/lm, and on what."""
BEFORE = {
    "docs/inspect.md": ["seqdesign train-predictor seqs.csv"],
    "docs/report.md": ["seqdesign train-predictor seqs.csv", "seqdesign maximize -n 4 -o designs.fa"],
    "docs/order.md": ["seqdesign train-predictor seqs.csv", "seqdesign maximize -n 4 -o designs.fa"],
    "docs/check.md": [
        "seqdesign back-translate proteins.fa --codons ecoli --synthesis twist --forbid BsaI -o genes.fa"
    ],
    "docs/rerun.md": ["seqdesign train-predictor seqs.csv", "seqdesign maximize -n 4 -o designs.fa"],
}
"""What has been run in the folder that a page speaks of."""
LENGTH = 20

pytestmark = pytest.mark.xdist_group("shell blocks")


def blocks(page: Path) -> list[str]:
    """The shell blocks of a page."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [body for language, body in fenced if language in SHELLS and (language or is_shell(body))]


SHELLS = ("", "sh", "bash", "shell", "console")


def is_shell(body: str) -> bool:
    return body.split(maxsplit=1)[:1] != [] and body.split(maxsplit=1)[0] in PROGRAMS


def lines(block: str) -> list[str]:
    """The commands of a block, without comments."""
    joined = block.replace("\\\n", " ")
    return [line for raw in joined.splitlines() if (line := re.sub(r"(^|\s)#.*", "", raw).strip())]


WITH_BLOCKS = [page for page in PAGES if blocks(page)]


def sequences(num: int, seed: int) -> list[str]:
    """DNA in which every third letter is mostly an A."""
    rng = np.random.default_rng(seed)
    letters = rng.integers(0, 4, (num, LENGTH))
    letters[:, ::3] *= rng.random((num, (LENGTH + 2) // 3)) < 0.4
    return ["".join("ACGT"[i] for i in row) for row in letters]


def fasta(path: Path, texts: list[str], measured: bool = False) -> None:
    header = [f" outcome={text.count('A') / 4}" if measured else "" for text in texts]
    path.write_text("".join(f">s{i}{h}\n{t}\n" for i, (h, t) in enumerate(zip(header, texts, strict=True))))


def write_inputs(folder: Path) -> None:
    """The files that pages speak of."""
    texts = sequences(120, 0)
    fasta(folder / "seqs.fa", texts, measured=True)
    (folder / "seqs.fa.gz").write_bytes(gzip.compress((folder / "seqs.fa").read_bytes()))
    rows = [f"s{i},{text},{text.count('A') / 4}" for i, text in enumerate(texts)]
    for name in ("seqs", "measured"):
        (folder / f"{name}.csv").write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    for first, name in enumerate(("round1", "round2")):
        half = [row for i, row in enumerate(rows) if i % 2 == first]
        (folder / f"{name}.csv").write_text("\n".join(["id,sequence,outcome", *half]) + "\n")
    (folder / "library.csv").write_text("\n".join(["sequence", *sequences(200, 9)]) + "\n")
    (folder / "table.csv").write_text("\n".join(["id,sequence,expression", *rows]) + "\n")
    fasta(folder / "input.fa", ["ACGTCAGTTGCAACTGATCA"])
    fasta(folder / "weak.fa", ["GGAGUGAUG", "UCUGUAUGA", "ACGGCACGU"])
    names = ("samples", "designs", "train", "heldout", "peaks", "controls", "sites", "natural")
    for seed, name in enumerate(names, start=1):
        fasta(folder / f"{name}.fa", sequences(30, seed))
    fasta(folder / "originals.fa", sequences(30, names.index("designs") + 2))
    for name, text in (("original", "ACGTAC"), ("revised", "ACCTAC")):
        cells = ["\n" + ",".join("1" if v == letter else "0" for v in "ACGT") for letter in text]
        (folder / f"{name}.csv").write_text("A,C,G,T" + "".join(cells) + "\n")
    cells = [
        "\n" + ",".join(f"{v:.3f}" for v in row) for row in np.random.default_rng(3).normal(size=(95, 4))
    ]
    (folder / "attributions.csv").write_text("A,C,G,T" + "".join(cells) + "\n")
    shutil.copytree(ROOT / "examples" / "lab", folder / "examples" / "lab", dirs_exist_ok=True)
    (folder / "examples" / "lab" / "promoters.xlsx").write_bytes(few_promoters())
    lac = "AATTAATGTGAGTTAGCTCACTCATTAGGCACCCCAGGCTTTACACTTTATGCTTCCGGCTCGTATGTTGTGTGG"
    (folder / "lac.fa").write_text(f">lac\n{lac}\n")
    write_bench(folder, texts)
    write_named(folder)
    columns = "".join("0.85 0.05 0.05 0.05\n" for _ in range(6))
    (folder / "few.meme").write_text(
        "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF M1 polyA\n"
        f"letter-probability matrix: alength= 4 w= 6 nsites= 20\n{columns}"
    )


@functools.cache
def few_promoters() -> bytes:
    """The workbook of the tutorial with two of its twelve plates."""
    book = openpyxl.load_workbook(ROOT / "examples" / "lab" / "promoters.xlsx")
    sheet = book.worksheets[1]
    sheet.delete_rows(4 + 2 * 96 + 1, sheet.max_row)
    handle = io.BytesIO()
    book.save(handle)
    return handle.getvalue()


def write_bench(folder: Path, texts: list[str]) -> None:
    """A workbook of replicates, tables of mutations and a GenBank file."""
    book = openpyxl.Workbook()
    book.active.append(["see Data"])
    sheet = book.create_sheet("Data")
    for row in (["Plate 3"], [], ["Clone ", "Promoter sequence", "rep 1", "rep 2"]):
        sheet.append(row)
    for i, text in enumerate(texts):
        value = text.count("A") / 4
        sheet.append([f"c{i} ", f"{text} ", value, f"{value + 0.1 * (i % 3):.2f}".replace(".", ",")])
    book.save(folder / "promoters.xlsx")
    wild = "MKTAYIAKQRQISFVKSHFS"
    fasta(folder / "wt.fa", [wild])
    letters = "ACDEFGHIKLMNPQRSTVWY"
    cells = [
        f"{wild[i % 20]}{i % 20 + 2}{letter}"
        for i in range(160)
        if (letter := letters[i // 8]) != wild[i % 20]
    ]
    rows = [f"{cell},{i % 7}" for i, cell in enumerate(dict.fromkeys(cells))]
    (folder / "variants.csv").write_text("\n".join(["mutant,fitness", "WT,3", *rows]) + "\n")
    (folder / "new_variants.csv").write_text("mutant\nK3A:T4S\n")
    text = texts[0]
    rows = [f"{text[: i % 20]}{'ACGT'[i % 4] * (i % 3)}{text[i % 20 + i % 2 :]},{i % 7}" for i in range(120)]
    (folder / "indels.csv").write_text("\n".join(["sequence,outcome", *dict.fromkeys(rows)]) + "\n")
    fasta(folder / "parent.fa", [texts[0]])
    with (folder / "plasmid.gb").open("wb") as handle:
        write_genbank([edited("plasmid", texts[0], "dna", "made for a test")], handle)


def write_named(folder: Path) -> None:
    """Proteins, and tables whose letters have names: peptides, molecules and sentences."""
    rng = np.random.default_rng(5)
    fasta(folder / "proteins.fa", ["M" + "".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), 60)) for _ in "ab"])

    def table(name: str, head: str, letters: list[str], between: str, last: str) -> None:
        rows = [between.join([*rng.choice(letters, 6), last]) for _ in range(120)]
        (folder / name).write_text("\n".join([head, *(f"{row},{len(row) / 4}" for row in rows)]) + "\n")

    table("peptides.csv", "sequence,outcome", ["A", "K", "L", "[Aib]", "[Orn]"], "", "G")
    table("molecules.csv", "smiles,logp", ["C", "Cl", "N", "O"], "", "C")
    table("reviews.csv", "sentence,outcome", ["good", "bad", "very", "film", "plot"], " ", "end")


class Shell:
    """Runs the lines of a page in one folder."""

    def __init__(self, folder: Path, cli: Callable[..., Any]) -> None:
        self.folder, self.cli, self.num_run = folder, cli, 0

    def run(self, line: str) -> None:
        """Run ``seqdesign ...`` with small budgets; ``> FILE`` catches stdout. Other tools run in a shell."""
        self.num_run += 1
        words = shlex.split(line)
        program, words = words[0], words[1:]
        if program in TOOLS:
            found = subprocess.run(["bash", "-c", line], cwd=self.folder, capture_output=True, check=False)
            assert found.returncode <= (program == "grep"), line  # 1 of grep: no line fits
            return
        assert program == "seqdesign", f"this test cannot run '{line}'; list it in NOT_RUN if it need not"
        target = None
        if ">" in words:
            at = words.index(">")
            target, words = words[at + 1], words[:at]
        values = SMALL.get(words[0], {})
        own = {word.lstrip("-").replace("-", "_") for word in words if word.startswith("--")}
        config = self.folder / f"small-{words[0]}.toml"
        config.write_text("".join(f"{k} = {v!r}\n" for k, v in values.items() if k not in own))
        done = self.cli(*words, "--config", config, "--quiet")
        assert done.code == 0, f"{line}\n{done.err}"
        if target is not None:
            assert done.out, f"{line} wrote nothing"
            (self.folder / target).write_text(done.out)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which models are made when a page first asks for them."""
    folder = tmp_path_factory.mktemp("models")
    write_inputs(folder)
    return folder


def test_the_pages_have_shell_blocks_and_what_is_not_run_is_in_one() -> None:
    written = [line for page in WITH_BLOCKS for block in blocks(page) for line in lines(block)]
    assert len(WITH_BLOCKS) > 15
    assert len([line for line in written if line.startswith("seqdesign ")]) > 30
    assert [line for line in NOT_RUN if line not in written] == []


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_shell_blocks_of_a_page_run(
    page: Path, trained: Path, tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [*BEFORE.get(page.relative_to(ROOT).as_posix(), [])]
    commands += [line for block in blocks(page) for line in lines(block) if line not in NOT_RUN]
    write_inputs(tmp_path)
    names = {line.split()[1] for line in commands if line.startswith("seqdesign ")}
    fresh = {line.split()[1] for line in commands if "--resume" not in line and " -o " not in line}
    for command, source in MODELS.items():
        kind = command.removeprefix("train-")
        if command in fresh or not needs(kind, names):
            continue
        if not (trained / "models" / kind).exists():
            monkeypatch.chdir(trained)
            Shell(trained, cli).run(f"seqdesign {command} {source}")
        shutil.copytree(trained / "models" / kind, tmp_path / "models" / kind)
    monkeypatch.chdir(tmp_path)
    thin_out(monkeypatch)
    shell = Shell(tmp_path, cli)
    for line in commands:
        shell.run(line)
    assert shell.num_run == len(commands) > 0


def thin_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo learns from a tenth of its sequences, in few passes; no user should want to say so."""
    whole = demo._choose

    def few(outcomes: Any, options: demo.DemoConfig) -> tuple[Any, Any]:
        train, chosen = whole(outcomes, options)
        return train[::10], chosen

    monkeypatch.setattr(demo, "_choose", few)
    monkeypatch.setattr(config, "TARGET_STEPS", 1)


def needs(kind: str, commands: set[str]) -> bool:
    """Whether some of the commands read the model of this kind from its usual folder."""
    users = {
        "vae": {"revise", "sample-vae", "train-vae"},
        "predictor": {"predict", "maximize", "attribute", "report", "rerun", "sample", "train-predictor"},
        "gan": {"sample-gan", "train-gan", "interpolate"},
        "lm": {"sample", "train-lm"},
        "similarity": {"train-similarity"},
    }
    return bool(users[kind] & commands)
