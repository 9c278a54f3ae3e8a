"""What a page says of how it was made."""

from __future__ import annotations

import json
from pathlib import Path

from seqdesign.runs.manifest import Manifest, provenance, resolved_options


def manifest(**config: object) -> Manifest:
    return Manifest(
        command="seqdesign train-vae x.fa",
        name="train-vae",
        config=config,
        seed=0,
        device="cpu",
        threads=1,
        inputs={},
        versions={"seqdesign": "1"},
        started="2026-01-01T00:00:00+00:00",
    )


def test_options_left_to_the_command_show_what_it_took(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"options": {"latent_dim": 32, "width": "auto"}}))
    made = manifest(
        device="auto", latent_dim="auto", width="auto", epochs="auto", batch_size=64, method=None, keep=None
    )
    found = resolved_options(made, {"epochs": 18, "method": "mean-field"}, tmp_path)
    assert found == {
        "device": "cpu (auto)", "latent_dim": "32 (auto)", "width": "auto", "epochs": "18 (auto)",
        "batch_size": "64", "method": "mean-field (auto)",
    }  # fmt: skip
    assert provenance(made)["options"] == {
        "device": "cpu (auto)", "latent_dim": "auto", "width": "auto", "epochs": "auto", "batch_size": "64",
    }  # fmt: skip


def test_options_are_said_in_words() -> None:
    made = manifest(json=True, set_=["a=1", "b=2"], forbid=[], pareto=False, stop=True)
    assert resolved_options(made, {}) == {"set": "a=1, b=2", "pareto": "off", "stop": "on"}


def test_a_record_that_cannot_be_read_resolves_nothing(tmp_path: Path) -> None:
    for text in ("{", "[1]", '{"options": 3}'):
        (tmp_path / "config.json").write_text(text)
        assert resolved_options(manifest(width="auto"), {}, tmp_path) == {"width": "auto"}
