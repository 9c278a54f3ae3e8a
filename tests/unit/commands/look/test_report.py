"""``seqdesign report``: one page that tells what was run, and does not hide what is wrong."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from seqdesign.metrics.edits import edit_list

Cli = Callable[..., Any]

ORACLE = """
import torch


def score(x):
    return x[:, 1].mean(1) - x[:, 0].mean(1)
"""
STARTS = ">a\nACGTACGTACGT\n>b\nGAATTCGGGGGG\n>c\nTTTTACGTACGA\n>d\nACGAAAAACGTA\n>e\nACGTACGTAAAA\n"
QUICK = ("--budget", "60", "--tries", "1", "-q")
DESIGN = (
    "maximize", "--oracle", "report_toys:score", "--start", "starts.fa", "--forbid", "EcoRI", "--max-edits",
    "4", "-o", "designs.fa", *QUICK,
)  # fmt: skip


class Elements(HTMLParser):
    """All elements with their attributes, and the text of headings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self._in_heading = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in_heading = tag in ("h2", "h3")

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.headings.append(data)
            self._in_heading = False

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "report_toys.py").write_text(ORACLE)
    (tmp_path / "starts.fa").write_text(STARTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(path: Path) -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choices("ACGT", k=8)) for _ in range(150)]
    rows = [f"s{i},{text},{text.count('A') + 0.5}" for i, text in enumerate(texts)]
    path.write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")


def warnings_of(page: str) -> list[str]:
    box = re.search(r'<aside class="sd-warnings".*?</aside>', page, re.DOTALL)
    return re.findall(r"<li>(.*?)</li>", box[0]) if box else []


def test_a_model_and_its_designs_are_one_story(here: Path, cli: Cli) -> None:
    table(here / "seqs.csv")
    sizes = {"architecture": "residual", "members": 5, "hidden": 8, "channels": 4, "batch-size": 32}
    small = [word for name, value in sizes.items() for word in (f"--{name}", str(value))]
    small += ["--epochs", "2"]
    assert cli("train-predictor", "seqs.csv", "-o", "models/p", *small, "-q").code == 0
    assert (
        cli("maximize", "-m", "models/p", "-n", "8", "--gc", "0.2-0.9", "-o", "designs.fa", *QUICK).code == 0
    )
    done = cli("report", "designs.fa", "models/p", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["runs"] == ["models/p", "designs.fa"]
    page = (here / "report.html").read_text()
    elements = Elements(page)
    said = [text.removeprefix("designs.fa: ") for text in warnings_of(page)]
    assert len(set(said)) == len(said) > 0  # what is said of the model is not repeated for its designs
    assert elements.headings == [
        "What to doubt", "Side by side", "models/p", "Held-out predictions", "What was measured where",
        "Training", "designs.fa", "Designs", "Outcomes", "Trade-offs", "Rules", "Logos",
        "How it was searched", "Methods", "Provenance",
    ]  # fmt: skip
    assert re.search("<code>seqdesign train-predictor seqs.csv [^<]*--epochs 2 [^<]*-o models/p", page)
    assert "seqdesign rerun designs.fa" in page
    assert "Designers and judges" in page
    assert "Training sequences (n = " in page
    references = [
        v for _, a in elements.found for k, v in a.items() if k in ("src", "href", "srcset", "data")
    ]
    assert all(value is not None and value.startswith("#") for value in references)
    figures = elements.all("svg")
    assert len(figures) >= 8
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in figures)
    assert {a.get("scope") for a in elements.all("th")} == {"col", "row"}
    assert len(page) < 3_000_000


def test_warnings_of_the_run_stand_on_top(here: Path, cli: Cli) -> None:
    assert cli(*DESIGN).code == 0
    assert cli("report", "designs.fa", "-o", "r.html").code == 0
    assert warnings_of((here / "r.html").read_text()) == [
        "No judges: the oracle is not an ensemble, so nothing here tells real gains from its mistakes."
    ]


def test_what_was_changed_after_the_run_is_said_and_every_rule_is_checked_again(here: Path, cli: Cli) -> None:
    assert cli(*DESIGN).code == 0
    lines = (here / "designs.fa").read_text().splitlines()
    lines[0] = lines[0].split(" edits=")[0] + " edits=2 edit_list=C2G,A5T"
    lines[1] = "GAATTCGTACGT"
    (here / "designs.fa").write_text("\n".join(lines) + "\n")
    with (here / "starts.fa").open("a") as handle:
        handle.write(">f\nACGTACGTAAAA\n")
    (here / "report_toys.py").unlink()
    assert cli("report", "designs.fa").code == 0
    page = (here / "report.html").read_text()
    said = " ".join(warnings_of(page))
    assert "designs.fa was written by the run and has changed since" in said
    assert "Its input starts.fa has changed since" in said
    assert "Its input report_toys.py is no longer there" in said
    assert "1 violation of constraints (--forbid EcoRI)" in said
    assert "1 of 5 sequences are not what their own list of edits leads to" in said
    assert "Not all of them hold" in page


def test_sequences_without_a_manifest_are_shown_as_far_as_they_tell(here: Path, cli: Cli) -> None:
    assert cli("report", "starts.fa", "--title", "Just <five>").code == 0
    page = (here / "report.html").read_text()
    assert "unknown: there is no manifest" in page
    assert "<h1>Just &lt;five&gt;</h1>" in page
    assert Elements(page).headings == ["starts.fa", "Sequences", "Logos"]
    assert warnings_of(page) == []


def test_a_folder_stands_for_all_runs_inside(here: Path, cli: Cli) -> None:
    (here / "runs").mkdir()
    for name in ("x.fa", "y.fa"):
        assert cli(*DESIGN[: -len(QUICK) - 1], f"runs/{name}", *QUICK).code == 0
    assert json.loads(cli("report", "runs", "runs/x.fa", "--json").out)["runs"] == ["runs/x.fa", "runs/y.fa"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing.fa",), 1, "nothing.fa: there is no such file or folder"),
        ((".",), 1, ".: is a folder without any run in it"),
        ((), 2, "PATH...: is missing"),
        (("starts.fa", "-o", "no/where.html"), 1, "cannot write no/where.html"),
        (("report_toys.py",), 1, "report_toys.py"),
        (("starts.fa", "--motifs", "none.meme"), 1, "none.meme"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    here: Path, cli: Cli, words: tuple[str, ...], code: int, said: str
) -> None:
    done = cli("report", *words)
    assert done.code == code
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (here / "report.html").exists()


def test_contributions_of_letters_are_drawn_and_listed(here: Path, cli: Cli) -> None:
    words = (
        "--oracle",
        "report_toys:score",
        "--parents",
        "starts.fa",
        "-o",
        "why.csv",
        "--edits",
        "edits.csv",
    )
    assert cli("attribute", "starts.fa", *words, "-q").code == 0
    done = cli("report", "why.csv", "starts.fa")
    assert done.code == 0, done.err
    page = (here / "report.html").read_text()
    headings = Elements(page).headings
    assert headings[headings.index("why.csv") :][:4] == ["why.csv", "Why they score", "Table", "Methods"]
    assert "What each letter of a adds to the prediction." in page
    assert 'data-name="why"' in page


def test_gained_motifs_are_found(here: Path, cli: Cli) -> None:
    rng = random.Random(2)
    lines = []
    for i in range(30):
        before = "".join(rng.choices("ACGT", k=30))
        after = before[:10] + "TATAAATA" + before[18:]
        edits = edit_list(before, after)
        lines.append(f">d{i} edits={len(edits)} edit_list={','.join(edits)}\n{after}\n")
    (here / "d.fa").write_text("".join(lines))
    row = {"A": "0.01 0.97 0.01 0.97 0.97 0.97 0.01 0.97", "T": "0.97 0.01 0.97 0.01 0.01 0.01 0.97 0.01"}
    columns = zip(row["A"].split(), row["T"].split(), strict=True)
    matrix = "\n".join(f"{a} 0.01 0.01 {t}" for a, t in columns)
    head = "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF box TATA\n"
    head += "letter-probability matrix: alength= 4 w= 8 nsites= 100\n"
    (here / "box.meme").write_text(f"{head}{matrix}\n")
    done = cli("report", "d.fa", "--motifs", "box.meme")
    assert done.code == 0, done.err
    page = (here / "report.html").read_text()
    assert "Gained and lost motifs" in page
    data = json.loads(re.search(r'data-name="motif-changes".*?json">(.*?)</script>', page, re.DOTALL)[1])
    values = dict(
        zip([c["key"] for c in data["columns"]], [cells[0] for cells in data["cells"]], strict=True)
    )
    assert values["motif_name"] == "TATA"
    assert values["gained"] >= 28
    designs = json.loads(re.search(r'data-name="d".*?json">(.*?)</script>', page, re.DOTALL)[1])
    places = [c["key"] for c in designs["columns"]].index("sites")
    assert all("TATA@11-18+" in sites for sites in designs["cells"][places])
    assert values["lost"] == 0


def test_the_page_runs_in_a_browser_without_a_message(
    here: Path, cli: Cli, browser: Callable[..., Any]
) -> None:
    assert cli(*DESIGN, "-n", "3").code == 0
    assert cli("report", "designs.fa").code == 0
    seen = browser(
        (here / "report.html").read_text(),
        """
        const [first] = document.querySelectorAll(".sd-data");
        const heads = [...first.querySelectorAll("thead button")];
        heads.find((b) => b.textContent === "edits").click();
        return [first.querySelector(".sd-status").textContent,
          performance.getEntriesByType("resource").length,
          document.documentElement.scrollWidth <= innerWidth];
        """,
        width=390,
    )
    assert seen.console == []
    assert seen.value[0].endswith("rows, by edits, descending")
    assert seen.value[1:] == [0, True]


@pytest.mark.slow
def test_a_report_of_ten_thousand_designs_is_small_and_soon_there(here: Path, cli: Cli) -> None:
    rng = random.Random(1)
    lines = []
    for i in range(10_000):
        before = "".join(rng.choices("ACGT", k=200))
        after = "".join(rng.choice("ACGT") if rng.random() < 0.04 else letter for letter in before)
        edits = [f"{a}{p}{b}" for p, (a, b) in enumerate(zip(before, after, strict=True), 1) if a != b]
        score = rng.gauss(0, 1)
        lines.append(
            f">d{i} score={score:.6g} score_start={score - 1:.6g} score_design={score - 0.1:.6g} "
            f"edits={len(edits)} edit_list={','.join(edits)}\n{after}\n"
        )
    (here / "designs.fa").write_text("".join(lines))
    start = time.process_time()  # other work on the machine does not count
    assert cli("report", "designs.fa").code == 0
    assert time.process_time() - start < 20
    assert (here / "report.html").stat().st_size < 3_000_000


@pytest.mark.parametrize(
    "train",
    [
        ("train-vae", "--epochs", "1", "--hidden", "8", "--latent-dim", "3", "--embedding", "4"),
        ("train-predictor", "--architecture", "ridge"),
        ("train-lm", "--epochs", "1", "--width", "16", "--layers", "1", "--heads", "2"),
        ("train-gan", "--steps", "4", "--latent-dim", "8", "--channels", "4"),
        ("train-translate", "other.fa", "--steps", "2", "--channels", "4"),
    ],
    ids=lambda words: words[0],
)
def test_a_model_of_every_family_says_what_it_learned_from(
    here: Path, cli: Cli, train: tuple[str, ...]
) -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choice("ACGT") for _ in range(12)) for _ in range(120)]
    (here / "seqs.fa").write_text(
        "".join(f">s{i} outcome={text.count('A')}\n{text}\n" for i, text in enumerate(texts))
    )
    (here / "other.fa").write_text("".join(f">t{i}\n{text[::-1]}\n" for i, text in enumerate(texts)))
    command, *options = train
    done = cli(command, "seqs.fa", *options, "-o", "model", "-q")
    assert done.code == 0, done.err
    done = cli("report", "model", "-q")
    assert done.code == 0, done.err
    said = (here / "report.html").read_text()
    assert re.search(r"learned from \d+ and judged by \d+ others", said)
    assert f"seqdesign {command}" in said
    assert '<dl class="sd-tiles">' in said
    own = (here / "model" / "report.html").read_text()
    assert '<dl class="sd-tiles">' in own
    assert 'id="methods"' in own


def test_models_of_one_data_set_are_ranked_and_others_are_not(here: Path, cli: Cli) -> None:
    table(here / "seqs.csv")
    lines = (here / "seqs.csv").read_text().splitlines()
    (here / "fewer.csv").write_text("\n".join(lines[:120]) + "\n")
    for name, source, kind in (
        ("a", "seqs.csv", "ridge"),
        ("b", "seqs.csv", "words"),
        ("c", "fewer.csv", "ridge"),
    ):
        assert cli("train-predictor", source, "--architecture", kind, "-o", f"models/{name}", "-q").code == 0
    assert cli("report", "models/a", "models/b").code == 0
    page = (here / "report.html").read_text()
    said = re.search(r'sd-verdict">The best R2 is that of ([ab]) \(([-.\d]+)\)', page)
    assert said is not None
    rows = json.loads(re.search(r'data-name="models".*?json">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    cells = dict(zip([c["key"] for c in rows["columns"]], rows["cells"], strict=True))
    assert cells["model"] == ["a", "b"]
    assert cells["choice"] == ["ridge regression", "counts of words"]
    assert f"{max(cells['value']):.3f}" == said[2]
    assert cli("report", "models").code == 0
    assert "none is called the best" in (here / "report.html").read_text()


def test_a_report_of_nothing_is_refused() -> None:
    from seqdesign.commands.look.report import ReportConfig, report
    from seqdesign.errors import UsageError

    with pytest.raises(UsageError, match="PATH...: is missing; name a model's folder or a file"):
        report(ReportConfig(paths=()))
