"""``seqdesign sample-vae``: new sequences from a trained VAE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.commands.device import compute
from seqdesign.commands.drawing import sift, write_samples
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.commands.session import checked
from seqdesign.config import Between, Flag, RunConfig, SequenceOutput
from seqdesign.runs.result import Result

if TYPE_CHECKING:
    from torch import Tensor

    from seqdesign.models.vae.store import TrainedVAE

BLOCK = 512


@dataclass(frozen=True, kw_only=True)
class SampleVAEConfig(SequenceOutput, RunConfig):
    """Draw new sequences: codes from the prior, decoded.

    Example: seqdesign sample-vae -n 1000 > new.fa
    """

    num: Annotated[int, Flag("-n"), Between(1)] = 100
    """Sequences to draw."""
    model: Annotated[Path, Flag("-m")] = Path("models/vae")
    """Folder of a model made by train-vae."""
    decode: Literal["sample", "greedy"] = "sample"
    """Draw each letter, or take the most probable one."""
    temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Below 1 the letters are drawn more conservatively, above 1 more freely."""

    def problems(self) -> Iterator[str]:
        """Greedy decoding has no temperature."""
        if self.decode == "greedy" and self.temperature != 1.0:
            yield "--temperature: has no effect with --decode greedy; leave it out"


@dataclass(frozen=True, kw_only=True)
class SampleVAEResult(Result):
    """What was drawn."""

    command: ClassVar[str] = "sample-vae"

    model: Path
    num: int
    output: Path | None

    def text(self) -> str:
        """One line."""
        return f"drew {self.num:,} sequences from {self.model}" + (
            f" into {self.output}" if self.output else ""
        )


@checked
def sample_vae(config: SampleVAEConfig) -> SampleVAEResult:
    """Write ``config.num`` sequences as FASTA, with log-likelihood and predicted outcome in their headers."""
    from seqdesign.models.vae.store import load_vae
    from seqdesign.sequences.compression import open_output

    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.model])
        trained = load_vae(config.model, device)
        warn_of(config.model, quiet=config.quiet)
        with open_output(config.output or "-") as handle:
            drawn = blocks(
                trained, config.seed, decode=config.decode, temperature=config.temperature, num=config.num
            )
            batches = (sift(tokens, texts, labels, None) for tokens, texts, labels in drawn)
            write_samples(batches, config.num, handle, is_new=None, remedy="")
    result = SampleVAEResult(model=config.model, num=config.num, output=config.output)
    leave_manifest(manifest, config, result)
    return result


def blocks(
    trained: TrainedVAE,
    seed: int,
    *,
    decode: Literal["sample", "greedy"] = "sample",
    temperature: float = 1.0,
    num: int | None = None,
) -> Iterator[tuple[Tensor, list[str], list[str]]]:
    """Tokens (n, L), sequences and what stands behind their ids, a block at a time; ``num`` rows, or no end.

    No sample is shorter or longer than all training sequences.
    """
    import numpy as np
    import torch

    from seqdesign.decoding.greedy import greedy
    from seqdesign.decoding.sample import sample
    from seqdesign.revisers.problem import evaluate
    from seqdesign.sequences.encoders import decode as written
    from seqdesign.sequences.fasta import format_fields
    from seqdesign.sequences.origin import predicted_key

    model, shortest = trained.model, trained.record.min_length
    rng = torch.Generator().manual_seed(seed)
    device = next(model.parameters()).device
    done = 0
    while num is None or done < num:
        n = BLOCK if num is None else min(BLOCK, num - done)
        z = torch.randn(n, model.latent_dim, generator=rng).to(device)
        if decode == "greedy":
            drawn = greedy(model.decoder, z, shortest=shortest)
        else:
            drawn = sample(model.decoder, z, generator=rng, temperature=temperature, shortest=shortest)
        scored = evaluate(model, drawn.tokens, drawn.lengths)
        texts = written(drawn.tokens.cpu().numpy().astype(np.uint8), trained.record.alphabet)
        labels = []
        for i in range(n):
            values = {"loglik": f"{float(scored.log_likelihood[i]):.6g}"}
            if model.has_outcome:
                values[predicted_key(trained.record.outcome or "outcome")] = f"{float(scored.outcome[i]):.6g}"
            labels.append(format_fields(values))
        yield drawn.tokens, texts, labels
        done += n
