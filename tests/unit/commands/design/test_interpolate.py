"""``seqdesign interpolate`` as typed: paths, grids, sums and complements of a GAN and of a VAE."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.store import GANRecord, save_gan
from seqdesign.models.vae.config import VAEOptions, language_options
from seqdesign.models.vae.store import VAERecord
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.fasta import header_fields, read_fasta
from seqdesign.training.store import save_model

Cli = Callable[..., Any]
DNA = get_alphabet("dna")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Untrained models in models/gan, vae and conditional, for 8 to 10 letters, and four sequences."""
    plain = GANOptions(latent_dim=6, channels=8, mapping=8, objective="wgan-gp")
    labelled = GANOptions(latent_dim=6, channels=8, mapping=8, objective="wgan-gp", condition="label")
    sizes = VAEOptions(latent_dim=5, hidden=8, encoder="gru", dropout=0.0, word_dropout=0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        for name, save, record in (
            ("models/gan", save_gan, GANRecord(plain, DNA, 10, 10, None)),
            ("ragged", save_gan, GANRecord(plain, DNA, 10, 8, None)),
            ("conditional", save_gan, GANRecord(labelled, DNA, 10, 10, "y", (0.0, 1.0), (0.5, 0.5))),
            ("vae", save_model, VAERecord(sizes, language_options(sizes), DNA, 10, 8, None, 0.0, 1.0)),
        ):
            (tmp_path / name).mkdir(parents=True)
            model = record.build()
            if name == "ragged":  # sure of its letters, as trained ones are
                model.generator.letters.weight.data.mul_(10.0)
            save(tmp_path / name, model, record)
    (tmp_path / "four.fa").write_text(">a\nACGTACGTAC\n>b\nCCCCGGGGTT\n>c\nTTTTTAAAAA\n>d\nGATTACAGAT\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def records(path: Path) -> list[tuple[str, str, dict[str, str]]]:
    return [(r.id, r.sequence, header_fields(r.description)) for r in read_fasta(path)]


def test_the_line_of_the_manual_writes_a_path_between_drawn_codes(here: Path, cli: Cli) -> None:
    done = cli("interpolate", "--steps", "9")
    assert done.code == 0, done.err
    assert done.out.count(">") == 9
    assert cli("interpolate", "-o", "out.fa").code == 0
    found = records(here / "out.fa")
    assert [name for name, _, _ in found] == [f"step{i}" for i in range(1, 10)]
    assert [float(fields["t"]) for _, _, fields in found] == [i / 8 for i in range(9)]
    assert all(len(text) == 10 for _, text, _ in found)
    assert (here / "out.fa").read_text() == done.out
    assert cli("interpolate", "--seed", "1").out != done.out


def test_line_and_sphere_share_their_ends_and_grids_have_paths_as_sides(here: Path, cli: Cli) -> None:
    texts = {}
    for name, words in (
        ("sphere", ()),
        ("line", ("--curve", "line")),
        ("grid", ("--grid",)),
    ):
        assert cli("interpolate", "--steps", "5", "-o", "out.fa", *words).code == 0
        texts[name] = [text for _, text, _ in records(here / "out.fa")]
    assert texts["sphere"][0] == texts["line"][0]
    assert texts["sphere"][-1] == texts["line"][-1]
    assert len(texts["grid"]) == 25
    # The first four drawn numbers of the seed are the corners, the first two of them the ends of the path.
    assert texts["grid"][:5] == texts["sphere"]


def test_every_step_says_how_many_edits_it_is_from_the_last(here: Path, cli: Cli) -> None:
    from seqdesign.metrics.edits import levenshtein

    assert cli("interpolate", "-n", "2", "--steps", "4", "-o", "out.fa").code == 0
    found = records(here / "out.fa")
    assert [name for name, _, _ in found] == [f"path{p}_step{s}" for p in (1, 2) for s in (1, 2, 3, 4)]
    for (_, before, _), (_, text, fields) in itertools.pairwise(found):
        assert fields.get("edits", "0") == ("0" if fields["t"] == "0" else str(levenshtein(before, text)))


def test_a_complement_is_its_own(here: Path, cli: Cli) -> None:
    """G(z) and G(-z) are two ends of a line through the middle; the first is where a path begins."""
    assert cli("interpolate", "--complement", "-n", "3", "-o", "pairs.fa").code == 0
    found = records(here / "pairs.fa")
    assert [fields["code"] for _, _, fields in found] == ["z", "-z"] * 3
    assert cli("interpolate", "-o", "path.fa").code == 0
    assert found[0][1] == records(here / "path.fa")[0][1]


def test_paths_between_sequences_of_a_vae_go_from_code_to_code(here: Path, cli: Cli) -> None:
    done = cli("interpolate", "four.fa", "-m", "vae", "--steps", "3", "-o", "out.fa")
    assert done.code == 0, done.err
    assert "sequences back from their codes" in done.err
    found = records(here / "out.fa")
    assert [fields["of"] for _, _, fields in found] == ["a,b"] * 3 + ["c,d"] * 3


def test_latent_arithmetic_gives_c_where_a_is_b(here: Path, cli: Cli) -> None:
    (here / "three.fa").write_text(">a\nACGTACGTAC\n>b\nACGTACGTAC\n>c\nTTTTTAAAAA\n")
    assert cli("interpolate", "three.fa", "-m", "vae", "--arithmetic", "-o", "out.fa", "-q").code == 0
    found = records(here / "out.fa")
    assert [fields["code"] for _, _, fields in found] == ["a", "b", "c", "a-b+c"]
    assert found[3][1] == found[2][1]


def test_sequences_are_found_in_a_generator_that_can_write_them(here: Path, cli: Cli) -> None:
    """What it drew itself it gives back; lengths may differ."""
    assert cli("interpolate", "-m", "ragged", "--steps", "2", "-o", "drawn.fa").code == 0
    done = cli("interpolate", "drawn.fa", "-m", "ragged", "--steps", "2", "-o", "again.fa")
    assert done.code == 0, done.err
    given, made = records(here / "drawn.fa"), records(here / "again.fa")
    pairs = [(x, y) for (_, x, _), (_, y, _) in zip(given, made, strict=True)]
    same = [a == b for x, y in pairs for a, b in zip(x, y, strict=False)]
    assert sum(same) / len(same) > 0.8


def test_a_conditional_generator_needs_its_outcome(here: Path, cli: Cli) -> None:
    done = cli("interpolate", "-m", "conditional")
    assert (done.code, "--condition: is needed" in done.err) == (2, True)
    zero = cli("interpolate", "-m", "conditional", "--condition", "0")
    one = cli("interpolate", "-m", "conditional", "--condition", "1")
    assert zero.code == one.code == 0
    assert zero.out != one.out


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("--grid", "--complement"), 2, "--complement: cannot be combined with --grid"),
        (("--arithmetic",), 2, "--arithmetic: needs SEQS"),
        (("--complement", "--steps", "4"), 2, "--steps: has no effect with --complement"),
        (("--complement", "--curve", "line"), 2, "--curve: has no effect with --complement"),
        (("four.fa", "-n", "2"), 2, "--num: has no effect with SEQS"),
        (("four.fa", "-m", "vae", "--arithmetic"), 1, "four.fa: a sum needs 3 sequences"),
        (("-m", "vae", "--condition", "1"), 2, "--condition: has no effect on a VAE"),
        (("-m", "nowhere"), 1, "nowhere"),
        (("--steps", "1"), 2, "--steps"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    here: Path, cli: Cli, words: tuple[str, ...], code: int, what: str
) -> None:
    done = cli("interpolate", *words)
    assert (done.code, done.out) == (code, "")
    assert what in done.err


def test_a_sequence_that_is_too_long_is_named(here: Path, cli: Cli) -> None:
    (here / "long.fa").write_text(">a\nACGTACGTAC\n>b\nACGTACGTACGT\n")
    done = cli("interpolate", "long.fa")
    assert done.code == 1
    assert "long.fa" in done.err
    assert "b" in done.err
    (here / "short.fa").write_text(">a\nACGTACGTAC\n>b\nACGTAC\n")
    done = cli("interpolate", "short.fa")
    assert done.code == 1
    assert "short.fa" in done.err
    assert "was trained on sequences of 10 letters only, got 6" in done.err
