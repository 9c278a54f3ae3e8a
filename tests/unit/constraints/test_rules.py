"""Repair of many designs under mixed rules, judged by plain Python and Biopython; contradictions by name."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from Bio.Seq import Seq

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.check import check_feasible
from seqdesign.constraints.distinct import distinct
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.errors import InputError, SeqDesignError, UsageError
from seqdesign.sequences.alphabets import Alphabet, get_alphabet

DNA, RNA, PROTEIN = get_alphabet("dna"), get_alphabet("rna"), get_alphabet("protein")
SITES = {"EcoRI": "GAATTC", "BsaI": "GGTCTC|GAGACC", "BstNI": "CC[AT]GG", "TATAAA": "TATAAA|TTTATA"}


def random_starts(count: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(4, (count, length), generator=torch.Generator().manual_seed(seed))


def texts(tokens: torch.Tensor, alphabet: Alphabet = DNA) -> list[str]:
    return ["".join(alphabet.letters[i] for i in row) for row in tokens.tolist()]


def tokens_of(text: str, alphabet: Alphabet = DNA) -> torch.Tensor:
    return torch.tensor([[alphabet.letters.index(c) for c in text]])


def repaired(starts: torch.Tensor, **options: Any) -> list[str]:
    """Designs of noise and the starts; all of them have to be feasible."""
    rules = build_rules(ConstraintOptions(**options), DNA, starts)
    noise = torch.randn(*starts.shape, 4, generator=torch.Generator().manual_seed(1))
    tokens, good = rules.repair(noise + 2 * torch.nn.functional.one_hot(starts, 4), torch.arange(len(starts)))
    assert bool(good.all())
    return texts(tokens)


def share(text: str) -> float:
    return (text.count("G") + text.count("C")) / len(text)


def check_mixed(text: str) -> None:
    assert not any(re.search(site, text) for site in SITES.values())
    assert not re.search("A{6}|C{6}|G{5}|T{6}", text)
    assert 0.4 <= share(text) <= 0.6
    assert all(0.3 <= share(text[i : i + 50]) <= 0.7 for i in range(len(text) - 49))


MIXED: dict[str, Any] = {
    "forbid": tuple(SITES),
    "gc": "0.4-0.6",
    "gc_window": ("50:0.3-0.7",),
    "max_homopolymer": "5,G:4",
}


def test_random_designs_are_repaired_under_mixed_rules_without_one_violation() -> None:
    starts = random_starts(60, 150)
    for text in repaired(starts, **MIXED):
        check_mixed(text)


@pytest.mark.parametrize("region", ["4-123", "123-4"])
def test_the_protein_stays_the_same_on_either_strand(region: str) -> None:
    """Translated by Biopython."""
    starts = random_starts(40, 130)
    frame = slice(3, 123)

    def protein(text: str) -> str:
        seq = Seq(text[frame])
        return str((seq if region == "4-123" else seq.reverse_complement()).translate())

    # No stop codon inside: those become TGG by one letter.
    coding = []
    for text in texts(starts):
        middle = text[frame] if region == "4-123" else str(Seq(text[frame]).reverse_complement())
        codons = re.findall("...", middle)
        middle = "".join("TGG" if str(Seq(c).translate()) == "*" else c for c in codons)
        middle = middle if region == "4-123" else str(Seq(middle).reverse_complement())
        coding.append(text[:3] + middle + text[123:])
    tokens = torch.cat([tokens_of(text) for text in coding])
    rules = {**MIXED, "max_homopolymer": "6", "gc_window": ("50:0.25-0.75",), "translate": (region,)}
    found = repaired(tokens, **rules)
    assert [protein(a) for a in found] == [protein(b) for b in coding]
    assert found != coding


def test_a_start_codon_stays_and_the_genetic_code_can_be_chosen() -> None:
    starts = tokens_of("CTGTGATGG")
    with pytest.raises(InputError, match="stop codon TGA at 4-6"):
        build_rules(ConstraintOptions(translate=("1-9",)), DNA, starts)
    rules = build_rules(ConstraintOptions(translate=("1-9",), codon_table=4), DNA, starts)
    row = torch.zeros(1, dtype=torch.long)
    assert bool(rules.is_feasible(tokens_of("CTGTGGTGA"), row))
    assert [str(v) for v in rules.explain(tokens_of("CTATGGTGG")[0], 0)] == [
        "codon CTA instead of the start codon CTG at 1-3"
    ]


def test_only_what_breaks_a_rule_is_repaired_and_little_is_changed() -> None:
    starts = random_starts(40, 150, seed=5)
    rules = build_rules(ConstraintOptions(**MIXED), DNA, starts)
    rows = torch.arange(40)
    tokens, good = rules.repair(torch.nn.functional.one_hot(starts, 4).float(), rows)
    before = rules.is_feasible(starts, rows)
    assert bool(good.all())
    assert 0 < int(before.sum()) < 40
    edits = (tokens != starts).sum(1)
    assert bool((edits[before] == 0).all())
    assert bool((edits[~before] > 0).all())
    assert float(edits.float().mean()) < 3


CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    (
        {"forbid": ("EcoRI", "BsaI"), "template": "NNNNGAATTCNNNNNNNNNN", "gc": "0.3-0.7"},
        "--forbid EcoRI and --template NNNNGAATTCNNNNNNNNNN contradict .* GAATTC at 5-10",
    ),
    ({"gc": "0.7-0.8", "gc_window": ("10:0.3-0.5",), "forbid": ("GCGC",)}, "--gc 0.7-0.8 and --gc-window"),
    ({"keep": "1-4", "gc": "0.9-1"}, "--gc 0.9-1 and --keep 1-4 contradict"),
    ({"max_homopolymer": "1", "max_edits": 1}, "--max-edits 1 and --max-homopolymer 1 contradict"),
    ({"forbid": ("S", "W")}, "--forbid S and --forbid W contradict"),
    ({"forbid": ("N", "GGG")}, "no sequence can obey --forbid N"),
]


@pytest.mark.parametrize(("options", "message"), CONTRADICTIONS)
def test_what_cannot_hold_together_is_named_and_nothing_else(options: dict[str, Any], message: str) -> None:
    starts = tokens_of("AAAATTTTCCCCGGGGACGT")
    rules = build_rules(ConstraintOptions(**options), DNA, starts)
    with pytest.raises(InputError, match=message) as raised:
        check_feasible(rules, starts, ids=["promoter"], source="in.fa")
    assert "'promoter'" in str(raised.value)
    others = {f"--{key.replace('_', '-')}" for key in options} - set(re.findall(r"--[a-z-]+", message))
    assert not any(f"{option} " in str(raised.value) for option in others - {"--template", "--gc-window"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"forbid": ("BsaJ7",)}, "did you mean 'BsaJI'"),
        ({"forbid": ("",)}, "--forbid: must be a pattern"),
        ({"gc": "40-60"}, "--gc: must be two fractions"),
        ({"gc": "0.51-0.52"}, "no number of G and C out of 20 letters"),
        ({"gc_window": ("30:0.3-0.5",)}, "does not fit"),
        ({"gc_window": ("0.3-0.5",)}, "must be letters:low-high"),
        ({"keep": "30"}, "has 20 letters, but --keep names position 30"),
        ({"keep": "x"}, "--keep: must be positions"),
        ({"max_homopolymer": "Z:3"}, "'Z' is not in the alphabet"),
        ({"max_homopolymer": "many"}, "--max-homopolymer: must be a number"),
        ({"template": "NN"}, "one character for each of the 20 letters"),
        ({"template": "Z" * 20}, "'Z' at position 1"),
        ({"translate": ("1-10",)}, "multiple of 3"),
        ({"translate": ("1-300",)}, "names position 300"),
        ({"translate": ("1-18",), "codon_table": 7}, "--codon-table: must be one of"),
        ({"codon_table": 2}, "--codon-table: has no effect"),
    ],
)
def test_an_option_that_cannot_be_read_or_cannot_work_is_an_error(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SeqDesignError, match=message):
        build_rules(ConstraintOptions(**options), DNA, tokens_of("ACGTACCTACGTACCTACGT"))


def test_for_proteins_patterns_have_one_strand_and_gc_and_frames_are_refused() -> None:
    start = tokens_of("MKTAYIAKQR", PROTEIN)
    rules = build_rules(
        ConstraintOptions(forbid=("AYB",), max_homopolymer="2", keep="1", max_edits=3), PROTEIN, start
    )
    row = torch.zeros(1, dtype=torch.long)
    for text, good in (("MKTAYIAKQR", 1), ("MKTAYNAKQR", 0), ("MDYAKIAKQR", 1), ("MKTAYAAAKR", 0)):
        assert bool(rules.is_feasible(tokens_of(text, PROTEIN), row)) == good
    for options in ({"gc": "0.4-0.6"}, {"translate": ("1-9",)}, {"gc_window": ("5:0.4-0.6",)}):
        with pytest.raises(UsageError, match="DNA and RNA only, and the alphabet is protein"):
            build_rules(ConstraintOptions(**options), PROTEIN, start)


def test_enzymes_are_known_in_any_case_and_for_rna() -> None:
    row = torch.zeros(1, dtype=torch.long)
    for alphabet, names in ((DNA, ("BsaI", "bsai", "BSAI", "ggtctc")), (RNA, ("BsaI", "GGUCUC"))):
        for name in names:
            rules = build_rules(ConstraintOptions(forbid=(name,)), alphabet, tokens_of("A" * 8, alphabet))
            for site, good in (("AGGTCTCA", 0), ("AGAGACCA", 0), ("AGGTCTAA", 1)):
                text = site.replace("T", "U") if alphabet is RNA else site
                assert bool(rules.is_feasible(tokens_of(text, alphabet), row)) == good


def test_a_pattern_longer_than_a_machine_word_is_found() -> None:
    start = random_starts(1, 200, seed=3)
    text = texts(start)[0]
    row = torch.zeros(1, dtype=torch.long)
    rules = build_rules(ConstraintOptions(forbid=(text[20:150],)), DNA, start)
    assert not bool(rules.is_feasible(start, row))
    assert [(v.first, v.last) for v in rules.explain(start[0], 0)] == [(21, 150)]
    tokens, good = rules.repair(torch.nn.functional.one_hot(start, 4).float(), row)
    assert bool(good)
    assert int((tokens != start).sum()) == 1


def test_distinct_designs_are_those_of_the_greedy_definition() -> None:
    """Against all pairs, for one length, for several and for both strands."""
    from rapidfuzz.distance import Hamming, Levenshtein

    base = texts(random_starts(1, 30))[0]
    generator = torch.Generator().manual_seed(4)
    found = []
    for i in range(700):
        letters = list(base if i % 3 else DNA.reverse_complement(base))
        for place in torch.randint(30, (4,), generator=generator).tolist():
            letters[place] = "ACGT"[int(torch.randint(4, (1,), generator=generator))]
        found.append("".join(letters[: 28 + i % 3]))
    order = torch.randperm(700, generator=generator).tolist()

    def distance(a: str, b: str) -> int:
        return (Hamming if len(a) == len(b) else Levenshtein).distance(a, b)

    for alphabet in (None, DNA):
        taken: list[int] = []
        for i in order:
            forms = [found[i]] + ([DNA.reverse_complement(found[i])] if alphabet else [])
            if all(distance(form, found[j]) >= 4 for form in forms for j in taken):
                taken.append(i)
        assert 1 < len(taken) < 700
        assert distinct(found, order, 4, alphabet=alphabet) == taken
        assert distinct(found, order, 4, alphabet=alphabet, limit=5) == taken[:5]
