"""Model folders and checkpoints: what was saved comes back, and what does not fit is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.errors import ModelError
from seqdesign.models.vae.drawing import codes
from seqdesign.models.vae.fit import VAETraining
from seqdesign.models.vae.store import TrainedVAE, VAERecord, load_vae
from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS, load_checkpoint, save_model
from seqdesign.training.tensor_file import read_tensors, write_tensors

CPU = torch.device("cpu")


@pytest.fixture
def run(tiny: SimpleNamespace, tmp_path: Path) -> tuple[VAETraining, Path]:
    """A finished run and its folder."""
    texts = tiny.strings()
    result = tiny.train(texts, tiny.outcomes(texts), encoder="gru", folder=tmp_path)
    save_model(tmp_path, result.trained.model, result.trained.record)
    return result, tmp_path


def test_a_model_read_back_gives_identical_numbers(run: tuple[VAETraining, Path]) -> None:
    """Oracle 22; the record is equal and the global generator is left alone."""
    result, folder = run
    before = torch.random.get_rng_state()
    loaded = load_vae(folder, CPU)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert loaded.record == result.trained.record
    assert not loaded.model.training
    tokens, lengths = torch.tensor([[0, 1, 2, 3], [3, 3, 0, 1]]), torch.tensor([4, 4])
    for one, two in ((result.trained.model, loaded.model),):
        assert torch.equal(one.log_likelihood(tokens, lengths), two.log_likelihood(tokens, lengths))
        z = one.encode(tokens, lengths).mean
        assert torch.equal(z, two.encode(tokens, lengths).mean)
        assert torch.equal(one.outcome(z), two.outcome(z))
        assert torch.equal(one.decoder.log_prob(z, tokens, lengths), two.decoder.log_prob(z, tokens, lengths))


def test_config_json_is_a_copy_of_the_record_for_people(run: tuple[VAETraining, Path]) -> None:
    result, folder = run
    assert json.loads((folder / CONFIG).read_text()) == json.loads(
        json.dumps(result.trained.record.to_dict(), default=str)
    )


def test_metrics_have_a_row_a_pass(run: tuple[VAETraining, Path]) -> None:
    result, folder = run
    head, *rows = (folder / METRICS).read_text().splitlines()
    assert head.split(",")[:3] == ["epoch", "step", "learning_rate"]
    assert [float(v) for v in rows[-1].split(",")] == list(result.fit.state.history[-1].values())
    assert len(rows) == 2


def test_an_unfinished_folder_is_said_to_be_one(run: tuple[VAETraining, Path]) -> None:
    """A model folder is complete or it is not a model."""
    folder = run[1]
    (folder / WEIGHTS).unlink()
    with pytest.raises(
        ModelError, match="holds an unfinished training run; finish it with train-vae --resume"
    ):
        load_vae(folder, CPU)
    (folder / CHECKPOINT).unlink()
    with pytest.raises(ModelError, match="does not exist; train the model first"):
        load_vae(folder, CPU)


def drop(tensors: dict[str, Tensor]) -> None:
    del tensors["posterior_mean.bias"]


def add(tensors: dict[str, Tensor]) -> None:
    tensors["one_more"] = torch.zeros(1)


def widen(tensors: dict[str, Tensor]) -> None:
    tensors["posterior_mean.bias"] = torch.zeros(99)


@pytest.mark.parametrize(
    ("edit", "word"), [(drop, "posterior_mean.bias"), (add, "one_more"), (widen, "size mismatch")]
)
def test_tensors_that_do_not_fit_the_record_are_refused(
    run: tuple[VAETraining, Path], edit: Callable[[dict[str, Tensor]], None], word: str
) -> None:
    """Robustness 16: missing tensor, extra tensor, shape lie, each under a valid checksum."""
    path = run[1] / WEIGHTS
    tensors, record = read_tensors(path)
    edit(tensors)
    write_tensors(path, tensors, record)
    with pytest.raises(ModelError, match=f"does not fit its own record.*{word}"):
        load_vae(run[1], CPU)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "gan"}, "is of kind 'gan', a VAE is needed"),
        ({"kind": None}, "is of kind None, a VAE is needed"),
        ({"max_length": 7}, "does not fit its own record"),
        ({"options": {"hidden": -1}}, "cannot read.*--hidden"),
        ({"options": {"unheard_of": 1}}, "cannot read.*unheard_of"),
        ({"alphabet": {}}, "cannot read"),
        ({"code_components": 10**9}, "cannot read.*components"),
    ],
)
def test_a_record_of_another_make_is_refused(
    run: tuple[VAETraining, Path], change: dict[str, Any], message: str
) -> None:
    """Robustness 16: wrong kind, wrong fields."""
    path = run[1] / WEIGHTS
    tensors, record = read_tensors(path)
    write_tensors(path, tensors, record | change)
    with pytest.raises(ModelError, match=message):
        load_vae(run[1], CPU)


def test_a_record_without_a_field_is_refused(run: tuple[VAETraining, Path]) -> None:
    path = run[1] / WEIGHTS
    tensors, record = read_tensors(path)
    for name in {f.name for f in dataclasses.fields(VAERecord)} - {"code_components"}:
        write_tensors(path, tensors, {k: v for k, v in record.items() if k != name})
        with pytest.raises(ModelError, match=f"cannot read .*{name}"):
            load_vae(run[1], CPU)


def test_a_checkpoint_holds_all_that_a_run_needs(run: tuple[VAETraining, Path]) -> None:
    result, folder = run
    _, raw = read_tensors(folder / CHECKPOINT)
    found = load_checkpoint(folder, raw["identity"])
    assert vars(found.state) == vars(result.fit.state)
    names = {name for name in result.trained.model.state_dict() if not name.startswith("code_law.")}
    assert set(found.model) == set(found.best) == names
    assert set(found.optimizers) == {"vae", "language_model"}


@pytest.mark.parametrize(
    "key", ["input", "model options", "training options", "--seed", "number of processes"]
)
def test_a_checkpoint_of_another_run_is_refused_by_name(run: tuple[VAETraining, Path], key: str) -> None:
    """Robustness 21."""
    folder = run[1]
    _, raw = read_tensors(folder / CHECKPOINT)
    with pytest.raises(
        ModelError, match=f"was made with other {key}; resume with the same input and options"
    ):
        load_checkpoint(folder, raw["identity"] | {key: "other"})


def test_no_checkpoint_and_no_checkpoint_file_are_refused(run: tuple[VAETraining, Path]) -> None:
    folder = run[1]
    (folder / CHECKPOINT).write_bytes((folder / WEIGHTS).read_bytes())
    with pytest.raises(ModelError, match="is not the checkpoint of a training run"):
        load_checkpoint(folder, {})
    (folder / CHECKPOINT).write_bytes(b"")
    with pytest.raises(ModelError, match="damaged"):
        load_checkpoint(folder, {})
    (folder / CHECKPOINT).unlink()
    with pytest.raises(ModelError, match="holds no checkpoint to resume; start without --resume"):
        load_checkpoint(folder, {})


def test_a_model_of_an_earlier_version_is_refused_by_name(run: tuple[VAETraining, Path]) -> None:
    """Its naturalness model was another network; the message says what to do."""
    path = run[1] / WEIGHTS
    tensors, record = read_tensors(path)
    del record["language"]
    write_tensors(path, tensors, record)
    with pytest.raises(
        ModelError, match=r"made by an earlier version.*train again with train-vae --overwrite"
    ):
        load_vae(run[1], CPU)


def test_a_model_without_a_law_of_codes_draws_from_the_prior(run: tuple[VAETraining, Path]) -> None:
    """As models of earlier versions do."""
    path = run[1] / WEIGHTS
    law = load_vae(run[1], CPU)
    assert law.record.code_components == 1
    tensors, record = read_tensors(path)
    del record["code_components"]
    write_tensors(path, {k: v for k, v in tensors.items() if not k.startswith("code_law.")}, record)
    earlier = load_vae(run[1], CPU)
    assert earlier.model.code_law is None

    def drawn(trained: TrainedVAE, **origin: Any) -> Tensor:
        return codes(trained.model, 5, torch.Generator().manual_seed(0), None, **origin)

    assert torch.equal(drawn(earlier), torch.randn(5, 3, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(drawn(earlier), drawn(law, origin="prior"))
    assert not torch.equal(drawn(earlier), drawn(law))
