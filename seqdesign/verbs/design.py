"""Designs and revisions from Python: models and functions in, records out."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from torch import nn

from seqdesign.config import ComputeOptions, SeedOption, jsonable, part, to_dict
from seqdesign.constraints.options import ConstraintOptions, flanks_of
from seqdesign.design import campaign, revisions
from seqdesign.design.engine import Designer
from seqdesign.design.evidence import evidence_of
from seqdesign.design.generator import generator_of, load_generator
from seqdesign.design.model import DesignModel
from seqdesign.design.opening import of_predictor, of_vae, with_judges
from seqdesign.design.options import (
    JUDGES,
    TRIES,
    GoalOptions,
    GuardOptions,
    IndelOptions,
    ObjectiveOptions,
    SeenOptions,
    SimilarityLimit,
)
from seqdesign.design.records import Design, DesignSummary, Revision, RevisionSummary
from seqdesign.errors import UsageError
from seqdesign.families import Generator, family_named
from seqdesign.models.similarity.limit import similarity_limit
from seqdesign.models.vae.store import VAERecord
from seqdesign.oracles.construct import ConstructOracle
from seqdesign.oracles.function import FunctionOracle
from seqdesign.oracles.oracle import Oracle
from seqdesign.revisers.revise_options import ReviseOptions, SearchOptions
from seqdesign.rules import Rule
from seqdesign.rules import options as rule_options
from seqdesign.runs.manifest import Manifest, library_versions, utc_now
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.options import LetterPolicy
from seqdesign.symbols import has_symbols, spelled
from seqdesign.training.device import computing
from seqdesign.verbs.base import Model
from seqdesign.verbs.data import sequence_set
from seqdesign.verbs.models import VAE, Predictor, as_model
from seqdesign.verbs.options import pick, verb
from seqdesign.verbs.record import Record

if TYPE_CHECKING:
    from seqdesign.reports.html import Page

RecordT = TypeVar("RecordT", Design, Revision)


def _outside(record: RecordT) -> RecordT:
    """A record whose letters are written by their names."""
    texts = {name: value for name, value in vars(record).items() if isinstance(value, str)}
    changed: dict[str, Any] = {name: spelled(text) for name, text in texts.items() if has_symbols(text)}
    return replace(record, **changed)


class Records(Record[RecordT]):
    """Designs or revisions, best first, with their summary."""

    def __init__(self, records: Sequence[RecordT], summary: Any, manifest: Manifest) -> None:
        self._records: list[RecordT] = list(records)
        self.summary, self.manifest = summary, manifest

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: Any) -> Any:
        chosen = self._records[index]
        return list(map(_outside, chosen)) if isinstance(index, slice) else _outside(chosen)

    def __iter__(self) -> Iterator[RecordT]:
        return map(_outside, self._records)

    @property
    def sequences(self) -> list[str]:
        """The new sequences."""
        return [str(row["sequence"]) for row in self._rows()]

    def _lines(self) -> Sequence[str]:
        return list(self.summary.lines())

    def _summary(self) -> Any:
        return jsonable(self.summary)

    def write(self, path: str | os.PathLike[str], *, parents: str | os.PathLike[str] | None = None) -> int:
        """Write FASTA with everything in its headers, or a table or GenBank by suffix; returns how many.

        parents: GenBank file of the parents, whose features GenBank keeps. Raises OutputError.
        """
        from seqdesign.sequences.compression import inner_suffix
        from seqdesign.sequences.lab.genbank import genbank_records, write_sequences
        from seqdesign.sequences.tables import WRITTEN, write_table

        if inner_suffix(path) in WRITTEN:
            rows = self._rows()
            return write_table(rows, path, columns=list(rows[0]))
        return write_sequences(self._fasta(), path, parents=genbank_records(parents))

    def _rows(self) -> list[dict[str, Any]]:
        return [record.row() for record in self]

    def _fasta(self) -> Iterable[Any]:
        raise NotImplementedError


class Designs(Records[Design]):
    """What `maximize` gives: ``designs[0].sequence``, ``designs.to_frame()``, ``designs.write(path)``."""

    summary: DesignSummary

    def __init__(
        self,
        records: Sequence[Design],
        summary: DesignSummary,
        manifest: Manifest,
        model: DesignModel,
        method: str,
        rules: Mapping[str, Any],
    ) -> None:
        super().__init__([d for d in records if d.status != "rejected"], summary, manifest)
        self.rejected = [d for d in records if d.status == "rejected"]
        self._model, self._method, self._rules = model, method, rules

    def _fasta(self) -> Iterable[Any]:
        return (design.fasta() for design in self)

    def _page(self) -> Page:
        from seqdesign.pages.design import design_page

        return design_page(
            [*self, *self.rejected],
            self.summary,
            self._model.alphabet,
            self.manifest,
            model=self._model.name,
            method=self._method,
            rules=self._rules,
        )


class Revisions(Records[Revision]):
    """What `revise` gives: one record a revision, those of an input together, best first."""

    summary: RevisionSummary

    def __init__(
        self,
        records: Sequence[Revision],
        summary: RevisionSummary,
        manifest: Manifest,
        *,
        record: VAERecord,
        rules: Mapping[str, Any],
        method: str,
    ) -> None:
        super().__init__(records, summary, manifest)
        self._record, self._rules, self._method = record, rules, method

    @property
    def sequences(self) -> list[str]:
        """The revised sequences."""
        return [revision.revised for revision in self]

    def _fasta(self) -> Iterable[Any]:
        return (revision.fasta() for revision in self)

    def _page(self) -> Page:
        from seqdesign.pages.revision import revision_page

        return revision_page(
            list(self),
            self.summary,
            self._record,
            None,
            self.manifest,
            rules=self._rules,
            method=self._method,
        )


@verb(ObjectiveOptions, IndelOptions, GuardOptions, SeenOptions, LetterPolicy, SeedOption, ComputeOptions)
def maximize(
    model: Any,
    *,
    rules: Iterable[Rule] = (),
    objective: str | Sequence[str] = (),
    num: int | None = None,
    start: Any = None,
    length: int | None = None,
    method: str | Designer | None = None,
    settings: Mapping[str, Any] | None = None,
    budget: int | None = None,
    tries: int = TRIES,
    enough: float | None = None,
    include_known: bool = False,
    exclude: Any = (),
    generator: Any = None,
    condition: float | None = None,
    alphabet: str = "dna",
    **options: Any,
) -> Designs:
    """Sequences that a model scores highest, under hard constraints.

    Args:
        model: a Predictor or VAE, the folder of one, or any oracle: a torch module or function of one-hot
            sequences (N, V, L) that gives (N,) or (N, K) scores, or a list of such, which is an ensemble.
        rules: what every design must obey, such as ``seqdesign.rules.gc(0.4, 0.6)``.
        objective: what is better, as on the command line or by ``seqdesign.goals``; raise it when empty.
        num: designs wanted: 64 in all, or with ``start`` one of each.
        start: sequences to improve; designs begin from noise without.
        length: letters of a design from noise; the model's typical length when not given.
        method: how to search: a name, see ``seqdesign maximize --help``, or a designer of your own, a
            function of a SequenceProblem, options and a seed (see `seqdesign.testing.check_designer`).
        settings: settings of the method by name.
        budget: queries of the oracle in each run.
        tries: independent runs for each design wanted.
        enough: score at which a run ends.
        include_known: deliver also sequences that are measured already; else only new ones.
        exclude: sequences that are known besides, such as those of the last order.
        generator: a language model, GAN or VAE, or the folder of one: designs are what it would write.
        condition: outcome that a conditional generator shall write for.
        alphabet: letters of a function's channels: dna, rna, protein or letters:ABC...

    Returns:
        Designs with predictions in the outcome's units; ``.to_frame()``, ``.write(path)``, ``.report(path)``.

    Raises:
        InputError: nothing obeys the rules, or the oracle fails. UsageError. ModelError.

    Example:
        >>> found = maximize("models/predictor", num=64, rules=[seqdesign.rules.forbid("BsaI")])
    """
    called = dict(locals())
    given = pick(SeedOption, options), pick(ComputeOptions, options), pick(GuardOptions, options)
    seed, compute, guard = given
    goals = (objective,) if isinstance(objective, str) else tuple(objective)
    wish = pick(ObjectiveOptions, {**options, "objective": goals})
    limits, other = rule_options(rules), pick(IndelOptions, options)
    starts = None if start is None else sequence_set(start)
    with computing(compute.device, compute.threads) as device:
        written_by = _generator(generator, condition, device)
        letters = _length(length, limits, starts)
        opened = design_model(model, device, letters, alphabet, guard.judges, written_by, flanks_of(limits))
        records, summary = campaign.run(
            opened,
            objective=goals,
            risk=wish.risk,
            codons=wish.codons,
            pareto=wish.pareto,
            rules=limits,
            num=num,
            starts=starts,
            letters=pick(LetterPolicy, options),
            length=length,
            indels=other.indels,
            lengths=other.lengths,
            method=method,
            settings=[f"{name}={value}" for name, value in (settings or {}).items()],
            budget=budget,
            tries=tries,
            enough=enough,
            min_confidence=guard.min_confidence,
            only_seen=pick(SeenOptions, options).letters == "seen",
            include_known=include_known,
            exclude=sequence_set(exclude).sequences if len(exclude) else (),
            seed=seed.seed,
        )
    manifest = in_memory("maximize", {**called, **options}, seed.seed, str(device))
    used = method or campaign.default_method(opened)
    name = used if isinstance(used, str) else getattr(used, "__name__", "a function")
    return Designs(records, summary, manifest, opened, name, to_dict(limits))


@verb(
    GoalOptions,
    SeenOptions,
    SimilarityLimit,
    ReviseOptions,
    SearchOptions,
    LetterPolicy,
    SeedOption,
    ComputeOptions,
)
def revise(
    model: Any,
    sequences: Any,
    *,
    rules: Iterable[Rule] = (),
    method: Literal["revise", "search"] | str = "revise",
    judge: Any = None,
    **options: Any,
) -> Revisions:
    """Better versions of given sequences that stay natural (REVISE; Mueller, Gifford and Jaakkola 2017).

    Args:
        model: a VAE trained with outcomes, or its folder.
        sequences: a SequenceSet, strings, a DataFrame or a path.
        rules: what every revision must obey, such as ``seqdesign.rules.max_edits(3)``; the options below say
            the same.
        method: ``revise``, or the baseline ``search``.
        judge: a predictor, or its folder, whose judges choose among more candidates and give intervals.

    Returns:
        Revisions with outcome before and after in its units, log-likelihoods in nats, and edits.

    Raises:
        UnknownLetterError: a letter that the model does not know. InputError. ModelError. UsageError.

    Example:
        >>> better = revise(vae, ["AGUGCGUUU"], max_edits=3)
    """
    called = dict(locals())
    opened = as_model(model)
    if not isinstance(opened, VAE):
        raise UsageError(f"revise needs a VAE, got a {opened.kind}; use maximize with it", option="model")
    stated = rule_options(rules)
    defaults = ConstraintOptions()
    ruled = {k: v for k in defaults.__dataclass_fields__ if (v := getattr(stated, k)) != getattr(defaults, k)}
    goal = pick(GoalOptions, {**ruled, **options})
    optimize = revisions.find_method(method)
    kind = inspect.get_annotations(optimize, eval_str=True).get("options", ReviseOptions)
    seed, compute = pick(SeedOption, options), pick(ComputeOptions, options)
    about, near = opened.trained.record, pick(SimilarityLimit, options)
    positional = about.min_length == about.max_length
    evidence = evidence_of(opened.measured, about.alphabet, positional=positional, both_strands=False)
    with computing(compute.device, compute.threads) as device:
        opened.trained.model.to(device)
        records, summary = revisions.run(
            opened.trained,
            sequence_set(sequences),
            goal=goal,
            letters=pick(LetterPolicy, options),
            optimize=optimize,
            options=pick(kind, options),
            evidence=evidence,
            only_seen=pick(SeenOptions, options).letters == "seen",
            judge=None if judge is None else _judge(judge, device),
            alike=similarity_limit(near.similarity, near.min_similarity, device),
            seed=seed.seed,
            device=device,
        )
    manifest = in_memory("revise", {**called, **options}, seed.seed, str(device))
    ruled_by = to_dict(part(goal, ConstraintOptions))
    return Revisions(records, summary, manifest, record=opened.trained.record, rules=ruled_by, method=method)


def _judge(model: Any, device: torch.device) -> DesignModel:
    """A predictor that ranks revisions. Raises UsageError."""
    opened = as_model(model)
    if not isinstance(opened, Predictor):
        raise UsageError(f"must be a predictor, got a {opened.kind}", option="judge")
    return design_model(opened, device, None, opened.trained.record.alphabet.name, JUDGES)


def design_model(
    model: Any,
    device: torch.device,
    length: int | None,
    alphabet: str,
    judges: float,
    generator: Generator | None = None,
    flanks: tuple[str, str] = ("", ""),
) -> DesignModel:
    """Whatever says how good a sequence is, ready for design."""
    if isinstance(model, str | os.PathLike):
        model = as_model(model)
    if isinstance(model, Predictor):
        model.trained.model.to(device)
        found = of_predictor(model.trained, model.reference, device, name=model.name, measured=model.measured)
    elif isinstance(model, VAE):
        model.trained.model.to(device)
        found = of_vae(model.trained, device, name=model.name, measured=model.measured)
    elif isinstance(model, Model):
        raise UsageError(f"a {model.kind} predicts no outcome; use a predictor or a VAE", option="model")
    elif hasattr(model, "outcomes") and hasattr(model, "differentiable"):
        oracle: Oracle = model
        found = DesignModel(type(model).__name__, oracle, device)
    else:
        functions: Sequence[Callable[..., Any]] = model if isinstance(model, list | tuple) else [model]
        if not functions or not all(callable(f) for f in functions):
            raise UsageError(f"must be a model, a function or a list of such, got {model!r}", option="model")
        if length is None and generator is not None:
            length = generator.lengths[1]
        if length is None:
            raise UsageError("is needed with a function, or a template or starts", option="length")
        for function in functions:
            if isinstance(function, nn.Module):
                function.to(device)
        name = getattr(functions[0], "__name__", type(functions[0]).__name__)
        letters = get_alphabet(alphabet)
        tried = length + sum(map(len, flanks))
        made = FunctionOracle(functions, alphabet=letters, length=tried, name=name, device=device)
        found = DesignModel(name, made, device)
    if any(flanks) and found.lengths is None:
        found.oracle = ConstructOracle(found.oracle, *flanks)
    return with_judges(found, generator, judges)


def _generator(model: Any, condition: float | str | None, device: torch.device) -> Generator | None:
    """A model that writes sequences, or the one in a folder, ready for design. Raises UsageError."""
    if model is None:
        return None
    if isinstance(model, str | os.PathLike):
        return load_generator(Path(model), condition, device)
    opened = as_model(model)
    family = family_named(opened.kind, opened.name)
    return generator_of(family, getattr(opened, "trained", None), condition, device, name=opened.name)


def _length(length: int | None, limits: ConstraintOptions, starts: Any) -> int | None:
    if length is not None:
        return length
    if limits.template is not None:
        return len(limits.template)
    return None if starts is None else len(starts.sequences[0])


def in_memory(name: str, options: Mapping[str, Any], seed: int | None, device: str) -> Manifest:
    """The manifest of something made in Python: nothing that could be typed, but its circumstances."""
    shown = {k: str(v)[:200] for k, v in options.items() if v not in (None, (), {}) and k != "options"}
    return Manifest(
        command=f"seqdesign.{name}(...) in Python",
        config=shown,
        seed=seed,
        device=device,
        threads=None,
        inputs={},
        versions=library_versions(),
        started=utc_now(),
        name=name,
    )
