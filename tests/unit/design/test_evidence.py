"""What training has seen: counts, the rule that follows, and sequences that are measured already."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.constraints.letters import (
    SeenTogether,
    SeenWords,
    Writable,
    near_parent,
    seen_letters,
    word_codes,
)
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.design.evidence import Evidence, Known
from seqdesign.metrics.edits import carry_over
from seqdesign.metrics.novelty_model import fit_novelty
from seqdesign.sequences.alphabets import get_alphabet, learn_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.training.measured import Measured

DNA = get_alphabet("dna")
LENGTH = 5


def measured(texts: list[str], values: list[float] | None = None, held_out: tuple[int, ...] = ()) -> Measured:
    array = encode(texts, DNA)
    table = None if values is None else np.array(values)
    return Measured.of(array, table, np.array(held_out, dtype=np.int64))


def starts(*texts: str) -> Starts:
    tokens = torch.from_numpy(encode(texts, DNA).tokens.astype(np.int64))
    return Starts(DNA, tokens, torch.full((len(texts),), tokens.shape[1]), tokens.shape[1])


def every(length: int = LENGTH) -> Tensor:
    return torch.tensor(list(itertools.product(range(4), repeat=length)))


def test_letters_are_counted_in_training_rows_of_the_common_length_only() -> None:
    data = measured(["ACGTA", "ACCTA", "AAGTA", "TTTTT", "AC"], held_out=(3,))
    found = Evidence(data, DNA, positional=True)
    assert found.length == 5
    assert found.counts.tolist()[0] == [3, 0, 0, 0]
    assert found.counts.tolist()[1] == [1, 2, 0, 0]
    (support,) = found.support(["ACGTT"])
    assert support.tolist() == [3, 2, 2, 3, 0]


def test_a_design_may_hold_what_was_seen_and_what_its_start_has() -> None:
    data = measured(["ACGTA", "ACCTA", "AAGTA"])
    (make,) = Evidence(data, DNA, positional=True).constraints(5, own=True)
    assert make is not None
    rule = make(starts("ACGTA", "GCGTA"))
    good = encode(["ACCTA", "AACTA", "TCGTA"], DNA).tokens.astype(np.int64)
    tokens = torch.from_numpy(good)
    assert rule.is_feasible(tokens, torch.tensor([0, 0, 0])).tolist() == [True, True, False]
    kept = torch.from_numpy(encode(["GCCTA"], DNA).tokens.astype(np.int64))
    assert rule.is_feasible(kept, torch.tensor([1])).tolist() == [True]
    assert rule.is_feasible(kept, torch.tensor([0])).tolist() == [False]
    (violation,) = rule.explain(kept[0], 0)
    assert (violation.constraint, violation.first) == ("--letters seen", 1)
    assert "not A, which training has seen there" in violation.message


def test_from_noise_nothing_but_what_was_seen_may_stand() -> None:
    seen = torch.zeros(5, 4, dtype=torch.bool)
    seen[:, 0] = True
    rule = seen_letters(seen, starts("CCCCC"), own=False)
    assert int(rule.is_feasible(every(), torch.zeros(4**LENGTH, dtype=torch.long)).sum()) == 1


def test_there_is_no_rule_where_everything_was_seen() -> None:
    data = measured(["".join(letters) for letters in itertools.product("ACGT", repeat=2)])
    assert Evidence(data, DNA, positional=True).constraints(2, own=True) == []


def test_places_that_are_filled_together_are_parts() -> None:
    rng = np.random.default_rng(0)
    half = ["".join(rng.choice(list("ACGT"), 8)) for _ in range(500)]
    stems = [text + text[::-1].translate(str.maketrans("ACGT", "TGCA")) for text in half]
    assert parts(half) == []
    assert parts(stems) == [([i, 15 - i], 4) for i in range(8)]  # only complements stand together
    assert parts(stems[:60] * 8) == []  # four of each pair are expected, however often they were measured
    heads = ["ACGTAC", "GTCAGT", "CCATGA"]
    blocks = [heads[i % 3] + tail for i, tail in enumerate(half)]
    whole = list(range(6))
    assert parts(blocks) == [(whole, 3)]
    mutated = ["ACGTAC"[:k] + "T" + "ACGTAC"[k + 1 :] + half[k] for k in (0, 1, 2, 4, 5)]
    assert parts([*blocks, *mutated]) == [(whole, 8)]
    # Of relatives hardly two have the same letters where the clades differ.
    clades = [rng.choice(["AAAAAAAA", "CCCCCCCC"]) for _ in range(400)]
    tailed = ["".join(c if rng.random() < 0.8 else "G" for c in text) for text in clades]
    assert parts(tailed) == []


def parts(texts: list[str]) -> list[tuple[list[int], int]]:
    """Places of the parts that sequences have, and how many combinations of each."""
    found = Evidence(measured(texts), DNA, positional=True).parts
    return [(part.places.tolist(), len(part.words)) for part in found]


@pytest.mark.parametrize("own", [True, False])
def test_parts_walk_explain_and_check_alike(own: bool) -> None:
    rng = torch.Generator().manual_seed(2)
    kinds = [
        (torch.tensor(p), torch.randint(4, (w, len(p)), generator=rng))
        for p, w in (([0, 3], 5), ([1, 2, 4], 9))
    ]
    begin = starts("ACGTA", "TTTTT")
    rule = SeenTogether(kinds, begin, own=own)
    for row in (0, 1):
        good = torch.ones(4**LENGTH, dtype=torch.bool)
        for places, words in kinds:
            there = {tuple(word) for word in words.tolist()}
            there |= {tuple(begin.tokens[row][places].tolist())} if own else set()
            good &= torch.tensor([tuple(x) in there for x in every()[:, places].tolist()])
        check_alike(rule, row, good)
    assert rule.name == "--letters seen (together: 1, 4; 2-3, 5)"
    message = rule.explain(torch.tensor([3, 0, 0, 3, 3]), 0)[0].message
    assert message == "TT at 1, 4 is none of the 5 that training sequences have there together"


def check_alike(rule: SeenWords | SeenTogether, row: int, good: torch.Tensor) -> None:
    rules = Rules([rule], num_starts=2, length=LENGTH, num_letters=4)
    rows = torch.full((4**LENGTH,), row)
    assert torch.equal(rule.is_feasible(every(), rows), good)
    state, alive = rules.start(rows), torch.ones(len(rows), dtype=torch.bool)
    for t in range(LENGTH):
        letters = every()[:, t]
        alive &= rules.letters(state, rows, t).gather(1, letters[:, None])[:, 0]
        state = rules.advance(state, letters, rows, t)
    assert torch.equal(good, alive)
    some = every()[::37]
    assert [not rule.explain(x, row) for x in some] == good[::37].tolist()


@pytest.mark.parametrize("own", [True, False])
def test_words_walk_explain_and_check_alike(own: bool) -> None:
    rng = torch.Generator().manual_seed(1)
    seen = torch.rand(16, generator=rng) < 0.6
    begin = starts("ACGTA", "TTTTT")
    rule = SeenWords(seen, 2, begin, own=own)
    for row in (0, 1):
        codes, _ = word_codes(every(), 2, 4)
        allowed = seen.clone()
        if own:
            allowed[word_codes(begin.tokens[row][None], 2, 4)[0][0]] = True
        check_alike(rule, row, allowed[codes].all(1))


def test_words_are_counted_once_for_each_sequence_and_on_both_strands() -> None:
    data = measured(["AAAAAAAAAAAA" * 8, "AAAACAAAAAAA" * 8, "GGGGGGGGGGGG" * 8])
    one = Evidence(data, DNA, positional=False)
    assert one.word_size == 2
    assert one.words[0] == 2  # AA
    assert one.words[4 * 3 + 3] == 0  # TT
    both = Evidence(data, DNA, positional=False, both_strands=True)
    size, words = both.word_size, both.words
    assert words[0] == words[4**size - 1] == 2
    assert one.support(["AAC"])[0].tolist() == [2, 1, 1]


def test_words_and_the_chain_of_usual_sequences_have_half_their_letters_at_most() -> None:
    """Else the stronger 8-mers that were left out would be no words of the weaker ones."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 8)) for _ in range(3000)]
    assert Evidence(measured(texts), DNA, positional=False, both_strands=True).word_size == 4
    double = [a + b for a, b in itertools.pairwise(texts)]
    assert Evidence(measured(double), DNA, positional=False).word_size == 6
    for some, letters in ((texts, 4), (double, 6)):
        array = encode(some, DNA)
        table = fit_novelty(array.tokens, array.lengths, 4, positional=False).table
        assert table.ndim == letters


def test_known_sequences_have_the_mean_of_their_values_and_count_on_both_strands() -> None:
    data = measured(["ACGTA", "ACGTA", "CCCCC"], [1.0, 3.0, 7.0], held_out=(2,))
    values = Evidence(data, DNA, positional=True).known()
    found = Known(values, DNA, both_strands=True)
    assert found.value("ACGTA") == (2.0,)
    assert found.value("TACGT") == (2.0,)
    assert "GGGGG" in found
    assert "AAAAA" not in found
    found.add(["AAAAA"])
    assert found.value("TTTTT") == ()
    assert len(found.tokens(5, DNA)) == 6
    assert Known(values, DNA, both_strands=False).value("TACGT") is None


def test_repeats_are_unlike_rows_in_which_letters_are_mixed() -> None:
    rows = ["".join(text) for text in np.random.default_rng(0).choice(list("ACGT"), (200, 40))]
    mixed = "".join(np.random.default_rng(1).choice(list("ACGT"), 40))
    evidence = Evidence(measured(rows, held_out=tuple(range(0, 200, 5))), DNA, positional=True)
    assert evidence.unlike([mixed, "ACGT" * 10, "CT" * 20, "A" * 40]).tolist() == [False, False, True, True]


def test_a_library_of_variants_has_a_parent_and_a_reach() -> None:
    rng = np.random.default_rng(0)
    parent = "".join(rng.choice(list("ACGT"), 40))
    texts = []
    for _ in range(200):
        text = list(parent)
        for place in rng.choice(40, 2, replace=False):
            text[place] = str(rng.choice(list("ACGT")))
        texts.append("".join(text))
    found = Evidence(measured(texts), DNA, positional=True).variants
    assert found is not None
    assert ("".join(DNA.letters[i] for i in found[0]), found[1]) == (parent, 4)
    unrelated = ["".join(rng.choice(list("ACGT"), 40)) for _ in range(50)]
    assert Evidence(measured(unrelated), DNA, positional=True).variants is None
    assert Evidence(measured(texts), DNA, positional=False).variants is None

    rule = near_parent(torch.from_numpy(found[0]), found[1], starts(parent))
    far = parent.translate(str.maketrans("A", "C"))
    tokens = torch.from_numpy(encode([texts[0], far], DNA).tokens.astype(np.int64))
    assert rule.is_feasible(tokens, torch.tensor([0, 0])).tolist() == [True, False]
    assert rule.explain(tokens[1], 0)[0].constraint.startswith("--letters seen")


def test_a_word_that_nobody_knows_stays_where_it_was_and_is_never_written() -> None:
    alphabet = learn_alphabet("words:4", ["a b c a b a"])
    assert alphabet.unk in alphabet.letters
    tokens = torch.from_numpy(encode(["a x b x", "a b c a"], alphabet).tokens.astype(np.int64))
    rule = Writable(Starts(alphabet, tokens, torch.full((2,), 4), 1))
    rules = Rules([rule], num_starts=2, length=4, num_letters=4)
    all_of_four = torch.tensor(list(itertools.product(range(4), repeat=4)))
    sign = alphabet.letters.index(alphabet.unk)
    for row in (0, 1):
        rows = torch.full((len(all_of_four),), row)
        good = rule.is_feasible(all_of_four, rows)
        assert [not rule.explain(text, row) for text in all_of_four] == good.tolist()
        known = alphabet.letters.replace(alphabet.unk, "")
        for text, fine in zip(all_of_four, good.tolist(), strict=True):
            # What the start has is named again, so a sign that is left over was written.
            start = "".join(alphabet.letters[i] for i in tokens[row])
            named = start.replace(alphabet.unk, "?")
            revised = "".join(alphabet.letters[i] for i in text)
            assert fine == (set(carry_over(named, start, revised)) <= {*known, "?"})
        state, alive = rules.start(rows), torch.ones(len(rows), dtype=torch.bool)
        for t in range(4):
            alive &= rules.letters(state, rows, t).gather(1, all_of_four[:, t, None])[:, 0]
            state = rules.advance(state, all_of_four[:, t], rows, t)
        assert bool((alive | ~good).all())
        assert int((all_of_four == sign).sum(1)[alive].max()) == 2 - 2 * row
        assert 0 < int(good.sum()) < len(good)


def test_relatives_may_be_as_far_from_their_parent_as_half_of_them() -> None:
    """A third of the letters are others. Of two letters at each place, drawn evenly, half would be."""

    def as_text(row: NDArray[np.int64]) -> str:
        return "".join(DNA.letters[code] for code in row)

    rng = np.random.default_rng(0)
    parent = rng.integers(4, size=40)
    changed = (parent + rng.integers(1, 4, size=(300, 40))) % 4
    relatives = np.where(rng.random((300, 40)) < 0.33, changed, parent)
    found = Evidence(measured([as_text(row) for row in relatives]), DNA, positional=True).variants
    assert found is not None
    assert found[0].tolist() == parent.tolist()
    assert found[1] == int(np.median((relatives != parent).sum(1)))
    either = np.where(rng.random((300, 40)) < 0.45, (parent + 1) % 4, parent)
    assert Evidence(measured([as_text(row) for row in either]), DNA, positional=True).variants is None
