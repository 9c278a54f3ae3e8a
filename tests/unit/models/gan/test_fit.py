"""Promises of GAN training in memory: the stream of rows, judging, folders, sampling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from seqdesign.errors import InputError, ModelError
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.fit import GANTraining, Stretch, kept, make_plan, split, train_sequence_gan
from seqdesign.models.gan.fit_options import GANFitOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.gan.quality import Judge
from seqdesign.models.gan.sampling import draw
from seqdesign.models.gan.store import GANRecord, load_gan, save_gan
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary, decode, encode
from seqdesign.training.data import TokenData
from seqdesign.training.loop import Hooks, fit
from seqdesign.training.store import WEIGHTS, load_checkpoint
from seqdesign.training.tensor_file import read_tensors

DNA = get_alphabet("dna")
MODEL = {"latent_dim": 5, "channels": 6, "mapping": 8}
FIT = {"steps": 4, "judge_every": 2, "batch_size": 8}
CPU = torch.device("cpu")


def strings(n: int = 60, low: int = 8, high: int = 8) -> list[str]:
    rng = np.random.default_rng(0)
    return ["".join(rng.choice(list("ACGT"), size=rng.integers(low, high + 1))) for _ in range(n)]


def train(fabric: Fabric, texts: list[str], y: Any = None, **given: Any) -> GANTraining:
    model = {k: v for k, v in given.items() if k in GANOptions.__dataclass_fields__}
    fit = {k: v for k, v in given.items() if k in GANFitOptions.__dataclass_fields__}
    rest = {k: v for k, v in given.items() if k not in model | fit}
    return train_sequence_gan(
        encode(texts, DNA), y, options=GANOptions(**(MODEL | model)),
        fit_options=GANFitOptions(**(FIT | fit)), seed=0, fabric=fabric, **rest,
    )  # fmt: skip


def sampled(trained: Any, num: int, **given: Any) -> list[str]:
    rng = torch.Generator().manual_seed(3)
    drawn = draw(trained.generator, num, rng, end=trained.end, shares=trained.record.shares, **given)
    return [t for tokens, _ in drawn for t in decode(tokens.numpy(), trained.record.alphabet)]


def test_the_last_look_that_is_as_good_as_the_best_is_kept(fabric: Fabric) -> None:
    """Below the tolerance a game is on its way, for patience too, and goes on getting better."""
    scores = iter([9.0, 5.0, 0.5, 1.95, 2.5, 1.9, 2.05])
    plan = replace(
        make_plan(GANOptions(), GANFitOptions(steps=6, judge_every=1), lambda m: {"score": next(scores)}, 4),
        patience=2,
    )
    model = SequenceGAN(GANOptions(**MODEL), Vocabulary(DNA), 8, 8)  # type: ignore[arg-type]
    data = TokenData.of(encode(strings(), DNA), None)
    seen: list[tuple[bool, float]] = []
    hooks = Hooks(
        save=lambda checkpoint, improved: seen.append((improved, checkpoint.state.best["generator"]))
    )
    options = GANFitOptions(batch_size=8)
    fitted = fit(model, Stretch(data, 8), data, options, seed=0, fabric=fabric, hooks=hooks, plan=plan)
    assert [improved for improved, _ in seen] == [True, True, True, False, True, False]
    assert [best for _, best in seen] == [5.0, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert fitted.stop_reason == "epochs"
    assert kept(fitted.state.history)["epoch"] == 5


def test_while_the_critic_runs_away_only_better_words_are_kept() -> None:
    """A gradient of five times its median is a game that is broken down, until it comes back."""
    scores = [3.0, 2.0, 1.5, 1.3, 2.4, 2.6, 2.5, 1.2]
    looks = [{"held_out_score": s, "train_critic_gradient": 0.7, "epoch": i} for i, s in enumerate(scores)]
    assert kept(looks[:6])["epoch"] == 5
    looks[5]["train_critic_gradient"] = 3.5
    assert kept(looks[:6])["epoch"] == 4
    assert kept(looks[:7])["epoch"] == 6
    looks[7]["train_critic_gradient"] = 3.5
    assert kept(looks)["epoch"] == 7
    looks[2]["train_critic_gradient"] = 3.5  # too few looks before it to say what is usual
    assert kept(looks[:3])["epoch"] == 2


def test_a_stretch_is_an_endless_shuffled_stream() -> None:
    data = TokenData.of(encode(strings(10), DNA), None)
    batches = Stretch(data, 24).batches(torch.arange(24), 3, torch.Generator().manual_seed(0))
    rows = torch.cat(list(batches)).tolist()
    assert [len(b) for b in batches] == [8, 8, 8]
    assert sorted(rows[:10]) == sorted(rows[10:20]) == list(range(10))
    assert rows[:10] != rows[10:20]


def test_the_published_wgan_is_what_runs(fabric: Fabric, tmp_path: Path) -> None:
    """Arjovsky et al. 2017, algorithm 1: all weights of the running critic, biases too, within 0.01."""
    plan = make_plan(GANOptions(objective="wgan"), GANFitOptions(), lambda model: {}, 21)
    critic, generator = plan.players["critic"], plan.players["generator"]
    assert (critic.optimizer, critic.learning_rate, critic.max_weight) == ("rmsprop", 5e-5, 0.01)
    assert (generator.every, generator.max_weight, generator.clip) == (5, None, None)
    assert GANFitOptions().batch_size == 64
    train(fabric, strings(), objective="wgan", folder=tmp_path)
    tensors, _ = read_tensors(tmp_path / "checkpoint/last.safetensors")
    running = {name: t.abs().max().item() for name, t in tensors.items() if name.startswith("model/")}
    assert max(v for name, v in running.items() if "critic" in name) <= 0.01
    assert max(v for name, v in running.items() if "generator" in name) > 0.01


def test_large_alphabets_are_learned_more_slowly_by_r3gan_only() -> None:
    def rate(symbols: int, **options: Any) -> float:
        plan = make_plan(GANOptions(**options), GANFitOptions(), lambda model: {}, symbols)
        assert plan.players["critic"].learning_rate == plan.players["generator"].learning_rate
        return plan.players["critic"].learning_rate

    assert rate(4, objective="r3gan") == rate(5, objective="r3gan") == 4 * rate(20, objective="r3gan")
    assert rate(4, objective="wgan-gp") == rate(21, objective="wgan-gp") == 1e-4


@pytest.mark.parametrize("lengths", [(8, 8), (4, 9)])
def test_samples_have_lengths_and_letters_of_the_data(fabric: Fabric, lengths: tuple[int, int]) -> None:
    result = train(fabric, strings(60, *lengths))
    found = sampled(result.trained, 200)
    assert len(found) == 200
    assert {len(t) for t in found} <= set(range(lengths[0], lengths[1] + 1))
    assert set("".join(found)) <= set("ACGT")


def test_samples_do_not_depend_on_the_chunk(fabric: Fabric) -> None:
    """Oracle 22."""
    trained = train(fabric, strings()).trained
    whole = sampled(trained, 300)
    assert whole == sampled(trained, 300, chunk=1) == sampled(trained, 300, chunk=100)
    assert whole[:70] == sampled(trained, 70)
    assert sampled(trained, 100, argmax=True) == sampled(trained, 100, argmax=True, chunk=7)


def test_draws_follow_the_probabilities_and_the_temperature(fabric: Fabric) -> None:
    generator = train(fabric, strings()).trained.generator
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.zero_()
        generator.letters.bias.copy_(torch.tensor([0.5, 0.3, 0.15, 0.05]).log())
    trained = type("T", (), {"generator": generator, "end": None, "record": None})()
    for temperature, argmax in ((1.0, False), (0.5, False), (1.0, True)):
        rng = torch.Generator().manual_seed(0)
        drawn = draw(generator, 2000, rng, end=trained.end, temperature=temperature, argmax=argmax)
        tokens = torch.cat([t for t, _ in drawn]).long()
        found = torch.bincount(tokens.flatten(), minlength=4) / tokens.numel()
        p = torch.tensor([0.5, 0.3, 0.15, 0.05]) ** (1 / temperature)
        wanted = torch.tensor([1.0, 0, 0, 0]) if argmax else p / p.sum()
        torch.testing.assert_close(found, wanted, rtol=0, atol=0.015)


def test_a_model_read_back_draws_the_same(fabric: Fabric, tmp_path: Path) -> None:
    result = train(fabric, strings(60, 4, 9))
    save_gan(tmp_path, result.model, result.trained.record)
    loaded = load_gan(tmp_path, CPU)
    assert loaded.record == result.trained.record
    assert GANRecord.from_dict(loaded.record.to_dict()) == loaded.record
    assert sampled(loaded, 80) == sampled(result.trained, 80)
    assert not loaded.generator.training


def test_the_folder_shows_fixed_noise_at_every_look(fabric: Fabric, tmp_path: Path) -> None:
    train(fabric, strings(), folder=tmp_path)
    names = sorted(p.name for p in (tmp_path / "samples").iterdir())
    assert names == ["step_0000000.fa", "step_0000002.fa", "step_0000004.fa"]
    assert (tmp_path / "samples" / names[0]).read_text().count(">z") == 16


def test_a_checkpoint_keeps_the_averages(fabric: Fabric, tmp_path: Path) -> None:
    seen: list[str] = []
    train(fabric, strings(), folder=tmp_path)
    identity = read_tensors(tmp_path / "checkpoint/last.safetensors")[1]["identity"]
    checkpoint = load_checkpoint(tmp_path, identity)
    seen += checkpoint.averages
    assert seen
    assert all(name.startswith("generator.") for name in seen)


def test_an_unfinished_folder_is_said_to_be_one(fabric: Fabric, tmp_path: Path) -> None:
    train(fabric, strings(), folder=tmp_path)
    assert not (tmp_path / WEIGHTS).exists()
    with pytest.raises(ModelError, match="unfinished training run; finish it with train-gan --resume"):
        load_gan(tmp_path, CPU)


def test_a_perfect_generator_scores_about_nothing_and_a_bad_one_a_lot(fabric: Fabric) -> None:
    """Uniform letters are learned by a generator without weights; one that writes only A is far off."""
    data = TokenData.of(encode(strings(1500), DNA), None)
    half = [
        TokenData(data.tokens[i], data.lengths[i], data.outcomes[i])
        for i in (slice(0, 750), slice(750, None))
    ]
    judge = Judge(half[0], half[1], DNA, (), seed=0)
    model = train(fabric, strings()).model.eval()
    with torch.no_grad():
        for parameter in model.generator.parameters():
            parameter.zero_()
    good = judge(model)
    with torch.no_grad():
        model.generator.letters.bias.copy_(torch.tensor([5.0, 0.0, 0.0, 0.0]))
    bad = judge(model)
    assert abs(good["score"]) < 0.5 < 2.0 < bad["score"]
    assert bad["repeats"] > 0.5 > 0.1 > good["repeats"]


def test_three_sets_have_nothing_in_common() -> None:
    """Training, validation and test: no sequence, and no reverse complement, in two of them."""
    texts = strings(300, 6, 6) + ["AAAACC", "GGTTTT", "AAAACC"] * 10
    parts = split(encode(texts, DNA), GANFitOptions(held_out=0.2), seed=1)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(texts)))
    turn = str.maketrans("ACGT", "TGCA")
    sets = [{min(texts[i], texts[i].translate(turn)[::-1]) for i in part} for part in parts]
    assert len(sets[0] | sets[1] | sets[2]) == sum(map(len, sets))
    assert min(map(len, parts)) > 15


def test_classes_are_labels_or_bins_of_equal_numbers(fabric: Fabric) -> None:
    texts = strings(80)
    y = np.repeat([1.0, 2.0], [60, 20])
    labels = train(fabric, texts, y, condition="label").trained.record
    assert labels.classes == (1.0, 2.0)
    assert labels.shares == pytest.approx((0.75, 0.25), abs=0.06)
    bins = train(fabric, texts, np.arange(80.0), condition="bins", bins=4).trained.record
    assert len(bins.classes) == 4
    assert bins.shares == pytest.approx((0.25,) * 4, abs=0.02)


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (None, "--condition needs 'outcome' for every sequence"),
        (np.ones(60), "falls into 1 classes with --condition label; between 2 and 50"),
        (np.arange(60.0), "falls into 5. classes with --condition label"),
    ],
)
def test_outcomes_that_make_no_classes_are_refused(fabric: Fabric, y: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        train(fabric, strings(), y, condition="label")
