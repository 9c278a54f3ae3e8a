"""Only what training has seen: letters at each place, or words where places have no meaning; no unnamed word.

A predictor knows nothing of a letter that never stood at a place, so that designs which use it are guesses.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from seqdesign.constraints.builtin.max_edits import MaxEdits
from seqdesign.constraints.constraint import State, Violation, Walk
from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.positions import spans
from seqdesign.constraints.starts import Starts
from seqdesign.sequences.alphabets import Alphabet

NAME, LINKER = "--letters seen", "--linker"
NAMED = 4
"""Parts that are named; of more the first ones."""


def seen_letters(seen: Tensor, starts: Starts, *, own: bool = True) -> MaskConstraint:
    """Letters (L, V) bool that were seen at each place; ``own``: and those that a start has there anyway."""
    allowed = seen.to(starts.device)[None]
    if own:
        letters = torch.arange(starts.alphabet.size, device=starts.device)
        allowed = allowed | (starts.tokens.unsqueeze(2) == letters)
    # Where nothing was ever seen (an empty column), there is nothing to go by.
    allowed = allowed | ~allowed.any(2, keepdim=True)
    if bool((allowed == allowed[:1]).all()):
        allowed = allowed[:1]

    def wanted(row: int, i: int) -> str:
        there = allowed[min(row, len(allowed) - 1), i].nonzero().flatten()
        return f"{starts.text(there)}, which training has seen there"

    return MaskConstraint(NAME, allowed, wanted)


def near_parent(parent: Tensor, limit: int, starts: Starts, *, own: bool = False) -> MaxEdits:
    """At most so many letters that differ from a parent (L,) of which all that was seen are variants.

    ``own``: where a start differs at more places already, as many as it does.
    """
    everyone = parent.to(starts.device).expand(len(starts.tokens), -1)
    name = f"{NAME} (at most {limit} changes of the common parent)"
    if not own:
        return MaxEdits(limit, everyone, name=name)
    limits = (starts.tokens != everyone).sum(1).clamp(min=limit)
    name = f"{name[:-1]}; --max-edits decides instead)"
    return MaxEdits(int(limits.max()), everyone, name=name, limits=limits)


def near_rows(rows: Tensor, limits: Tensor, starts: Starts) -> MaxEdits:
    """At most ``limits`` (N,) letters that differ from the measured sequence (N, L) of a start."""
    return MaxEdits(int(limits.max()), rows, name=f"{NAME} (near a measured sequence)", limits=limits)


def linker_stays(linker: Tensor, places: Sequence[int], starts: Starts) -> MaskConstraint:
    """The letters (K,) between joined sequences: wherever a start has them, or else at ``places``."""
    linker, size = linker.to(starts.device), starts.alphabet.size
    allowed = torch.ones((*starts.tokens.shape, size), dtype=torch.bool, device=starts.device)
    there = (starts.tokens.unfold(1, len(linker), 1) == linker).all(2)
    letters = torch.nn.functional.one_hot(linker, size).bool()
    for row, here in enumerate(there):
        for at in here.nonzero().flatten().tolist() or places:
            allowed[row, at : at + len(linker)] = letters
    return MaskConstraint(LINKER, allowed, lambda row, i: f"{starts.text(linker)}, which joins two sequences")


class SeenTogether:
    """At places that are filled together only combinations of letters that training has seen; ``own``: and
    those that a start has there.

    parts: places (k,) in order, and combinations (W, k) of tokens, of parts that share no place.
    """

    def __init__(self, parts: Sequence[tuple[Tensor, Tensor]], starts: Starts, *, own: bool = True) -> None:
        self._parts = [(places.to(starts.device), words.to(starts.device)) for places, words in parts]
        self._starts = starts
        more = f" and {len(parts) - NAMED:,} more" if len(parts) > NAMED else ""
        self.name = f"{NAME} (together: {'; '.join(self._named(p) for p, _ in self._parts[:NAMED])}{more})"
        self._own = starts.tokens if own else None

    def _named(self, places: Tensor) -> str:
        return ", ".join(spans([place + self._starts.first for place in places.tolist()]))

    def mask(self) -> Tensor | None:
        """None: it depends on the other letters."""
        return None

    def walk(self, mask: Tensor, shortest: int) -> Walk | None:
        """The combinations that are still open."""
        return _TogetherWalk(self._parts, self._own, self._starts.alphabet.size)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether all combinations are ones that may be."""
        return ~self._wrong(tokens, rows).any(1)

    def _wrong(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Parts (B, P) with a combination that may not be; what is no letter may stand for any."""
        found = torch.zeros(len(tokens), len(self._parts), dtype=torch.bool, device=tokens.device)
        for i, (places, words) in enumerate(self._parts):
            here = tokens[:, places]
            wrong = ~torch.isin(_number(here), _number(words))
            if self._own is not None:
                wrong &= (here != self._own[rows][:, places]).any(1)
            for j in (wrong & (here >= self._starts.alphabet.size).any(1)).nonzero().flatten().tolist():
                wrong[j] = not self._agrees(here[j], places, words, int(rows[j]))
            found[:, i] = wrong
        return found

    def _agrees(self, here: Tensor, places: Tensor, words: Tensor, row: int) -> bool:
        """Whether a combination (k,) in which some places hold no letter may be."""
        if self._own is not None:
            words = torch.cat([words, self._own[row][None, places]])
        return bool(((here == words) | (here >= self._starts.alphabet.size)).all(1).any())

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Every combination that no training sequence has."""
        wrong = self._wrong(tokens[None], torch.tensor([row], device=tokens.device))[0]
        found = []
        for places, words in (self._parts[i] for i in wrong.nonzero().flatten().tolist()):
            message = (
                f"{self._starts.text(tokens[places])} at {self._named(places)} is none of the {len(words)} "
                "that training sequences have there together"
            )
            found.append(Violation(self.name, message, int(places[0]) + 1, int(places[-1]) + 1))
        return found


def _number(words: Tensor) -> Tensor:
    """A number (n,) for each combination of tokens (n, k), another for another one but for one in 2^64."""
    factors = torch.randint(2**62, (words.shape[1],), generator=torch.Generator().manual_seed(0))
    return (words * (2 * factors + 1).to(words.device)).sum(1)


class _TogetherWalk:
    """The state is which combinations (B, C) of all parts agree with the letters so far.

    Behind those of training there is one for each part that stands for the start's own.
    """

    dead: Tensor | None = None

    def __init__(self, parts: Sequence[tuple[Tensor, Tensor]], own: Tensor | None, num_letters: int) -> None:
        self._own, self._num_letters = own, num_letters
        self._size = sum(len(words) for _, words in parts) + len(parts)
        self._at: dict[int, tuple[slice, int, Tensor]] = {}
        """Of a place: its combinations, the number of the start's own, and their letters (W,) there."""
        first, last = 0, self._size - len(parts)
        for i, (places, words) in enumerate(parts):
            mine = slice(first, first + len(words))
            self._at |= {
                place: (mine, last + i, letters)
                for place, letters in zip(places.tolist(), words.T, strict=True)
            }
            first = mine.stop

    def start(self, rows: Tensor) -> State:
        """All of them."""
        return (torch.ones(len(rows), self._size, dtype=torch.bool, device=rows.device),)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Letters of the combinations that are still open."""
        if t not in self._at:
            return None
        mine, start, letters = self._at[t]
        of_letter = torch.nn.functional.one_hot(letters, self._num_letters).float()
        found = state[0][:, mine].float() @ of_letter > 0
        if self._own is not None:
            every = torch.arange(self._num_letters, device=rows.device)
            found |= state[0][:, start, None] & (self._own[rows, t][:, None] == every)
        return found

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """Without those that have another letter there."""
        if t not in self._at:
            return state
        mine, start, there = self._at[t]
        left = state[0].clone()
        left[:, mine] &= letters[:, None] == there
        if self._own is not None:
            left[:, start] &= letters == self._own[rows, t]
        return (left,)

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Always."""
        return None


class SeenWords:
    """Words of k letters that training has seen; ``own``: and those that a start has anyway.

    seen: (V^k,) bool, by the number that a word is in base V, its first letter leading.
    """

    def __init__(self, seen: Tensor, size: int, starts: Starts, *, own: bool = True) -> None:
        self.name = f"{NAME} (words of {size})"
        self.size, self.num_letters, self._starts = size, starts.alphabet.size, starts
        self._allowed = seen.to(starts.device)[None]
        if own:
            words, known = word_codes(starts.tokens, size, self.num_letters)
            shape = (len(starts.tokens), self._allowed.shape[1])
            count = torch.zeros(shape, dtype=torch.int16, device=starts.device)
            there = count.scatter_add(1, words, known.to(torch.int16)) > 0
            if bool((there & ~self._allowed).any()):
                self._allowed = self._allowed | there

    def mask(self) -> Tensor | None:
        """None: it depends on the letters before."""
        return None

    def walk(self, mask: Tensor, shortest: int) -> Walk | None:
        """The words as they end."""
        return _WordWalk(self._allowed, self.size, self.num_letters)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether each word is one that may occur."""
        return ~self._wrong(tokens, rows).any(1)

    def _wrong(self, tokens: Tensor, rows: Tensor) -> Tensor:
        words, known = word_codes(tokens, self.size, self.num_letters)
        table = self._allowed[0] if len(self._allowed) == 1 else None
        fine = table[words] if table is not None else self._allowed[rows].gather(1, words)
        return known & ~fine

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Every word that training has not seen."""
        wrong = self._wrong(tokens[None], torch.tensor([row], device=tokens.device))[0]
        return [
            Violation(
                self.name,
                f"{self._starts.text(tokens[i : i + self.size])} occurs in no training sequence",
                i + 1,
                i + self.size,
            )
            for i in wrong.nonzero().flatten().tolist()
        ]


class _WordWalk:
    """The state is the number of the last k - 1 letters."""

    dead: Tensor | None = None

    def __init__(self, allowed: Tensor, size: int, num_letters: int) -> None:
        self._allowed, self._size, self._num_letters = allowed, size, num_letters

    def start(self, rows: Tensor) -> State:
        """Nothing yet."""
        return (torch.zeros_like(rows),)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Letters that end a word that may occur."""
        if t < self._size - 1:
            return None
        letters = torch.arange(self._num_letters, device=rows.device)
        words = state[0].unsqueeze(1) * self._num_letters + letters
        if len(self._allowed) == 1:
            return self._allowed[0][words]
        return self._allowed[rows].gather(1, words)

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """The last k - 1 letters after one more."""
        return ((state[0] * self._num_letters + letters) % self._num_letters ** (self._size - 1),)

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Always."""
        return None


class Writable:
    """The sign for words outside a vocabulary stands only where a start has it and the design left it as it
    was: there the word itself comes back, and elsewhere nobody could say which word is meant.
    """

    name = "words of the vocabulary"

    def __init__(self, starts: Starts) -> None:
        self._starts, self._sign = starts, starts.alphabet.letters.index(starts.alphabet.unk)
        self._own = (starts.tokens == self._sign).sum(1)

    def mask(self) -> Tensor | None:
        """None: it depends on what the design has left of its start."""
        return None

    def walk(self, mask: Tensor, shortest: int) -> Walk | None:
        """No more signs than the start has."""
        return _SignWalk(self._sign, self._own, self._starts.alphabet.size)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether each sign is one that the start has there, by the fewest edits."""
        signs = (tokens == self._sign).sum(1)
        good = signs <= self._own[rows]
        for i in (good & (signs > 0)).nonzero().flatten().tolist():
            good[i] = not self._written(tokens[i], int(rows[i]))
        return good

    def _written(self, tokens: Tensor, row: int) -> list[int]:
        """Places of signs in a sequence (L,) that are none of its start."""
        size, own = self._starts.alphabet.size, self._starts.tokens[row]
        text, start = tokens[tokens < size].tolist(), own[own < size].tolist()
        kept = [
            i
            for step in Levenshtein.opcodes(start, text)
            if step.tag == "equal"
            for i in range(step.dest_start, step.dest_end)
        ]
        return [i for i, letter in enumerate(text) if letter == self._sign and i not in kept]

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Every sign that the start does not have there."""
        message = f"{self._starts.alphabet.text(self._starts.alphabet.unk)} stands for no word of the input"
        return [Violation(self.name, message, i + 1, i + 1) for i in self._written(tokens, row)]


class _SignWalk:
    """The state is the number of signs so far."""

    dead: Tensor | None = None

    def __init__(self, sign: int, own: Tensor, num_letters: int) -> None:
        self._sign, self._own = sign, own
        self._others = torch.arange(num_letters, device=own.device) != sign

    def start(self, rows: Tensor) -> State:
        """None yet."""
        return (torch.zeros_like(rows),)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Another sign only while the start has more."""
        return self._others | (state[0] < self._own[rows]).unsqueeze(1)

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """One more, or not."""
        return (state[0] + (letters == self._sign),)

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Always."""
        return None


def strand_codes(tokens: Tensor, size: int, alphabet: Alphabet) -> tuple[Tensor, Tensor]:
    """``word_codes`` of both strands, (N, 2 W), of an alphabet with a complement."""
    turned = torch.cat([torch.tensor(alphabet.partners), torch.full((256,), 255)])
    turned = turned[tokens.clamp(max=255)].flip(1)
    found = [word_codes(strand, size, alphabet.size) for strand in (tokens, turned)]
    codes, known = (torch.cat(both, 1) for both in zip(*found, strict=True))
    return codes, known


def word_codes(tokens: Tensor, size: int, num_letters: int) -> tuple[Tensor, Tensor]:
    """Numbers (N, W) of the words in tokens (N, L), and which of them have letters only; W = L - k + 1."""
    windows = max(0, tokens.shape[1] - size + 1)
    codes = torch.zeros((len(tokens), windows), dtype=torch.long, device=tokens.device)
    known = torch.ones_like(codes, dtype=torch.bool)
    for i in range(size):
        letter = tokens[:, i : i + windows]
        known = known & (letter < num_letters)
        codes = codes * num_letters + letter.clamp(max=num_letters - 1)
    return codes, known
