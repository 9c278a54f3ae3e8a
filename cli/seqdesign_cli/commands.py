"""The one table of commands. Nothing here is imported until its command is asked for."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives: its module, config class and function, and its line in ``seqdesign --help``."""

    module: str
    config: str
    function: str
    help: str


COMMANDS: dict[str, Command] = {
    "train-vae": Command(
        "seqdesign.commands.train_vae", "TrainVAEConfig", "train_vae", "Learn a VAE with outcome predictor."
    ),
    "train-predictor": Command(
        "seqdesign.commands.train_predictor",
        "TrainPredictorConfig",
        "train_predictor",
        "Learn an ensemble that predicts outcomes.",
    ),
    "revise": Command(
        "seqdesign.commands.revise", "ReviseConfig", "revise", "Revise sequences into better ones."
    ),
    "sample-vae": Command(
        "seqdesign.commands.sample_vae", "SampleVAEConfig", "sample_vae", "Draw new sequences from a VAE."
    ),
    "maximize": Command(
        "seqdesign.commands.maximize",
        "MaximizeConfig",
        "maximize",
        "Design sequences that a predictor scores highest.",
    ),
    "train-gan": Command(
        "seqdesign.commands.train_gan", "TrainGANConfig", "train_gan", "Learn a generator of sequences (GAN)."
    ),
    "sample-gan": Command(
        "seqdesign.commands.sample_gan", "SampleGANConfig", "sample_gan", "Draw new sequences from a GAN."
    ),
    "interpolate": Command(
        "seqdesign.commands.interpolate",
        "InterpolateConfig",
        "interpolate",
        "Decode paths between sequences in a latent space.",
    ),
    "predict": Command(
        "seqdesign.commands.predict", "PredictConfig", "predict", "Predict outcomes of sequences."
    ),
    "evaluate": Command(
        "seqdesign.commands.evaluate", "EvaluateConfig", "evaluate", "Compare generated with real sequences."
    ),
    "attribute": Command(
        "seqdesign.commands.attribute",
        "AttributeConfig",
        "attribute",
        "Say which letters and edits a score comes from.",
    ),
    "demo": Command(
        "seqdesign.commands.demo", "DemoConfig", "demo", "Revise real splice sites and look up the truth."
    ),
    "motifs": Command(
        "seqdesign.commands.motifs", "MotifsConfig", "motifs", "Find motifs, enriched, gained and new ones."
    ),
    "logo": Command(
        "seqdesign.commands.logo", "LogoConfig", "logo", "Draw a logo of sequences, motifs or weights."
    ),
    "report": Command(
        "seqdesign.commands.report", "ReportConfig", "report", "Write one HTML page about models and designs."
    ),
    "rerun": Command(
        "seqdesign.commands.rerun", "RerunConfig", "rerun", "Repeat a run and compare the results."
    ),
    "inspect": Command(
        "seqdesign.commands.inspect", "InspectConfig", "inspect", "Say what is in a sequence file."
    ),
    "datasets": Command(
        "seqdesign.commands.datasets", "DatasetsConfig", "datasets", "List or copy the bundled data."
    ),
}
