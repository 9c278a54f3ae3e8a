"""Molecules as SMILES: is what a VAE writes a molecule, and does design raise logP? RDKit judges only.

``prepare`` draws molecules from a file of SMILES (QM9) and gives them the logP of Crippen by RDKit, 30,000 to
learn from and 2,000 held out. ``judge`` takes a model of ``train-vae`` and says:

- samples as of ``sample-vae``, by codes and share left out, and from codes of held-out molecules: valid by
  RDKit, different among the valid ones (canonical), new against the training file;
- reconstruction: share of letters and of whole strings of held-out molecules that the greedy decoder gives
  back from E(x), and share that is the same molecule;
- ``revise`` of 100 held-out molecules by REVISE and by SEARCH, same edit budget: predicted and true gain of
  logP, valid revisions, and the gain of those that are valid, or of all with the rest counted as no gain.

    python benchmarks/revise/smiles.py prepare smiles_qm9_60k.csv.gz --out kept
    seqdesign train-vae kept/train.csv --sequence smiles --outcome logp --alphabet smiles -o kept/vae
    python benchmarks/revise/smiles.py judge kept/vae --test kept/test.csv --train kept/train.csv

Needs the extra ``bench``.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

import numpy as np
import torch
from rdkit import Chem, RDLogger
from rdkit.Chem import Crippen

import seqdesign as sd
from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.sample import sample
from seqdesign.metrics.edits import levenshtein_pairs
from seqdesign.models.vae.drawing import Draws, batches
from seqdesign.sequences.encoders import decode, encode
from seqdesign.symbols import spelled

TRAIN, TEST = 56_000, 2_000
SAMPLES = (
    ("prior", "sample", 0.0),
    ("prior", "greedy", 0.0),
    ("data", "sample", 0.0),
    ("data", "greedy", 0.0),
    ("data", "greedy", 0.8),
    ("data", "greedy", 0.95),
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
    second.add_argument("--num", type=int, default=1000, help="prior samples, and molecules to give back")
    second.add_argument("--starts", type=int, default=100)
    second.add_argument("--max-edits", type=int, default=3)
    second.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    RDLogger.DisableLog("rdApp.*")
    if args.step == "prepare":
        prepare(args.smiles, args.out)
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
    for codes, letters, reject in SAMPLES:
        draws = Draws(num=args.num, seed=args.seed, codes=codes, decode=letters, reject=reject)
        found, drawn = samples(model, draws)
        told(f"codes by {codes}, letters {letters}, --reject {reject} ({drawn:,} draws)", found, seen)
    reconstruction(model, held_out[: args.num])
    starts = held_out[-args.starts :] if args.starts else []
    for method, options in (("revise", {}), ("search", {})) if starts else ():
        designs = sd.revise(model, starts, method=method, max_edits=args.max_edits, seed=args.seed, **options)
        after = [design.revised for design in designs]
        report(method, starts, after, np.mean([design.delta for design in designs]), args.max_edits)


def samples(model: sd.VAE, draws: Draws) -> tuple[list[str], int]:
    """What ``sample-vae`` writes, and of how many draws."""
    found: list[str] = []
    drawn = 0
    for batch in batches(model.trained, draws):
        kept = batch.real or [True] * len(batch.texts)
        found += [spelled(text) for text, good in zip(batch.texts, kept, strict=True) if good]
        drawn += len(kept)
        if len(found) >= draws.num:
            break
    return found[: draws.num], drawn


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


def report(method: str, starts: list[str], after: list[str], predicted: float, budget: int) -> None:
    """One row of revisions."""
    pairs = [(Chem.MolFromSmiles(a), Chem.MolFromSmiles(b)) for a, b in zip(starts, after, strict=True)]
    gains = [Crippen.MolLogP(b) - Crippen.MolLogP(a) if b else 0.0 for a, b in pairs]
    good = [gain for gain, (_, b) in zip(gains, pairs, strict=True) if b]
    changed = np.mean([a != b for a, b in zip(starts, after, strict=True)])
    print(
        f"{method}, at most {budget} edits: {changed:.2f} changed, predicted gain {predicted:+.2f}, valid "
        f"{len(good) / len(pairs):.2f}, true gain of the valid {np.mean(good):+.2f}, with the invalid as 0 "
        f"{np.mean(gains):+.2f}"
    )


def canonical(text: str) -> str:
    """The canonical SMILES, "" for what is no molecule."""
    molecule = Chem.MolFromSmiles(text) if text else None
    return Chem.MolToSmiles(molecule) if molecule is not None and molecule.GetNumAtoms() else ""


if __name__ == "__main__":
    main()
