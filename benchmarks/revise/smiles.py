"""Molecules as SMILES: is what a VAE writes a molecule, and does design raise logP? RDKit judges only.

``prepare`` draws molecules from a file of SMILES (QM9) and gives them the logP of Crippen by RDKit, 30,000 to
learn from and 2,000 held out. ``judge`` takes a model of ``train-vae`` and says:

- samples as of ``sample-vae``, by codes and share left out, and from codes of held-out molecules: valid by
  RDKit, different among the valid ones (canonical), new against the training file;
- reconstruction: share of letters and of whole strings of held-out molecules that the greedy decoder gives
  back from E(x), and share that is the same molecule;
- ``interpolate --grid`` between 20 times four held-out molecules: valid ones inside, and different ones;
- ``revise`` of 100 held-out molecules by REVISE and by SEARCH, same edit budget: predicted and true gain of
  logP, valid revisions, and the gain of those that are valid, or of all with the rest counted as no gain.

``lipophilicity`` trains the VAE with F and two ridge regressions on measured lipophilicity, a tenth of the
molecules held out (the same for all), and prints R2.

    python benchmarks/revise/smiles.py prepare smiles_qm9_60k.csv.gz --out kept
    seqdesign train-vae kept/train.csv --sequence smiles --outcome logp --alphabet smiles -o kept/vae
    python benchmarks/revise/smiles.py judge kept/vae --test kept/test.csv --train kept/train.csv
    python benchmarks/revise/smiles.py lipophilicity smiles_lipophilicity.csv.gz --out kept

Needs the extra ``bench``.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from rdkit import Chem, RDLogger
from rdkit.Chem import Crippen

import seqdesign as sd
from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.sample import sample
from seqdesign.design.records import Revision
from seqdesign.metrics.edits import levenshtein_pairs
from seqdesign.models.vae.drawing import Draws, source
from seqdesign.sequences.encoders import decode, encode
from seqdesign.symbols import spelled

TRAIN, TEST = 56_000, 2_000
GRIDS, STEPS = 20, 5
AT_ONCE = 10
"""Molecules that are revised side by side; a row is printed after each block."""
WRITER = "--alphabet smiles --encoder transformer --decoder transformer --invariance-weight 0 --batch-size 32"
SAMPLES = (
    ("prior", "sample", 0.0),
    ("prior", "greedy", 0.0),
    ("data", "sample", 0.0),
    ("data", "greedy", 0.0),
    ("data", "greedy", 0.8),
    ("data", "greedy", 0.95),
    ("data", "greedy", 0.98),
    ("data", "sample", 0.95),
    ("prior", "greedy", 0.95),
)
"""Codes, letters and share left out."""


def main() -> None:
    """Prepare the tables, or judge a model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    first = steps.add_parser("prepare")
    first.add_argument("smiles", type=Path)
    first.add_argument("--out", type=Path, required=True)
    second = steps.add_parser("judge")
    second.add_argument("model", type=Path)
    second.add_argument("--train", type=Path, required=True)
    second.add_argument("--test", type=Path, required=True)
    second.add_argument(
        "--num", type=int, default=1000, help="samples of each kind; 0: none, nor reconstruction"
    )
    second.add_argument("--starts", type=int, default=100)
    second.add_argument("--max-edits", type=int, default=3)
    second.add_argument("--seed", type=int, default=0)
    third = steps.add_parser("lipophilicity")
    third.add_argument("table", type=Path)
    third.add_argument("--out", type=Path, required=True)
    third.add_argument("--epochs", type=int, default=15)
    args = parser.parse_args()
    torch.set_num_threads(1)
    RDLogger.DisableLog("rdApp.*")
    if args.step == "prepare":
        prepare(args.smiles, args.out)
    elif args.step == "lipophilicity":
        lipophilicity(args.table, args.out, args.epochs)
    else:
        judge(args)


def prepare(source: Path, folder: Path) -> None:
    """Tables with logP: train.csv and test.csv."""
    texts = sorted(sd.read(source, sequence="smiles").sequences)
    random.Random(0).shuffle(texts)
    folder.mkdir(parents=True, exist_ok=True)
    known = [(text, Chem.MolFromSmiles(text)) for text in texts[: TRAIN + TEST]]
    rows = [(f"m{i}", text, f"{Crippen.MolLogP(mol):.4f}") for i, (text, mol) in enumerate(known) if mol]
    for name, part in (("train", rows[:TRAIN]), ("test", rows[TRAIN:])):
        with (folder / f"{name}.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows([("id", "smiles", "logp"), *part])
        print(f"{name}: {len(part):,} molecules")


def judge(args: argparse.Namespace) -> None:
    """Print the rows."""
    model = sd.load(args.model)
    seen = {canonical(text) for text in sd.read(args.train, sequence="smiles").sequences}
    held_out = sd.read(args.test, sequence="smiles").sequences
    for codes, letters, reject in SAMPLES if args.num else ():
        draws = Draws(seed=args.seed, codes=codes, decode=letters, reject=reject)
        found, drawn = samples(model, draws, args.num)
        told(f"codes by {codes}, letters {letters}, --reject {reject} ({drawn:,} draws)", found, seen)
    if args.num:
        reconstruction(model, held_out)
    interpolation(args.model, held_out[: 4 * GRIDS], args.model.parent)
    starts = held_out[-args.starts :] if args.starts else []
    for method in ("search", "revise") if starts else ():
        designs: list[Revision] = []
        for first in range(0, len(starts), AT_ONCE):
            block = starts[first:][:AT_ONCE]
            designs += sd.revise(model, block, method=method, max_edits=args.max_edits, seed=args.seed)
            after = [design.revised for design in designs]
            promised = float(np.mean([design.delta for design in designs]))
            report(method, starts[: len(after)], after, promised, args.max_edits)


def samples(model: sd.VAE, draws: Draws, num: int) -> tuple[list[str], int]:
    """What ``sample-vae`` writes, and of how many draws."""
    found: list[str] = []
    drawn = 0
    stream = source(model.trained, draws, None)
    for number in itertools.count():
        batch = stream.block(number)
        kept = batch.real or [True] * len(batch.texts)
        found += [spelled(text) for text, good in zip(batch.texts, kept, strict=True) if good]
        drawn += len(kept)
        if len(found) >= num:
            break
    return found[:num], drawn


def told(name: str, texts: list[str], seen: set[str]) -> None:
    """One row of samples."""
    valid = [text for text in map(canonical, texts) if text]
    print(
        f"{name}: {len(valid) / len(texts):.3f} of {len(texts):,} valid, "
        f"{len(set(valid)) / max(1, len(valid)):.3f} of those different, "
        f"{np.mean([text not in seen for text in valid]):.3f} new",
        flush=True,
    )


def reconstruction(model: sd.VAE, texts: list[str]) -> None:
    """How much of held-out molecules comes back."""
    network, alphabet = model.trained.model, model.alphabet
    array = encode(texts, alphabet, max_length=model.trained.record.max_length, on_unknown="skip")
    with torch.no_grad():
        tokens = torch.from_numpy(array.tokens.astype(np.int64))
        z = network.encode(tokens, torch.from_numpy(array.lengths)).mean
        back = decode(greedy(network.decoder, z).tokens, alphabet)
    given = decode(array.tokens, alphabet)
    distance = levenshtein_pairs(given, back)
    pairs = zip(given, back, strict=True)
    names = [(canonical(alphabet.text(a)), canonical(alphabet.text(b))) for a, b in pairs]
    with torch.no_grad():
        posterior = network.encode(tokens, torch.from_numpy(array.lengths))
    noise = torch.randn(posterior.mean.shape, generator=torch.Generator().manual_seed(0))
    for decode_by, drawn in (("sample", sample), ("greedy", greedy)):
        options = {"generator": torch.Generator().manual_seed(0)} if decode_by == "sample" else {}
        with torch.no_grad():
            letters = drawn(network.decoder, posterior.mean + posterior.stddev * noise, **options).tokens
        valid = np.mean([bool(canonical(alphabet.text(t))) for t in decode(letters, alphabet)])
        print(f"codes by the posteriors of held-out molecules, letters {decode_by}: {valid:.3f} valid")
    print(
        f"reconstruction: {1 - distance.sum() / array.lengths.sum():.3f} of letters (1 - edits / letters), "
        f"{np.mean(distance == 0):.3f} of strings, {np.mean([a == b for a, b in names]):.3f} of molecules; "
        f"{np.mean([bool(b) for _, b in names]):.3f} valid"
    )


def interpolation(model: Path, texts: list[str], folder: Path) -> None:
    """What lies between four molecules and four others, corners left out."""
    source, output = folder / "corners.csv", folder / "grids.fa"
    source.write_text("smiles\n" + "".join(f"{text}\n" for text in texts))
    words = ["interpolate", str(source), "--sequence", "smiles", "-m", str(model), "--grid"]
    seqdesign(*words, "--steps", str(STEPS), "-o", str(output))
    rows = [line for line in output.read_text().splitlines() if line]
    found = [(a, b) for a, b in itertools.pairwise(rows) if a.startswith(">")]
    corners = {f"row{i}_column{j}" for i in (1, STEPS) for j in (1, STEPS)}
    inner = [text for name, text in found if not any(name.split()[0].endswith(c) for c in corners)]
    valid = [text for text in map(canonical, inner) if text]
    print(
        f"grids between {GRIDS} x 4 molecules: {len(valid) / len(inner):.3f} of {len(inner)} inside valid, "
        f"{len(set(valid)) / max(1, len(valid)):.3f} of those different",
        flush=True,
    )


def seqdesign(*words: str) -> None:
    """Run a command."""
    subprocess.run([sys.executable, "-m", "seqdesign", *words, "-q"], check=True)


def lipophilicity(table: Path, folder: Path, epochs: int) -> None:
    """R2 of F(E(x)) and of ridge regressions on molecules that none has seen."""
    data = sd.read(table, sequence="smiles")
    rows = list(zip(data.sequences, data.numbers("outcome"), strict=True))
    random.Random(0).shuffle(rows)
    parts = ["test", "validation", *["train"] * 8]
    source = folder / "lipophilicity.csv"
    with source.open("w", newline="") as handle:
        lines = [(text, value, parts[i % 10]) for i, (text, value) in enumerate(rows)]
        csv.writer(handle).writerows([("smiles", "outcome", "part"), *lines])
    common = [str(source), "--sequence", "smiles", "--split-column", "part", "--overwrite"]
    for kind in ("ridge", "words"):
        output = folder / kind
        words = ["--alphabet", "smiles", "--architecture", kind]
        seqdesign("train-predictor", *common, *words, "-o", str(output))
        print(f"train-predictor --architecture {kind}: {quality(output)}", flush=True)
    output = folder / "lipophilicity"
    seqdesign(
        "train-vae",
        *common,
        *WRITER.split(),
        "--outcome",
        "outcome",
        "--epochs",
        str(epochs),
        "-o",
        str(output),
    )
    print(f"train-vae: {quality(output)}", flush=True)


def quality(folder: Path) -> dict[str, object]:
    """The held-out figures of a run about the outcome, and what comes back."""
    result = json.loads((folder / "manifest.json").read_text())["result"]
    shown = ("r2", "spearman", "token_accuracy")
    return {name: value for name, value in walked(result) if any(one in name for one in shown)}


def walked(part: object, name: str = "") -> list[tuple[str, object]]:
    """Names and values of a record."""
    if isinstance(part, dict):
        return [found for key, value in part.items() for found in walked(value, key)]
    if isinstance(part, list):
        return [found for value in part for found in walked(value, name)]
    return [(name, part)]


def report(method: str, starts: list[str], after: list[str], predicted: float, budget: int) -> None:
    """One row of revisions."""
    pairs = [(Chem.MolFromSmiles(a), Chem.MolFromSmiles(b)) for a, b in zip(starts, after, strict=True)]
    gains = [Crippen.MolLogP(b) - Crippen.MolLogP(a) if b else 0.0 for a, b in pairs]
    good = [gain for gain, (_, b) in zip(gains, pairs, strict=True) if b]
    changed = np.mean([a != b for a, b in zip(starts, after, strict=True)])
    print(
        f"{method}, {len(starts)} molecules, at most {budget} edits: {changed:.2f} changed, "
        f"predicted gain {predicted:+.2f}, valid {len(good) / len(pairs):.2f}, "
        f"true gain of the valid {np.mean(good):+.2f}, with the invalid as 0 {np.mean(gains):+.2f}",
        flush=True,
    )


def canonical(text: str) -> str:
    """The canonical SMILES, "" for what is no molecule."""
    molecule = Chem.MolFromSmiles(text) if text else None
    return Chem.MolToSmiles(molecule) if molecule is not None and molecule.GetNumAtoms() else ""


if __name__ == "__main__":
    main()
