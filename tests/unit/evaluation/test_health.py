"""The verdict on generators whose faults are known, on data with structure that words do not show."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from seqdesign.evaluation.health import GeneratorHealth, beside, check, verdict_line, words
from seqdesign.evaluation.measures import LARGEST_Z
from seqdesign.evaluation.measures import judged as judge
from seqdesign.evaluation.sets import Sets
from seqdesign.evaluation.simple import markov_chain, position_matrix, simple_samples
from seqdesign.evaluation.structure import detectable
from seqdesign.metrics.dependence import codes_of
from seqdesign.metrics.kmers import kmer_matrix
from seqdesign.metrics.resampling import Statistic, compare
from seqdesign.metrics.spectra import jensen_shannon
from seqdesign.sequences.alphabets import get_alphabet

DNA, PROTEIN = get_alphabet("dna"), get_alphabet("protein")
OLD_GAN = Path(__file__).parent / "gan_of_2026_on_trna_like.fa.gz"
STEMS = [(i, 70 - i) for i in range(7)] + [(9 + i, 24 - i) for i in range(4)]
STEMS += [(26 + i, 42 - i) for i in range(5)] + [(48 + i, 64 - i) for i in range(5)]


def trna_like(num: int, rng: np.random.Generator, *, paired: bool = True) -> list[str]:
    """72 letters with stems of 7, 4, 5 and 5 pairs that always pair; all letters equally frequent."""
    codes = rng.integers(0, 4, (num, 72))
    for i, j in STEMS if paired else ():
        codes[:, j] = 3 - codes[:, i]
    return ["".join("ACGT"[c] for c in row) for row in codes]


def families(num: int, rng: np.random.Generator, *, chimeras: float = 0.0) -> list[str]:
    """Three unrelated proteins of 60 letters, a fifth of each mutated; some change over in the middle."""
    roots = np.random.default_rng(5).integers(0, 20, (3, 60))
    first, second = (roots[rng.integers(0, 3, num)] for _ in range(2))
    mixed = np.where(rng.random(num) < chimeras, 30, 60)
    codes = np.where(np.arange(60) < mixed[:, None], first, second)
    codes = np.where(rng.random(codes.shape) < 0.2, rng.integers(0, 20, codes.shape), codes)
    return ["".join(PROTEIN.letters[c] for c in row) for row in codes]


def two_words(num: int, rng: np.random.Generator, gap: int | None) -> list[str]:
    """Random 100-mers with GGTCACAC and, ``gap`` letters behind its start or anywhere, TTGACCAA."""
    codes = rng.choice(list("ACGT"), size=(num, 100))
    for row in codes:
        start = rng.integers(0, 60)
        other = start + gap if gap else rng.choice([p for p in range(92) if abs(p - start) > 8])
        row[other : other + 8] = list("TTGACCAA")
        row[start : start + 8] = list("GGTCACAC")
    return ["".join(row) for row in codes]


def judged(
    generated: list[str],
    training: list[str],
    held_out: list[str],
    *,
    protein: bool = False,
    simple: bool = False,
) -> GeneratorHealth:
    sets = Sets(PROTEIN if protein else DNA, generated, training, held_out, ())
    silent = lambda done, total: None  # noqa: E731
    return check(sets, name="model", seed=0, workers=1, progress=silent, simple=simple).health


def flagged(health: GeneratorHealth) -> set[str]:
    return {row.name for row in health.measures if row.verdict == "flagged"}


def test_the_gan_of_old_is_unhealthy_on_sequences_that_fold() -> None:
    """Samples of the default of November 2026 (r3gan with word critic, motif heads and placements; 1,200
    steps on 4,000 such sequences). Its own report, blind to far pairs, said healthy; audit.md, section 2."""
    rng = np.random.default_rng(0)
    with gzip.open(OLD_GAN, "rt") as handle:
        samples = [line.strip() for line in handle if line[0] != ">"]
    health = judged(samples, trna_like(1500, rng), trna_like(400, rng))
    assert health.verdict == "unhealthy"
    assert "far_pairs" in flagged(health)
    rows = {row.name: row for row in health.measures}
    assert rows["far_pairs"].value > 20 * rows["far_pairs"].real


def test_pairs_at_chance_are_unhealthy_and_true_sequences_are_healthy() -> None:
    rng = np.random.default_rng(1)
    training, held_out = trna_like(1500, rng), trna_like(400, rng)
    chance = judged(trna_like(700, rng, paired=False), training, held_out)
    assert chance.verdict == "unhealthy"
    assert "far_pairs" in flagged(chance)
    assert not flagged(chance) & {"js_1", "js_2", "js_3", "js_4", "auc"}  # words see nothing
    good = judged(trna_like(700, rng), training, held_out)
    assert (good.verdict, flagged(good)) == ("healthy", set())
    assert "out_of_place" not in {row.name for row in good.measures}  # no word that is missing anywhere


def test_chimeras_are_found() -> None:
    rng = np.random.default_rng(2)
    training, held_out = families(1000, rng), families(300, rng)
    mixed = judged(families(400, rng, chimeras=0.3), training, held_out, protein=True)
    assert {"chimeras", "far_pairs"} <= flagged(mixed)
    share = next(row.value for row in mixed.measures if row.name == "chimeras")
    assert share == pytest.approx(0.2, abs=0.08)  # a third of the changes are within one family
    assert judged(families(400, rng), training, held_out, protein=True).verdict == "healthy"


def test_words_that_keep_no_distance_are_found() -> None:
    rng = np.random.default_rng(3)
    training, held_out = two_words(1500, rng, 30), two_words(500, rng, 30)
    loose = judged(two_words(800, rng, None), training, held_out)
    assert "word_pairs" in flagged(loose)
    assert judged(two_words(800, rng, 30), training, held_out).verdict == "healthy"


def stems_anywhere(num: int, rng: np.random.Generator, *, own: bool = True) -> list[str]:
    """A stem of 8 pairs with 3 to 10 letters on either side, a loop of 4 to 8; ``own``: else of others."""
    rows = []
    for first, loop, last in rng.integers([3, 4, 3], [11, 9, 11], (num, 3)):
        row = rng.integers(0, 4, first + 16 + loop + last)
        if own:
            row[first + 8 + loop : first + 16 + loop] = 3 - row[first : first + 8][::-1]
        rows.append("".join("ACGT"[c] for c in row))
    return rows


def words_twice(num: int, rng: np.random.Generator, *, own: bool = True) -> list[str]:
    """60 letters, of which some 10 stand twice, up to 8 letters apart."""
    codes = rng.integers(0, 4, (num, 60))
    for row, first, apart in zip(codes, rng.integers(0, 32, num), rng.integers(0, 9, num), strict=True):
        if own:
            row[first + 10 + apart : first + 20 + apart] = row[first : first + 10]
    return ["".join("ACGT"[c] for c in row) for row in codes]


@pytest.mark.parametrize(("make", "row"), [(stems_anywhere, "within_stem"), (words_twice, "within_repeat")])
def test_stems_and_repeats_are_missed_wherever_they_are(make, row) -> None:
    """No pair of places, no word, no distance of words and no network tells: places and letters differ."""
    rng = np.random.default_rng(4)
    training, held_out = make(700, rng), make(200, rng)
    broken = flagged(judged(make(300, rng, own=False), training, held_out))
    assert row in broken
    assert not broken & {"far_pairs", "word_pairs", "js_3", "auc", "cnn"}
    assert judged(make(300, rng), training, held_out).verdict == "healthy"


def peptides(num: int, rng: np.random.Generator, last: float) -> list[str]:
    """8 to 11 letters of protein, L or V at the end of so many of them."""
    rows = [rng.choice(list(PROTEIN.letters), size=n) for n in rng.integers(8, 12, num)]
    for row in rows:
        if rng.random() < last:
            row[-1] = rng.choice(["L", "V"])
    return ["".join(row) for row in rows]


def test_letters_are_counted_from_the_end_where_lengths_differ() -> None:
    rng = np.random.default_rng(5)
    training, held_out = peptides(700, rng, 0.95), peptides(300, rng, 0.95)
    health = judged(peptides(400, rng, 0.7), training, held_out, protein=True)
    assert "profile_frobenius" in flagged(health)
    assert judged(peptides(400, rng, 0.95), training, held_out, protein=True).verdict == "healthy"


def genes(num: int, rng: np.random.Generator, *, stop: bool = False) -> list[str]:
    """ATG, 28 codons that are no stop, and a stop; ``stop``: one of the codons is one."""
    codons = np.array([a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"])
    ends = np.array(["TAA", "TAG", "TGA"])
    rows = rng.choice(codons[~np.isin(codons, ends)], size=(num, 30))
    rows[:, 0], rows[:, -1] = "ATG", rng.choice(ends, num)
    if stop:
        rows[np.arange(num), rng.integers(1, 29, num)] = rng.choice(ends, num)
    return ["".join(row) for row in rows]


def test_a_stop_within_a_reading_frame_is_found() -> None:
    rng = np.random.default_rng(10)
    training, held_out = genes(500, rng), genes(200, rng)
    broken = judged(genes(300, rng, stop=True), training, held_out)
    row = next(row for row in broken.measures if row.name == "out_of_place")
    assert (row.value, row.real, row.verdict) == (1.0, 0.0, "flagged")
    assert re.search("such as (TAA|TAG|TGA) at 4, 7, 10", "\n".join(words(broken)))
    good = judged(genes(500, rng), training, held_out)
    assert (good.verdict, flagged(good)) == ("healthy", set())


def test_a_network_tells_what_words_do_not() -> None:
    """The same words at other places: all in one half."""
    rng = np.random.default_rng(4)

    def placed(num: int, low: int, high: int) -> list[str]:
        codes = rng.choice(list("ACGT"), size=(num, 60))
        for row in codes:
            start = rng.integers(low, high)
            row[start : start + 6] = list("TGACTC")
        return ["".join(row) for row in codes]

    health = judged(placed(800, 0, 20), placed(2000, 0, 54), placed(500, 0, 54))
    assert "cnn" in flagged(health)
    assert "auc" not in flagged(health)


def test_few_sequences_are_too_few_to_tell() -> None:
    rng = np.random.default_rng(6)
    health = judged(trna_like(300, rng), trna_like(270, rng), trna_like(15, rng))
    assert health.verdict == "too few to tell"
    assert "Too few to tell" in verdict_line(health)
    assert "--held-out" in verdict_line(health)


def test_the_report_of_two_cores_is_that_of_one() -> None:
    """On two the nearest sequences are searched beside the rest."""
    rng = np.random.default_rng(3)
    sets = Sets(DNA, trna_like(30, rng), trna_like(90, rng), trna_like(30, rng), ())
    one, two = (
        check(sets, name="model", seed=0, workers=workers, progress=lambda done, total: None, simple=False)
        for workers in (1, 2)
    )
    assert repr(two.health) == repr(one.health)  # NaN is not equal to itself
    assert {k: v.tolist() for k, v in two.evaluation.distances.items()} == {
        k: v.tolist() for k, v in one.evaluation.distances.items()
    }


def test_what_fails_in_the_search_for_the_nearest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ValueError("no reference that counts")

    monkeypatch.setattr("seqdesign.evaluation.measures.add_nearest", broken)
    rng = np.random.default_rng(3)
    sets = Sets(DNA, trna_like(20, rng), trna_like(40, rng), trna_like(20, rng), ())
    with pytest.raises(ValueError, match="no reference that counts"):
        check(sets, name="model", seed=0, workers=2, progress=lambda done, total: None, simple=False)


def test_the_power_of_a_test() -> None:
    """Hanley and McNeil: the standard error of AUC 0.5 is sqrt((n + m + 1) / (12 n m)); half of n count."""
    assert detectable(2000, 1000) == pytest.approx(0.5 + 3 * (2001 / 12e6) ** 0.5)
    assert detectable(300, 15) > 0.7
    assert detectable(2000, 1) > 1


def test_simple_generators_stand_beside() -> None:
    rng = np.random.default_rng(7)
    health = judged(trna_like(700, rng), trna_like(1500, rng), trna_like(400, rng), simple=True)
    names = [row.name for row in health.headlines]
    assert names == ["model", "Markov chain of order 3", "letters of each position", "training sequences"]
    model, chain, letters, real = health.headlines
    assert min(chain.far_pairs, letters.far_pairs) > 20 * max(model.far_pairs, real.far_pairs)
    text = "\n".join([*beside(health), *words(health)])
    assert "letters of each position" in text
    assert "worst pair" in text


def test_simple_generators_have_the_statistics_that_they_know() -> None:
    rng = np.random.default_rng(8)
    texts = ["ACACACGT", "ACACAC", "GGACACGTA", "CCCACAC"] * 200
    codes = codes_of(texts, "ACGT", 9)
    drawn = markov_chain(codes, 4, 1, 4000, rng)
    pairs = np.mean([t == 1 for t in drawn[:, 1:][drawn[:, :-1] == 0]])
    real = np.mean([t == 1 for t in codes[:, 1:][codes[:, :-1] == 0]])
    assert pairs == pytest.approx(real, abs=0.02)
    assert (np.diff((drawn == 4).astype(int), axis=1) >= 0).all()  # nothing behind an end
    placed = position_matrix(codes, 4, 4000, rng)
    assert np.mean(placed[:, 0] == 0) == pytest.approx(0.5, abs=0.03)
    assert set((placed < 4).sum(1)) == {6, 7, 8, 9}
    for _, found in simple_samples(texts, DNA, 50, rng):
        assert len(found) == 50
        assert set("".join(found)) <= set("ACGT")


def test_a_difference_that_is_sure_but_tells_nothing_apart_is_as_real() -> None:
    """Letters G and C by .5 and .509 or .53: their frequency tells sequences apart at AUC .54 and .63."""
    rng = np.random.default_rng(9)

    def drawn(gc: float) -> list[str]:
        shares = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
        return ["".join(row) for row in rng.choice(list("ACGT"), size=(2000, 60), p=shares)]

    for gc, verdict in ((0.509, "as real"), (0.53, "flagged")):
        texts = drawn(gc) + drawn(0.5) + drawn(0.5)
        statistic = Statistic(kmer_matrix(texts, DNA.letters, 1), jensen_shannon)
        found = compare(statistic, *np.split(np.arange(6000), 3), rng, 100)
        assert found.z > LARGEST_Z
        assert judge(found) == verdict
