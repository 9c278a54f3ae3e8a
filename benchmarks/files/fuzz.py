"""Byte-level fuzzing of every reader: only records or an error of ours may come out, in bounded time.

    python benchmarks/files/fuzz.py --seconds 180

Each input is a seed file with random changes: bytes flipped, cut, doubled, or words put in that readers look
for; records of models are also changed and signed again. Ends with 1 at the first input that escaped, which
is left in the folder ``fuzz-findings``.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import json
import lzma
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from seqdesign.config import CommandConfig, resolve
from seqdesign.errors import SeqDesignError
from seqdesign.models.vae.config import VAEOptions, adapt, language_options
from seqdesign.models.vae.store import VAERecord, load_vae
from seqdesign.motifs.files import read_motifs
from seqdesign.pages.designed import read_designs
from seqdesign.runs.manifest import MANIFEST, read_manifest
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.fasta import read_fasta, read_fasta_tokens
from seqdesign.sequences.reader import read_sequences
from seqdesign.sequences.tables import read_table, write_table
from seqdesign.training.store import save_model
from seqdesign.training.tensor_file import read_tensors, write_tensors

FASTA = b'>a outcome=1.5\nACGTACGT\n>b outcome=2\nACGTNACG\r\n>c x="a b"\nacgu\n'
CSV = b'id,sequence,outcome\na,ACGT,1.0\nb,"AC,GT",2.5\nc,ACGA,NA\n'
MEME = (
    b"MEME version 4\n\nALPHABET= ACGT\n\nBackground letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n\n"
    b"MOTIF m1 name\nletter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0\n0.1 0.2 0.3 0.4\n"
    b"0.25 0.25 0.25 0.25\n"
)
JASPAR = b">MA1 X\nA [ 1 2 3 ]\nC [ 1 0 3 ]\nG [ 0 2 3 ]\nT [ 1 2 0 ]\n"
TRANSFAC = b"ID x\nP0 A C G T\n01 1 2 3 4\n02 4 3 2 1\nXX\n//\n"
WORDS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b">", b"\n>", b'"', b"\r", b"sep=;\n", b"#", b"PAR1", b"1e308",
    b"nan", b"inf", b"\x1f\x8b", b"(\xb5/\xfd", b"BZh", b"9" * 400, b"[" * 2000, b"{", b"}", b"MOTIF x\n",
    b"ALPHABET= ACDE\n", b"letter-probability matrix: w= 99999999999\n", b"\x1b[2J", b"\xc2\x85",
    b"\xed\xa0\x80", b",,,", b";", b"-1",
)  # fmt: skip
VALUES = (None, -1, 0, 10**30, 1e308, "x", [], [1, "a"], {}, True, "protein", 3.5)
SLOW = 20.0
"""Seconds that no input this small may take."""


def seeds(folder: Path) -> dict[str, list[bytes]]:
    """Kind of input -> whole files."""
    tables = [CSV, CSV.replace(b",", b"\t"), CSV.replace(b",", b";"), CSV.decode().encode("utf-16")]
    packed = [pack(text) for text in (FASTA, CSV) for pack in (gzip.compress, bz2.compress, lzma.compress)]
    for name in ("t.parquet", "t.csv.zst"):
        try:
            write_table({"sequence": ["ACGT", "AC"], "outcome": [1.0, 2.0]}, folder / name)
            packed.append((folder / name).read_bytes())
        except SeqDesignError:  # the extra is not installed
            pass
    small = VAEOptions(encoder="gru", decoder="gru", hidden=4, latent_dim=2, embedding=2, invariance_batch=4)
    options = adapt(small, max_length=4, fixed_length=False, num_train=100)
    record = VAERecord(options, language_options(options), get_alphabet("dna"), 4, 3, None, 0.0, 0.0)
    save_model(folder, record.build(), record)
    manifest = {
        "command": "x", "config": {}, "seed": 0, "device": "cpu", "threads": None, "inputs": {},
        "versions": {}, "started": "x", "name": "predict",
    }  # fmt: skip
    return {
        "sequences": [FASTA, *tables, *packed],
        "motifs": [MEME, JASPAR, TRANSFAC, gzip.compress(MEME)],
        "config": [b"quiet = true\nverbose = false\n", b'{"quiet": true}'],
        "manifest": [json.dumps(manifest).encode()],
        "model": [(folder / "model.safetensors").read_bytes()],
    }


def readers(folder: Path) -> dict[str, list[Callable[[Path], object]]]:
    """Kind of input -> everything that reads it."""
    dna = get_alphabet("dna")

    def manifest(path: Path) -> object:
        (folder / MANIFEST).write_bytes(path.read_bytes())
        return read_manifest(folder)

    def model(path: Path) -> object:
        (folder / "model.safetensors").write_bytes(path.read_bytes())
        return load_vae(folder, torch.device("cpu"))

    return {
        "sequences": [
            lambda p: read_sequences(p, on_duplicate="rename", on_missing="unlabelled"),
            lambda p: list(read_fasta(p, on_duplicate="keep")),
            lambda p: read_fasta_tokens(p, dna, on_unknown="mask", on_duplicate="first"),
            lambda p: list(read_table(p)),
            read_designs,
        ],
        "motifs": [read_motifs],
        "config": [lambda p: resolve(CommandConfig, {}, p)],
        "manifest": [manifest],
        "model": [read_tensors, model],
    }


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One to six random changes."""
    text = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        place, other = rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)
        low, high = min(place, other), max(place, other)
        kind = rng.randrange(6)
        if kind == 0 and text:
            text[min(place, len(text) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            text[place:place] = rng.choice(WORDS)
        elif kind == 2:
            del text[low : min(high, low + rng.choice((1, 4, 64, 10_000)))]
        elif kind == 3:
            text[place:place] = text[low : min(high, low + 2000)]
        elif kind == 4:
            text = text[:place]
        else:
            text[place:place] = rng.randbytes(rng.choice((1, 2, 8)))
        del text[1_000_000:]
    return bytes(text)


def change_record(path: Path, rng: random.Random) -> None:
    """Put a wrong value somewhere into the record of a whole model file, with a checksum that fits."""
    tensors, record = read_tensors(path)
    at: Any = record
    while True:
        key = rng.choice(list(at))
        if not isinstance(at[key], dict) or not at[key] or rng.random() < 0.3:
            break
        at = at[key]
    if rng.random() < 0.2:
        del at[key]
    else:
        at[key] = rng.choice(VALUES)
    write_tensors(path, tensors, record)


def escapes(read: Callable[[Path], object], path: Path) -> str | None:
    """What came out of a reader besides records and errors of ours."""
    begin = time.monotonic()
    try:
        read(path)
    except SeqDesignError:
        pass
    except Exception:
        return traceback.format_exc()
    spent = time.monotonic() - begin
    return f"took {spent:.0f} s" if spent > SLOW else None


def fuzz(seconds: float, seed: int, findings: Path | None = None) -> tuple[Counter[str], list[str]]:
    """Reads by kind of input, and what escaped first."""
    rng, seen = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, every = seeds(folder), readers(folder)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kind = rng.choice(list(files))
            suffix = rng.choice(("", ".fa", ".csv")) if kind != "config" else rng.choice((".toml", ".json"))
            path = folder / f"input{suffix}"
            if kind == "model" and rng.random() < 0.5:
                path.write_bytes(files[kind][0])
                change_record(path, rng)
            else:
                path.write_bytes(mutate(rng.choice(files[kind]), rng))
            for read in every[kind]:
                seen[kind] += 1
                text = escapes(read, path)
                if text is not None:
                    if findings is not None:
                        findings.mkdir(exist_ok=True)
                        (findings / f"{kind}-{seed}-{sum(seen.values())}{suffix}").write_bytes(
                            path.read_bytes()
                        )
                    return seen, [f"{kind}{suffix}: {text}"]
            path.unlink()
    return seen, []


def main() -> int:
    """Fuzz, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seen, escaped = fuzz(options.seconds, options.seed, Path("fuzz-findings"))
    for kind, count in sorted(seen.items()):
        print(f"{kind:<10} {count:>9,} reads")
    print("\n".join(escaped) or "nothing escaped")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
