"""Judges of samples by real sequences that no generator has seen: networks, forests, profiles, motifs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from _generator_data import words_of_bacteria
from numpy.typing import NDArray
from torch import nn

from seqdesign.metrics.kmers import kmer_matrix
from seqdesign.metrics.spectra import jensen_shannon

Figures = dict[str, float]
MOTIFS = {"TATA": "TATA[AT]A", "Inr": "TCA[GT]T", "DRE": "TATCGAT", "E-box": "CAGCTG", "GAGA": "GAGAGA"}
PEAK = 10
"""Letters of the window in which a motif is most frequent."""
EPOCHS, BATCH = 12, 128


def auc(zeros: NDArray[np.float64], ones: NDArray[np.float64]) -> float:
    """How often a score of the second kind is larger than one of the first."""
    order = np.concatenate([zeros, ones]).argsort(kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    return float((rank[len(zeros) :].sum() - len(ones) * (len(ones) + 1) / 2) / (len(zeros) * len(ones)))


def one_hot(texts: Sequence[str], letters: str, length: int) -> torch.Tensor:
    """(N, V, L), zeros behind the end."""
    codes = torch.full((len(texts), length), len(letters))
    for i, text in enumerate(texts):
        codes[i, : len(text)] = torch.tensor([letters.index(c) for c in text[:length]])
    return F.one_hot(codes, len(letters) + 1)[:, :, :-1].transpose(1, 2).float()


class Critic(nn.Module):
    """Two convolutions, then position by position and over all positions."""

    def __init__(self, size: int, length: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(size, 48, 9, padding=4), nn.Conv1d(48, 48, 9, padding=4)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(48 * (length // 10) + 48, 1)
        self.size = length // 10

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.second(F.max_pool1d(F.relu(self.first(x)), 2)))
        local = F.adaptive_max_pool1d(y, self.size).flatten(1)
        return self.head(self.drop(torch.cat([local, y.amax(2)], 1)))[:, 0]


def network_auc(samples: Sequence[str], real: Sequence[str], letters: str, seed: int = 0) -> float:
    """AUC of a convolutional network: half of both sets train it, a tenth stops it, the rest judges it."""
    length = max(map(len, [*samples, *real]))
    sets = [one_hot(list(t), letters, length) for t in (samples, real)]
    rng = np.random.default_rng(seed)
    parts: list[list[torch.Tensor]] = [[], [], []]
    for rows in sets:
        order = torch.from_numpy(rng.permutation(len(rows)))
        n = len(rows)
        for part, place in zip(
            parts, (order[: n // 2], order[n // 2 : n * 6 // 10], order[n * 6 // 10 :]), strict=True
        ):
            part.append(rows[place])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Critic(len(letters), length)
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
        x = torch.cat(parts[0])
        y = torch.cat([torch.full((len(p),), float(i)) for i, p in enumerate(parts[0])])
        best, result = -1.0, 0.5
        for _ in range(EPOCHS):
            network.train()
            for rows in torch.randperm(len(x)).split(BATCH):
                loss = F.binary_cross_entropy_with_logits(network(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            network.eval()
            with torch.no_grad():
                scores = [[network(p).double().numpy() for p in part] for part in parts[1:]]
            middle = auc(*scores[0])
            if middle > best:
                best, result = middle, auc(*scores[1])
    return result


def forest_auc(samples: Sequence[str], real: Sequence[str], letters: str, k: int = 6) -> float:
    """AUC of a random forest of 200 trees on k-mers, fitted on one half and judged on the other; NaN without
    scikit-learn.
    """
    try:
        from sklearn.ensemble import RandomForestClassifier
    except ModuleNotFoundError:
        return float("nan")
    num = 1500
    rows = [kmer_matrix(list(t[:num]), letters, k).toarray() for t in (samples, real)]
    x, y = np.concatenate(rows), np.repeat([0, 1], [len(r) for r in rows])
    order = np.random.default_rng(0).permutation(len(x))
    first, second = order[::2], order[1::2]
    model = RandomForestClassifier(200, random_state=0).fit(x[first], y[first])
    guess = model.predict_proba(x[second])[:, 1]
    return auc(guess[y[second] == 0], guess[y[second] == 1])


class Promoters:
    """Samples against promoters that were not learned from."""

    def __init__(self, train: list[str], more: list[str], test: list[str], seed: int) -> None:
        self.test, self.more, self.seed = test, more[: len(test)], seed
        k4 = [kmer_matrix(t, "ACGT", 4).sum(axis=0) for t in (more[: len(test)], test)]
        self.floor = float(jensen_shannon(*k4))
        self.windows = {}
        for name, pattern in MOTIFS.items():
            starts = np.bincount([m.start() for t in more for m in re.finditer(pattern, t)], minlength=100)
            self.windows[name] = int(np.convolve(starts, np.ones(PEAK), "valid").argmax())

    def __call__(self, texts: Sequence[str]) -> Figures:
        """For the held-out sequences themselves stand others, with which they are compared."""
        real, made = self.test, list(texts)
        if made == real:
            made = self.more
        k4 = [kmer_matrix(t, "ACGT", 4).sum(axis=0) for t in (made, real)]
        figures = {
            "AUC network": network_auc(made, real, "ACGT", self.seed),
            "AUC forest": forest_auc(made, real, "ACGT"),
            "4-mers over floor": float(jensen_shannon(*k4)) / self.floor,
        }
        for name, pattern in MOTIFS.items():
            starts = [[m.start() for m in re.finditer(pattern, t)] for t in made]
            flat = np.array([s for row in starts for s in row] or [-1])
            window = self.windows[name]
            figures[name] = float(np.mean([bool(s) for s in starts]))
            figures[f"{name} at peak"] = float(np.mean((flat >= window) & (flat < window + PEAK)))
        return figures


class Bacteria:
    """Samples against promoters of the same law that were not learned from."""

    def __init__(self, test: list[str], more: list[str]) -> None:
        self.test, self.more = test, more
        self.real = words_of_bacteria(test)[0]

    def __call__(self, texts: Sequence[str]) -> Figures:
        """For the held-out sequences themselves stand others, with which they are compared."""
        made = self.more if list(texts) == self.test else list(texts)
        score, between = words_of_bacteria(made)
        return {
            "both words, nats": float(score.mean()),
            "AUC of these": auc(score, self.real),
            "17 letters between": float(np.mean(between == 17)),
            "AUC network": network_auc(made, self.test, "ACGT"),
        }


def aligned(members: Sequence[str], rounds: int = 3) -> list[str]:
    """Members of a family aligned by a profile HMM that begins with one of median length. Needs pyhmmer."""
    import pyhmmer

    amino = pyhmmer.easel.Alphabet.amino()
    background = pyhmmer.plan7.Background(amino)
    texts = [pyhmmer.easel.TextSequence(name=str(i).encode(), sequence=t) for i, t in enumerate(members)]
    block = pyhmmer.easel.DigitalSequenceBlock(amino, [t.digitize(amino) for t in texts])
    middle = sorted(range(len(members)), key=lambda i: len(members[i]))[len(members) // 2]
    hmm = pyhmmer.plan7.Builder(amino).build(block[middle], background)[0]
    for _ in range(rounds):
        alignment = pyhmmer.hmmalign(hmm, block, digitize=True, all_consensus_cols=True)
        alignment.name = b"family"
        hmm = pyhmmer.plan7.Builder(amino).build_msa(alignment, background)[0]
    return list(alignment.textize().alignment)


class Family:
    """Samples against a profile HMM of training members and against held-out ones. Needs pyhmmer."""

    def __init__(self, aligned: list[str], bare: list[str], held_out: list[str]) -> None:
        import pyhmmer

        self.amino = pyhmmer.easel.Alphabet.amino()
        texts = [
            pyhmmer.easel.TextSequence(name=str(i).encode(), sequence=row) for i, row in enumerate(aligned)
        ]
        alignment = pyhmmer.easel.TextMSA(name=b"family", sequences=texts).digitize(self.amino)
        self.hmm = pyhmmer.plan7.Builder(self.amino).build_msa(
            alignment, pyhmmer.plan7.Background(self.amino)
        )[0]
        self.real = self._bits(held_out)[0]

    def _bits(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], float]:
        """(bit scores (N,), -20 where there is none; share with E < 0.001)."""
        import pyhmmer

        block = pyhmmer.easel.DigitalSequenceBlock(
            self.amino,
            [
                pyhmmer.easel.TextSequence(name=str(i).encode(), sequence=t).digitize(self.amino)
                for i, t in enumerate(texts)
            ],
        )
        found, good = np.full(len(texts), -20.0), 0
        for hits in pyhmmer.hmmsearch(self.hmm, block, cpus=1, E=1e6, Z=len(texts), F1=1.0, F2=1.0, F3=1.0):
            for hit in hits:
                name = hit.name if isinstance(hit.name, str) else hit.name.decode()
                found[int(name)] = hit.score
                good += hit.evalue < 1e-3
        return found, good / len(texts)

    def __call__(self, texts: Sequence[str]) -> Figures:
        """Share that is recognised, bits, and how well bits tell samples from held-out members."""
        bits, share = self._bits(texts)
        return {
            "recognised": share,
            "median bits": float(np.median(bits)),
            "AUC of bits": auc(bits, self.real),
        }
