"""Does ``seqdesign motifs`` find a planted motif, and nothing where nothing is? And how fast is the scan?

    python benchmarks/motifs/motif_recovery.py                 # 20 seeds with, 20 without
    python benchmarks/motifs/motif_recovery.py --speed 10000   # seconds to scan 10,000 x 200 bp

A JASPAR motif chosen by the seed is planted in 30% of 400 random sequences of 200 bp, each site drawn from
the matrix. "One like it" is a motif whose matrix is like the planted one (comparison p-value below 1e-4). The
"top group" are the motifs that find mostly the same sequences as the most enriched one; its first motif is
that which describes the sites best. JASPAR has matrices so nearly equal that no data of this size can tell
them apart. Planted are motifs with at least 12 bits, since sites of a weaker one are everywhere by chance.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from seqdesign.motifs.compare import MotifComparer
from seqdesign.motifs.denovo import new_motifs
from seqdesign.motifs.enrichment import Enrichment, Tally, enrichment, letter_background
from seqdesign.motifs.files import MotifSet, bundled_motifs
from seqdesign.motifs.motif import Motif, information_per_position
from seqdesign.motifs.scan import JoinedText, matcher, scan
from seqdesign.motifs.shuffle import shuffle_dinucleotides
from seqdesign.motifs.site_fit import excess_fit, order_by_fit

NUM, LENGTH, SHARE, SHUFFLES = 400, 200, 0.3, 5
MIN_BITS = 12.0


def planted(motif: Motif | None, rng: np.random.Generator) -> np.ndarray:
    codes = rng.integers(0, 4, (NUM, LENGTH)).astype(np.uint8)
    for row in codes[: round(SHARE * NUM)] if motif else ():
        site = np.array([rng.choice(4, p=p / p.sum()) for p in motif.probabilities])
        site = site if rng.random() < 0.5 else 3 - site[::-1]
        begin = rng.integers(0, LENGTH - len(site) + 1)
        row[begin : begin + len(site)] = site
    return codes


def texts_of(codes: np.ndarray, rng: np.random.Generator) -> tuple[JoinedText, JoinedText]:
    lengths = np.full(len(codes), codes.shape[1])
    shuffled = np.concatenate([shuffle_dinucleotides(codes, lengths, rng) for _ in range(SHUFFLES)])
    return JoinedText.of(codes, lengths, 4), JoinedText.of(shuffled, np.tile(lengths, SHUFFLES), 4)


def test(texts: tuple[JoinedText, JoinedText], collection: MotifSet) -> list[Enrichment]:
    letters = letter_background((texts[0].frequencies() + texts[1].frequencies()) / 2, both_strands=True)
    ready = [matcher(m, letters, 0.1, 1e-4) for m in collection.motifs]
    found = [
        np.stack([h.found(t.num_sequences) for h in scan(t, collection.motifs, ready, both_strands=True)])
        for t in texts
    ]
    places = {m.id: i for i, m in enumerate(collection.motifs)}

    def fit(name: str) -> float:
        i = places[name]
        return excess_fit(collection.motifs[i], ready[i], *texts, both_strands=True)

    return order_by_fit(enrichment(collection.motifs, *map(Tally.of, found)), fit)


def recovery(first: int, seeds: int, denovo: bool) -> None:
    collection = bundled_motifs()
    comparer = MotifComparer(collection.motifs, both_strands=True)
    strong = [m for m in collection.motifs if information_per_position(m.probabilities).sum() >= MIN_BITS]
    exact = family = grouped = by_p = new = quiet = 0
    for seed in range(first, first + seeds):
        rng = np.random.default_rng(seed)
        motif = strong[rng.integers(len(strong))]
        texts = texts_of(planted(motif, rng), rng)
        found = test(texts, collection)
        best = found[0]
        alike = comparer.p_values(motif)[0] < 1e-4
        known = {m.id for m, a in zip(collection.motifs, alike, strict=True) if a} | {motif.id}
        exact += best.motif_id == motif.id and best.q_value < 1e-6
        (own,) = [e for e in found if e.motif_id == motif.id]
        grouped += own.group == best.group and own.q_value < 1e-6
        smallest = min(found, key=lambda e: e.p_value)
        by_p += smallest.motif_id == motif.id
        family += best.motif_id in known and best.q_value < 1e-6
        line = f"seed {seed}: planted {motif.label}, best {best.motif_id} {best.motif_name}"
        line += f" q {best.q_value:.0e}, planted {(best.fit or 0) - (own.fit or 0):.1f} bits behind"
        line += f", next {_rival(found)}, smallest p {smallest.motif_name}"
        if denovo:
            letters = np.full(4, 0.25)
            (found,) = new_motifs(texts[0], texts[1], 1, collection, letters, both_strands=True, rng=rng)
            recognised = bool(found.matches) and found.matches[0].motif_id in known
            new += recognised
            line += f"; new {found.consensus} p {found.p_value:.0e}"
            line += " recognised" if recognised else " not recognised"
        none = min(e.q_value for e in test(texts_of(planted(None, rng), rng), collection))
        quiet += none > 0.01
        print(f"{line}; without: smallest q {none:.2g}", flush=True)
    print(f"planted motif first with q < 1e-6: {exact} of {seeds}; it or one like it: {family} of {seeds}")
    print(f"planted motif in the top group with q < 1e-6: {grouped} of {seeds}")
    print(f"planted motif with the smallest p: {by_p} of {seeds}")
    print(f"nothing planted, no motif below q = 0.01: {quiet} of {seeds}")
    if denovo:
        print(f"found without the collection and recognised: {new} of {seeds}")


def _rival(found: list[Enrichment]) -> str:
    """The second motif of the first group, and how far behind it is."""
    second = found[1]
    if second.group != found[0].group or second.fit is None:
        return "none"
    return f"{second.motif_name} {(found[0].fit or 0) - second.fit:.1f} bits"


def speed(num: int) -> None:
    collection = bundled_motifs()
    codes = np.random.default_rng(0).integers(0, 4, (num, LENGTH)).astype(np.uint8)
    begin = time.perf_counter()
    ready = [matcher(m, np.full(4, 0.25), 0.1, 1e-4) for m in collection.motifs]
    tables = time.perf_counter()
    text = JoinedText.of(codes, np.full(num, LENGTH), 4)
    hits = sum(len(h) for h in scan(text, collection.motifs, ready, both_strands=True))
    end = time.perf_counter()
    print(
        f"{num:,} x {LENGTH} bp, {len(ready)} motifs, both strands: p-value tables {tables - begin:.1f} s, "
        f"scan {end - tables:.1f} s, {hits:,} hits"
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--seeds", type=int, default=20)
    made.add_argument("--first", type=int, default=0, help="the first seed")
    made.add_argument("--denovo", action="store_true", help="look for the motif without the collection, too")
    made.add_argument("--speed", type=int, metavar="SEQUENCES", help="only time the scan")
    options = made.parse_args()
    if options.speed:
        speed(options.speed)
    else:
        recovery(options.first, options.seeds, options.denovo)
