"""The public face is complete: names, docstrings, options, errors, kinds of input, what records can do."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

import seqdesign as sd

ROOT = Path(__file__).resolve().parents[2]
VERBS = [name for name in sd.__all__ if inspect.isfunction(getattr(sd, name))]
DECORATED = [name for name in VERBS if getattr(sd, name).__module__.startswith("seqdesign.verbs")]
LENGTH = 12


def texts(num: int = 64) -> list[str]:
    """Different random sequences."""
    rng = np.random.default_rng(0)
    return list(dict.fromkeys("".join(rng.choice(list("ACGT"), LENGTH)) for _ in range(num)))


def outcomes() -> list[float]:
    """About the number of G."""
    return [text.count("G") + 0.05 * i % 0.3 for i, text in enumerate(texts())]


@pytest.fixture(scope="module")
def predictor() -> Any:
    return sd.train_predictor(texts(), outcomes(), epochs=2, members=3, hidden=8, channels=4)


@pytest.fixture(scope="module")
def vae() -> Any:
    return sd.train_vae(texts(), outcomes(), epochs=2, hidden=8, latent_dim=2)


def count_g(x: Tensor) -> Tensor:
    return x[:, 2].sum(1)


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.0, 0.0, 1.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nvl,v->n", x, self.weight)


def test_all_names_are_sorted_and_there() -> None:
    assert sd.__all__ == sorted(sd.__all__)
    assert [name for name in sd.__all__ if getattr(sd, name, None) is None] == []
    assert set(sd.__all__) <= set(dir(sd))
    with pytest.raises(AttributeError, match="module 'seqdesign' has no attribute 'maximise'"):
        sd.maximise  # noqa: B018
    assert {"read", "train_predictor", "maximize", "revise", "sample", "report"} <= set(VERBS)
    for room in (sd.rules, sd.goals, sd.testing):
        assert room.__all__ == sorted(room.__all__)
        assert [name for name in room.__all__ if getattr(room, name, None) is None] == []


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_what_it_takes_gives_and_raises_with_an_example(name: str) -> None:
    verb = getattr(sd, name)
    text = inspect.getdoc(verb) or ""
    sections = re.findall(r"^(Args|Returns|Raises|Example):$", text, re.MULTILINE)
    assert sections == ["Args", "Returns", "Raises", "Example"]
    for parameter in inspect.signature(verb).parameters.values():
        assert parameter.kind is not parameter.VAR_KEYWORD
        assert re.search(rf"^    (- )?{parameter.name}: \S", text, re.MULTILINE), parameter.name
    assert re.search(rf">>> .*\b{name}\(", text.partition("Example:")[2])


def test_the_reference_and_the_site_hold_every_name() -> None:
    api = (ROOT / "docs" / "api.md").read_text()
    shown = set(re.findall(r"^::: seqdesign\.(\w+)$", api, re.MULTILINE))
    assert shown == set(sd.__all__) - {"__version__", "oracles"}
    site = (ROOT / "mkdocs.yml").read_text()
    pages = [p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if not re.search(rf"[\s\[]{re.escape(page)}[,\]\s]", site)] == []


def calls_of(block: str) -> list[ast.Call]:
    """The calls of ``sd.verb(...)`` and ``sd.room.function(...)``."""
    calls = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)]
    return [call for call in calls if re.fullmatch(r"sd(\.\w+)+", ast.unparse(call.func))]


def test_calls_in_the_documents_fit_the_verbs() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    blocks = [b for page in pages for b in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)]
    blocks += [path.read_text() for path in (ROOT / "examples").glob("*.py")]
    calls = [call for block in blocks for call in calls_of(block)]
    for call in calls:
        function: Any = sd
        for part in ast.unparse(call.func).split(".")[1:]:
            function = getattr(function, part)
        given = {keyword.arg: None for keyword in call.keywords if keyword.arg}
        args = [value for value in call.args if not isinstance(value, ast.Starred)]
        assert inspect.signature(function).bind(*args, **given), ast.unparse(call)
    assert len(calls) > 20


@pytest.mark.parametrize("name", DECORATED)
def test_a_wrong_option_is_a_type_error_that_suggests_the_right_one(name: str) -> None:
    verb = getattr(sd, name)
    right = list(inspect.signature(verb).parameters)[-1]
    with pytest.raises(TypeError, match=rf"{name}\(\) has no option '{right}x'.*'{right}'"):
        verb(**{f"{right}x": 1})


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "option": (lambda m: sd.train_predictor(texts(), outcomes(), batch_size=0), r"^batch_size"),
    "choice": (lambda m: sd.train_vae(texts(), encoder="oracle"), r"^encoder"),
    "lengths": (lambda m: sd.train_predictor(texts(), [1.0]), r"^outcomes: must be 64 values"),
    "column": (lambda m: sd.train_predictor(pd.DataFrame({"seq": texts()}), outcome="y"), r"^outcome"),
    "method": (lambda m: sd.maximize(m, method="genetic"), r"^method: unknown method 'genetic'"),
    "setting": (lambda m: sd.maximize(m, method="greedy", settings={"speed": 2}), r"^settings: "),
    "rules": (lambda m: sd.maximize(m, rules=["--gc 0.4"]), r"^rules: must be rules such as"),
    "goal": (lambda m: sd.maximize(m, objective="max:activity"), r"^objective: "),
    "no length": (lambda m: sd.maximize(count_g), r"^length: is needed"),
    "generator": (lambda m: sd.maximize(m, generator=m), r"^generator: .* writes no sequences"),
    "designer": (lambda m: sd.maximize(m, method=lambda problem, options, seed: None), r"^method: "),
    "revise": (lambda m: sd.revise(m, texts()[:1]), r"^model: revise needs a VAE"),
    "letters": (lambda m: sd.predict(m, ["ACGTACGTACGX"]), r"'X'.*on_unknown="),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_speak_of_arguments(case: str, predictor: Any) -> None:
    call, message = WRONG[case]
    with pytest.raises(sd.errors.SeqDesignError, match=message) as caught:
        call(predictor)
    assert "--" not in str(caught.value)
    assert "--" not in (getattr(caught.value, "option", None) or "")


def test_strings_frames_sets_and_files_are_sequences_alike(predictor: Any, tmp_path: Path) -> None:
    some = texts()[:5]
    frame = pd.DataFrame({"id": [f"seq{i + 1}" for i in range(5)], "sequence": some})
    assert sd.write(some, tmp_path / "some.fa") == 5
    frame.to_csv(tmp_path / "some.csv", index=False)
    wanted = sd.predict(predictor, some)
    assert len(wanted) == 5
    for given in (frame, sd.read(tmp_path / "some.fa"), tmp_path / "some.csv", str(tmp_path / "some.fa")):
        pd.testing.assert_frame_equal(sd.predict(predictor, given), wanted)


def test_outcomes_are_read_alike_from_wherever_they_come(tmp_path: Path) -> None:
    measured = [1.5, float("nan"), -2.0]
    frame = pd.DataFrame({"sequence": texts()[:3], "outcome": measured})
    for name in ("m.csv", "m.fa"):
        sd.write(frame, tmp_path / name)
        again = sd.read(tmp_path / name)
        np.testing.assert_equal(again.outcomes, np.array(measured))
        assert [float(cell) if cell else None for cell in again.columns["outcome"]] == [1.5, None, -2.0]
    loaded = sd.load_dataset("rna_mpsa_5ss9").take(range(3))
    sd.write(loaded, tmp_path / "loaded.fa")
    np.testing.assert_equal(sd.read(tmp_path / "loaded.fa").outcomes, loaded.outcomes)


def test_a_frame_and_lists_train_the_same_model_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    tiny = {"epochs": 1, "hidden": 8, "latent_dim": 2}
    frame = pd.DataFrame({"sequence": texts(), "outcome": outcomes()})
    both = [sd.train_vae(texts(), outcomes(), **tiny), sd.train_vae(frame, **tiny)]
    first, second = (model.predict(texts()[:4]) for model in both)
    pd.testing.assert_frame_equal(first, second)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    "model", [count_g, Linear(), [count_g, Linear()]], ids=["function", "module", "list"]
)
def test_functions_and_modules_are_models(model: Any) -> None:
    rules = [sd.rules.max_homopolymer(2), sd.rules.gc(0.0, 0.5)]
    found = sd.maximize(model, length=8, num=2, rules=rules, budget=60)
    assert len(found) == 2
    for text in found.sequences:
        assert text.count("G") == 4
        assert "GGG" not in text
    edited = sd.maximize(model, start=["AAAAAAAA"], rules=[sd.rules.max_edits(2)], budget=60, method="greedy")
    assert edited.sequences[0].count("G") == 2


def check_record(record: Any, folder: Path, rows: int) -> None:
    """Everything that a record promises."""
    assert record.text()
    assert "--" not in record.text()
    json.dumps(record.to_dict())
    assert len(record.to_frame()) == rows
    assert record.write(folder / "rows.csv") == rows
    assert len(pd.read_csv(folder / "rows.csv")) == rows
    page = record.report(folder / "page.html")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "<" in record._repr_html_()
    assert repr(record).startswith(f"<{type(record).__name__}")


def test_records_show_tell_and_write_and_no_verb_prints(
    predictor: Any, vae: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    designs = sd.maximize(predictor, num=2, budget=20, tries=1)
    check_record(designs, tmp_path, 2)
    assert designs.write(tmp_path / "designs.fa") == 2
    assert sd.read(tmp_path / "designs.fa").sequences == designs.sequences
    better = sd.revise(vae, texts()[:2], max_edits=2)
    check_record(better, tmp_path, 2)
    why = sd.attribute(predictor, texts()[:2])
    check_record(why, tmp_path, 2 * LENGTH)
    evaluated = sd.evaluate(sd.sample(vae, 40), texts()[:40], resamples=10)
    check_record(evaluated, tmp_path, len(evaluated.to_frame()))
    assert sd.report(
        [predictor.save(tmp_path / "model"), tmp_path / "designs.fa"], tmp_path / "all.html"
    ).exists()
    assert capfd.readouterr().out == ""


def test_a_predictor_judges_revisions(predictor: Any, vae: Any) -> None:
    judged = sd.revise(vae, texts()[:2], max_edits=2, judge=predictor).to_frame()
    revised = judged["status"] == "revised"
    assert judged.loc[revised, "judged"].notna().all()
    with pytest.raises(sd.errors.UsageError, match="^judge: must be a predictor, got a vae"):
        sd.revise(vae, texts()[:1], judge=vae)


def test_a_model_is_the_same_after_saving_and_loading(predictor: Any, vae: Any, tmp_path: Path) -> None:
    for model in (predictor, vae):
        again = sd.load(model.save(tmp_path / model.kind))
        pd.testing.assert_frame_equal(again.predict(texts()[:3]), model.predict(texts()[:3]))
    assert sd.sample(tmp_path / "vae", 5, seed=3) == vae.sample(5, seed=3)


def test_a_generator_keeps_designs_in_its_space(predictor: Any) -> None:
    gan = sd.train_gan(texts(), steps=2, channels=8)
    found = sd.maximize(predictor, generator=gan, num=2, budget=20, tries=1)
    assert found.to_frame()["critic"].between(0, 100).all()
