"""Promises of ``seqdesign motifs``."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

from seqdesign.commands.look.motifs import MotifsConfig, motifs
from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import reverse_complement

SITE = "TGACTCAT"
MEME = """MEME version 4

ALPHABET= ACGT

MOTIF M1 site
letter-probability matrix: alength= 4 w= 8 nsites= 100
0 0 0 1
0 0 1 0
1 0 0 0
0 1 0 0
0 0 0 1
0 1 0 0
1 0 0 0
0 0 0 1

MOTIF M2 other
letter-probability matrix: alength= 4 w= 9 nsites= 100
0 0 1 0
0 0 1 0
0 0 1 0
0 1 0 0
0 1 0 0
0 1 0 0
0 0 1 0
0 0 1 0
0 0 1 0
"""


@pytest.fixture
def files(tmp_path):
    """motifs.meme; parents.fa of random letters; seqs.fa, the same with SITE in half of them."""
    rng = np.random.default_rng(0)
    parents = ["".join(rng.choice(list("ACGT"), 60)) for _ in range(40)]
    children = [
        p[:20] + (SITE if i % 4 else reverse_complement(SITE)) + p[28:] if i < 20 else p
        for i, p in enumerate(parents)
    ]
    (tmp_path / "motifs.meme").write_text(MEME)
    (tmp_path / "parents.fa").write_text("".join(f">p{i}\n{s}\n" for i, s in enumerate(parents)))
    (tmp_path / "seqs.fa").write_text("".join(f">c{i} parent=p{i}\n{s}\n" for i, s in enumerate(children)))
    return tmp_path


def config(files, **options):
    return MotifsConfig(input=files / "seqs.fa", motifs=files / "motifs.meme", quiet=True, **options)


def rows(path):
    with open(path, encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_hits_are_where_the_sites_are(files):
    motifs(config(files, table=files / "hits.csv"))
    hits = [row for row in rows(files / "hits.csv") if row["motif_id"] == "M1" and row["start"] == "21"]
    assert [row["id"] for row in hits] == [f"c{i}" for i in range(20)]
    assert {(row["end"], row["match"]) for row in hits} == {("28", SITE)}
    assert [row["strand"] for row in hits] == ["+" if i % 4 else "-" for i in range(20)]
    assert all(float(row["p_value"]) <= 1e-4 and float(row["q_value"]) < 0.05 for row in hits)


def test_the_planted_motif_is_enriched_and_the_other_is_not(files):
    result = motifs(config(files, enriched=files / "e.csv"))
    best, other = result.enrichment
    assert (best.motif_id, best.sequences_with >= 20, best.q_value < 1e-6) == ("M1", True, True)
    assert other.q_value > 0.05
    assert [row["motif_id"] for row in rows(files / "e.csv")] == ["M1", "M2"]
    assert result.num_background == 200
    assert "M1" in result.text()


def test_a_background_of_ones_own_is_used(files):
    result = motifs(config(files, background=files / "parents.fa"))
    assert (result.background, result.num_background) == (str(files / "parents.fa"), 40)
    assert result.enrichment[0].motif_id == "M1"


def test_gained_motifs_are_found_by_the_parents_named_in_headers(files):
    result = motifs(config(files, parents=files / "parents.fa", changed=files / "changed.csv"))
    assert result.num_pairs == 40
    (change,) = [c for c in result.changes if c.motif_id == "M1"]
    assert (change.gained, change.lost) == (20, 0)
    gained = [row for row in rows(files / "changed.csv") if row["motif_id"] == "M1"]
    assert [(row["id"], row["parent"], row["change"]) for row in gained[:2]] == [
        ("c0", "p0", "gained"), ("c1", "p1", "gained"),
    ]  # fmt: skip


def test_parents_are_found_in_a_column_and_by_equal_ids(files):
    sequences = (files / "seqs.fa").read_text().split("\n")[1::2]
    table = "id,parent,sequence\n" + "".join(f"c{i},p{i},{s}\n" for i, s in enumerate(sequences))
    (files / "seqs.csv").write_text(table)
    by_column = motifs(
        MotifsConfig(
            input=files / "seqs.csv", motifs=files / "motifs.meme", parents=files / "parents.fa", quiet=True
        )
    )
    ids = (files / "parents.fa").read_text().replace(">p", ">c")
    (files / "same.fa").write_text(ids)
    (files / "seqs.fa").write_text(re.sub(" parent=.*", "", (files / "seqs.fa").read_text()))
    by_id = motifs(config(files, parents=files / "same.fa"))
    assert by_column.num_pairs == 40
    assert by_column.changes[0].gained == 20
    assert by_id.changes == by_column.changes


def test_rna_is_searched_for_dna_motifs_on_one_strand(files):
    text = (files / "seqs.fa").read_text()
    (files / "rna.fa").write_text(re.sub("^[ACGT]+$", lambda m: m[0].replace("T", "U"), text, flags=re.M))
    result = motifs(
        MotifsConfig(input=files / "rna.fa", motifs=files / "motifs.meme", table=files / "h.csv", quiet=True)
    )
    assert (result.alphabet, result.strands) == ("rna", "one")
    assert {row["strand"] for row in rows(files / "h.csv")} == {"+"}


def test_new_motifs_are_written_and_can_be_read_again(files):
    result = motifs(config(files, denovo=1, denovo_output=files / "new.meme"))
    assert SITE[1:7] in result.denovo[0].consensus.upper() or reverse_complement(SITE)[1:7] in (
        result.denovo[0].consensus.upper()
    )
    again = motifs(MotifsConfig(input=files / "seqs.fa", motifs=files / "new.meme", quiet=True))
    assert again.enrichment[0].q_value < 1e-4


def test_the_same_seed_gives_the_same_result(files):
    assert motifs(config(files)).to_dict() == motifs(config(files)).to_dict()


def test_the_page_holds_logos_and_escapes_names(files):
    text = (files / "motifs.meme").read_text().replace("M1 site", "M1 <script>")
    (files / "motifs.meme").write_text(text)
    motifs(config(files, parents=files / "parents.fa", denovo=1, report=files / "page.html"))
    page = (files / "page.html").read_text()
    assert "M1 &lt;script&gt;" in page
    assert "<script>" not in page.rpartition("<script>")[0]  # but for that of the tables, at the end
    assert {"Enriched motifs", "Gained and lost motifs", "New motifs"} <= set(
        re.findall("<h2[^>]*>([^<]+)", page)
    )
    assert page.count("<svg") >= 4


def test_json_is_one_object_and_the_bundled_collection_is_named(files, cli):
    done = cli("motifs", files / "parents.fa", "--json", "--quiet", "--shuffles", "1", "--strands", "one")
    found = json.loads(done.out)
    assert done.code == 0
    assert (found["num_motifs"], found["strands"]) == (879, "one")
    assert "JASPAR 2024" in found["collection"]


def test_unknown_letters_are_refused_or_masked(files, cli):
    text = (files / "seqs.fa").read_text().replace(SITE, f"{SITE[:4]}N{SITE[5:]}")
    (files / "seqs.fa").write_text(text)
    with pytest.raises(InputError, match="'N'"):
        motifs(config(files))
    masked = motifs(config(files, on_unknown="mask", table=files / "hits.csv"))
    assert masked.num_sequences == 40
    assert all("N" not in row["match"] for row in rows(files / "hits.csv"))


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--motifs", "missing.meme"], 1, "missing.meme"),
        (["--motifs", "seqs.fa"], 1, "no motif format"),
        (["--p-value", "0"], 2, "--p-value"),
        (["--changed", "c.csv"], 2, "--parents"),
        (["--background", "parents.fa", "--shuffles", "3"], 2, "--shuffles"),
        (["--denovo-output", "d.meme"], 2, "--denovo"),
        (["--alphabet", "protein"], 2, "--motifs"),
        (["--parents", "others.fa"], 1, "no parent was found"),
    ],
)
def test_wrong_input_is_one_line(files, cli, monkeypatch, words, code, message):
    monkeypatch.chdir(files)
    (files / "others.fa").write_text(">z\nACGTACGTAC\n")
    done = cli("motifs", "seqs.fa", "--motifs", "motifs.meme", *words)
    assert done.code == code
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1 or "scanning" in done.err


def test_both_strands_need_complements(files):
    with pytest.raises(UsageError, match="--strands"):
        (files / "p.fa").write_text(">a\nMKLVWDE\n")
        (files / "p.meme").write_text(
            "MEME version 4\nALPHABET= ACDEFGHIKLMNPQRSTVWY\nMOTIF P\nletter-probability matrix: w= 1\n"
            + " ".join(["0.05"] * 20)
            + "\n"
        )
        motifs(MotifsConfig(input=files / "p.fa", motifs=files / "p.meme", strands="both", quiet=True))
