"""``seqdesign datasets``: list the bundled data, describe one data set, or copy it out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from seqdesign.commands.session import checked
from seqdesign.config import CommandConfig, Flag, Positional, Written
from seqdesign.runs.result import Result
from seqdesign.sequences.bundled import PREFIX, DatasetInfo, dataset_info, list_datasets, resolve_input


@dataclass(frozen=True, kw_only=True)
class DatasetsConfig(CommandConfig):
    """List the bundled data sets, describe one, or copy it out.

    Example: seqdesign datasets rna_mpsa_5ss9
    """

    name: Annotated[str | None, Positional("NAME")] = None
    """Data set to describe or copy, or NAME/FILE for another of its files; all are listed without it."""
    output: Annotated[Path | None, Flag("-o"), Written()] = None
    """Copy the data to this file, compressed by its suffix; - is stdout."""

    def problems(self) -> Iterator[str]:
        """Copying needs a name, and stdout for itself."""
        if self.output is not None and self.name is None:
            yield "--output: name the data set to copy, as in: seqdesign datasets NAME -o FILE"
        if self.json and self.output == Path("-"):
            yield "--json: stdout carries the data; name a file with -o"


@dataclass(frozen=True, kw_only=True)
class DatasetsResult(Result):
    """The data sets, one for each entry."""

    command: ClassVar[str] = "datasets"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stdout"

    datasets: tuple[DatasetInfo, ...]
    detailed: bool

    def text(self) -> str:
        """A line for each data set, or all that is known about one."""
        return _details(self.datasets[0]) if self.detailed else _listing(self.datasets)


@dataclass(frozen=True, kw_only=True)
class CopyResult(Result):
    """What was copied where."""

    command: ClassVar[str] = "datasets"

    dataset: DatasetInfo
    file: str
    output: str

    def text(self) -> str:
        """One line."""
        return f"copied {self.dataset.name}/{self.file} to {self.output}"


@checked
def datasets(config: DatasetsConfig) -> DatasetsResult | CopyResult:
    """List, describe or copy bundled data.

    Raises UsageError for an unknown name, InputError for a damaged installation, OutputError when the copy
    cannot be written.
    """
    if config.name is None:
        infos = tuple(dataset_info(name, verify=False) for name in list_datasets())
        return DatasetsResult(datasets=infos, detailed=False)
    info = dataset_info(config.name.partition("/")[0])
    source = resolve_input(PREFIX + config.name)
    if config.output is None:
        return DatasetsResult(datasets=(info,), detailed=True)
    _copy(source, config.output)
    return CopyResult(dataset=info, file=os.path.basename(source), output=str(config.output))


def _copy(source: str, output: Path) -> None:
    from seqdesign.runs.atomic import atomic_write
    from seqdesign.sequences.compression import open_input, open_output

    if output.suffix == Path(source).suffix:  # the same compression: the same bytes, so that checksums hold
        with open(source, "rb") as reader, atomic_write(output) as writer:
            shutil.copyfileobj(reader, writer)
        return
    with open_input(source) as content, open_output(output) as writer:
        shutil.copyfileobj(content, writer)


def _length(info: DatasetInfo) -> str:
    if info.min_length == info.max_length:
        return str(info.min_length)
    return f"{info.min_length}-{info.max_length}"


def _listing(infos: tuple[DatasetInfo, ...]) -> str:
    rows = [("name", "records", "length", "alphabet", "what")]
    rows += [(i.name, f"{i.rows:,}", _length(i), i.alphabet, i.title) for i in infos]
    a, b, c, d = (max(len(row[k]) for row in rows) for k in range(4))
    lines = [f"{r[0]:<{a}}  {r[1]:>{b}}  {r[2]:>{c}}  {r[3]:<{d}}  {r[4]}" for r in rows]
    return "\n".join([*lines, "", f"Use {PREFIX}NAME wherever a command takes a file."])


def _details(info: DatasetInfo) -> str:
    facts = {
        "records": f"{info.rows:,} {info.kind}, length {_length(info)}, {info.alphabet}",
        "outcome": info.outcome,
        "weights": f"column {info.weight_column}" if info.weight_column else "",
        "note": info.note,
        "source": info.source,
        "reference": info.reference,
        "licence": info.licence,
        "file": str(info.path),
        "other files": ", ".join(info.other_files),
        "sha256": f"{info.sha256} (verified)",
    }
    return "\n".join([f"{info.name}: {info.title}", *(f"  {k + ':':<12} {v}" for k, v in facts.items() if v)])
