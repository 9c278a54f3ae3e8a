"""The one table of commands. Nothing here is imported until its command is asked for."""

from __future__ import annotations

from typing import Literal, NamedTuple

Group = Literal["Start here", "Train", "Design", "Look", "Bench", "Repeat"]


class Command(NamedTuple):
    """A command: its module, config class, function, line in ``seqdesign --help`` and the heading above."""

    module: str
    config: str
    function: str
    help: str
    group: Group


def plugins() -> dict[str, Command]:
    """Commands that plug-ins bring: entry points of the group ``seqdesign.commands``, each a `Command`.

    Nothing is looked up unless all commands are listed or one is typed that is not in the table.
    """
    import warnings
    from importlib.metadata import entry_points

    found = {}
    for point in entry_points(group="seqdesign.commands"):
        try:
            row = point.load()
        except Exception as error:  # a plug-in may raise anything while it is imported
            warnings.warn(
                f"command plug-in '{point.name}' ({point.value}) cannot be loaded: {error}", stacklevel=2
            )
            continue
        if isinstance(row, Command) and point.name not in COMMANDS:
            found[point.name] = row
    return found


COMMANDS: dict[str, Command] = {
    "inspect": Command(
        "seqdesign.commands.start.inspect",
        "InspectConfig",
        "inspect",
        "Show what is in a sequence file or a model.",
        "Start here",
    ),
    "demo": Command(
        "seqdesign.commands.start.demo",
        "DemoConfig",
        "demo",
        "Revise real splice sites and look up the truth.",
        "Start here",
    ),
    "datasets": Command(
        "seqdesign.commands.start.datasets",
        "DatasetsConfig",
        "datasets",
        "List or copy the bundled data.",
        "Start here",
    ),
    "train-vae": Command(
        "seqdesign.commands.train.train_vae",
        "TrainVAEConfig",
        "train_vae",
        "Learn a VAE with an outcome predictor.",
        "Train",
    ),
    "train-predictor": Command(
        "seqdesign.commands.train.train_predictor",
        "TrainPredictorConfig",
        "train_predictor",
        "Learn an ensemble that predicts outcomes.",
        "Train",
    ),
    "train-gan": Command(
        "seqdesign.commands.train.train_gan",
        "TrainGANConfig",
        "train_gan",
        "Learn a generator of sequences (GAN).",
        "Train",
    ),
    "train-lm": Command(
        "seqdesign.commands.train.train_lm",
        "TrainLMConfig",
        "train_lm",
        "Learn a likelihood model of sequences.",
        "Train",
    ),
    "train-translate": Command(
        "seqdesign.commands.train.train_translate",
        "TrainTranslateConfig",
        "train_translate",
        "Learn to make one set look like another.",
        "Train",
    ),
    "train-similarity": Command(
        "seqdesign.commands.train.train_similarity",
        "TrainSimilarityConfig",
        "train_similarity",
        "Learn the similarity of two sequences.",
        "Train",
    ),
    "sample": Command(
        "seqdesign.commands.design.sample",
        "SampleConfig",
        "sample",
        "Draw new sequences from any model.",
        "Design",
    ),
    "revise": Command(
        "seqdesign.commands.design.revise",
        "ReviseConfig",
        "revise",
        "Revise sequences into better ones.",
        "Design",
    ),
    "sample-vae": Command(
        "seqdesign.commands.design.sample_vae",
        "SampleVAEConfig",
        "sample_vae",
        "Draw new sequences from a VAE.",
        "Design",
    ),
    "maximize": Command(
        "seqdesign.commands.design.maximize",
        "MaximizeConfig",
        "maximize",
        "Design sequences that a predictor scores highest.",
        "Design",
    ),
    "sample-gan": Command(
        "seqdesign.commands.design.sample_gan",
        "SampleGANConfig",
        "sample_gan",
        "Draw new sequences from a GAN.",
        "Design",
    ),
    "interpolate": Command(
        "seqdesign.commands.design.interpolate",
        "InterpolateConfig",
        "interpolate",
        "Decode paths between sequences in a latent space.",
        "Design",
    ),
    "translate": Command(
        "seqdesign.commands.design.translate",
        "TranslateConfig",
        "translate",
        "Make sequences look like those of another set.",
        "Design",
    ),
    "predict": Command(
        "seqdesign.commands.look.predict",
        "PredictConfig",
        "predict",
        "Predict outcomes of sequences.",
        "Look",
    ),
    "evaluate": Command(
        "seqdesign.commands.look.evaluate",
        "EvaluateConfig",
        "evaluate",
        "Compare generated with real sequences.",
        "Look",
    ),
    "attribute": Command(
        "seqdesign.commands.look.attribute",
        "AttributeConfig",
        "attribute",
        "Show which letters and edits a score comes from.",
        "Look",
    ),
    "motifs": Command(
        "seqdesign.commands.look.motifs",
        "MotifsConfig",
        "motifs",
        "Find motifs, enriched, gained and new ones.",
        "Look",
    ),
    "logo": Command(
        "seqdesign.commands.look.logo",
        "LogoConfig",
        "logo",
        "Draw a logo of sequences, motifs or weights.",
        "Look",
    ),
    "report": Command(
        "seqdesign.commands.look.report",
        "ReportConfig",
        "report",
        "Write one HTML page about models and designs.",
        "Look",
    ),
    "check": Command(
        "seqdesign.commands.bench.check",
        "CheckConfig",
        "check",
        "Check sequences against rules, and fix those that fail.",
        "Bench",
    ),
    "back-translate": Command(
        "seqdesign.commands.bench.back_translate",
        "BackTranslateConfig",
        "back_translate",
        "Turn proteins into genes that obey rules.",
        "Bench",
    ),
    "select": Command(
        "seqdesign.commands.bench.select",
        "SelectConfig",
        "select",
        "Choose good and different designs to order.",
        "Bench",
    ),
    "order": Command(
        "seqdesign.commands.bench.order",
        "OrderConfig",
        "order",
        "Turn designs into plates, barcodes and order files.",
        "Bench",
    ),
    "library": Command(
        "seqdesign.commands.bench.library",
        "LibraryConfig",
        "library",
        "Cover designs with degenerate oligos, or scan one.",
        "Bench",
    ),
    "propose": Command(
        "seqdesign.commands.bench.propose",
        "ProposeConfig",
        "propose",
        "Choose what to measure next, from all rounds so far.",
        "Bench",
    ),
    "merge": Command(
        "seqdesign.commands.repeat.merge",
        "MergeConfig",
        "merge",
        "Put the blocks of a campaign together.",
        "Repeat",
    ),
    "rerun": Command(
        "seqdesign.commands.repeat.rerun",
        "RerunConfig",
        "rerun",
        "Repeat a run and compare the results.",
        "Repeat",
    ),
}
