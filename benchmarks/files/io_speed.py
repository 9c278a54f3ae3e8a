"""FASTA to tokens against Biopython plus a Python loop and dnaio plus a lookup table; memory of streaming.

    python benchmarks/files/io_speed.py [--records 200000] [--length 200] [--rounds 5]

Prints medians over rounds in which the readers take turns, and their ratios. Goals: at least 20 times the
speed of Bio.SeqIO.parse plus a loop over letters (a list comprehension is the faster way to write that loop),
at most 1.5 times the time of dnaio plus a lookup table, and the same peak memory of streaming for files ten
times apart in size (read from /proc, so on Linux only). dnaio is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode, encode, letter_table, one_hot
from seqdesign.sequences.fasta import read_fasta, read_fasta_tokens
from seqdesign.sequences.reader import read_sequences

DNA = get_alphabet("dna")


def write_file(path: Path, n_records: int, length: int) -> None:
    rng = np.random.default_rng(0)
    with path.open("w") as handle:
        for start in range(0, n_records, 10_000):
            n = min(10_000, n_records - start)
            rows = np.frombuffer(b"ACGT", dtype=np.uint8)[rng.integers(0, 4, (n, length))]
            handle.writelines(
                f">seq{start + i} outcome=1.5\n{row.tobytes().decode()}\n" for i, row in enumerate(rows)
            )


def with_loop(path: Path) -> np.ndarray:
    from Bio import SeqIO

    index = {letter: i for i, letter in enumerate(DNA.letters)}
    ids, rows = [], []
    with path.open() as handle:
        for record in SeqIO.parse(handle, "fasta"):
            ids.append(record.id)
            row = np.empty(len(record.seq), dtype=np.uint8)
            for i, letter in enumerate(record.seq):
                row[i] = index[letter.upper()]
            rows.append(row)
    return np.stack(rows)


def with_comprehension(path: Path) -> np.ndarray:
    from Bio import SeqIO

    index = {letter: i for i, letter in enumerate(DNA.letters)}
    ids, rows = [], []
    with path.open() as handle:
        for record in SeqIO.parse(handle, "fasta"):
            ids.append(record.id)
            rows.append(np.array([index[letter] for letter in str(record.seq).upper()], dtype=np.uint8))
    return np.stack(rows)


def with_dnaio(path: Path) -> np.ndarray:
    import dnaio

    table = letter_table(DNA)
    ids, sequences = [], []
    with dnaio.open(path) as reader:
        for record in reader:
            ids.append(record.id)
            sequences.append(record.sequence)
    codes = np.frombuffer(bytearray("".join(sequences).encode().translate(table)), dtype=np.uint8)
    return codes.reshape(len(sequences), -1)


def with_seqdesign(path: Path) -> np.ndarray:
    return read_fasta_tokens(path, DNA)[1].tokens


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    "Bio.SeqIO + loop": with_loop,
    "Bio.SeqIO + list": with_comprehension,
    "dnaio + table": with_dnaio,
    "seqdesign": with_seqdesign,
}


def compare_readers(path: Path, n_records: int, rounds: int) -> None:
    names = [n for n in READERS if n != "dnaio + table" or importlib.util.find_spec("dnaio")]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        tokens = {}
        for name in names:
            start = time.perf_counter()
            tokens[name] = READERS[name](path)
            times[name].append(time.perf_counter() - start)
        for name in names:
            assert np.array_equal(tokens[name], tokens["seqdesign"]), f"{name} reads something else"
    median = {name: statistics.median(values) for name, values in times.items()}
    for name in names:
        ratio = median[name] / median["seqdesign"]
        speed = n_records / median[name] / 1e6
        print(f"{name:<18} {median[name]:8.3f} s  {speed:6.3f} M seq/s  {ratio:6.2f} times our time")


def other_steps(path: Path, rounds: int) -> None:
    records = read_sequences(path)
    encoded = encode(records.sequences, DNA)
    steps: dict[str, Callable[[], object]] = {
        "read_sequences": lambda: read_sequences(path),
        "read_fasta, record by record": lambda: sum(1 for _ in read_fasta(path, on_duplicate="keep")),
        "encode": lambda: encode(records.sequences, DNA),
        "decode": lambda: decode(encoded.tokens, DNA),
        "one_hot, float32, batches of 512": lambda: [
            one_hot(encoded.tokens[i : i + 512], DNA) for i in range(0, len(records), 512)
        ],
    }
    for name, step in steps.items():
        values = []
        for _ in range(rounds):
            start = time.perf_counter()
            step()
            values.append(time.perf_counter() - start)
        print(f"{name:<34} {len(records) / statistics.median(values) / 1e6:6.3f} M seq/s")


STREAM = """
import sys
from seqdesign.sequences.reader import stream_sequences
n = sum(len(batch) for batch in stream_sequences(sys.argv[1]))
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(n, int(peak) // 1024)
"""


def streaming_memory(folder: Path, n_records: int, length: int) -> None:
    peaks = []
    for n in (n_records // 10, n_records):
        path = folder / f"{n}.fa"
        write_file(path, n, length)
        done = subprocess.run(
            [sys.executable, "-c", STREAM, path], capture_output=True, text=True, check=True
        )
        n_found, peak = map(int, done.stdout.split())
        assert n_found == n
        peaks.append(peak)
        print(f"streaming {n:>9,} records, {path.stat().st_size / 1e6:7.1f} MB: peak {peak} MB")
    print(f"ratio of the peaks {peaks[1] / peaks[0]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.fa"
        write_file(path, options.records, options.length)
        compare_readers(path, options.records, options.rounds)
        other_steps(path, options.rounds)
        streaming_memory(Path(folder), options.records, options.length)


if __name__ == "__main__":
    main()
