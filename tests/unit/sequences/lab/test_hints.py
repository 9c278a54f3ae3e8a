"""Options that read a table of somebody else."""

from __future__ import annotations

from seqdesign.sequences.lab.hints import options_for, replicates_in, rounds_in


def test_sequences_ids_and_replicates_are_guessed_by_their_cells() -> None:
    columns = {
        "Clone": ["c1", "c2", "c3"],
        "note": ["good", "good", "good"],
        "Promoter seq": ["ACGTACGT", "ACGTACGA", "acgtttgt"],
        "rep 1": ["1,5", "2", "3"],
        "rep 2": ["1", "", "ND"],
        "well": ["A1", "A2", "A3"],
    }
    assert options_for(columns) == "--sequence 'Promoter seq' --id Clone --replicates 'rep 1,rep 2'"


def test_mutations_are_known_by_their_form_and_numbers_alone_are_no_sequences() -> None:
    columns = {"what": ["A42G", "WT", "T50S:A42G"], "score1": ["1", "2", "3"]}
    assert options_for(columns) == "--wild-type FILE --mutations what"
    whole = {"mutant": ["A2C", "D4E"], "mutated_sequence": ["MCAD" * 10, "MAAE" * 10], "score": ["1", "2"]}
    assert options_for(whole) == "--sequence mutated_sequence --id mutant"
    assert options_for({"x": ["1", "2"]}) == ""
    site = {"site": ["2", "2"], "wt": ["A", "A"], "to": ["C", "D"], "score": ["1", "2"]}
    assert options_for(site) == "--wild-type FILE --mutations wt,site,to"
    chains = {"VH": ["EVQL" * 10, "EVKL" * 10], "VL": ["DIQM" * 9, "DIVM" * 9]}
    assert options_for(chains) == "--sequence VH (or VL, or VH,VL, joined)"
    assert replicates_in({"r1": ["1"], "r2": ["no"]}) == []


def test_whole_numbers_in_columns_numbered_from_zero_are_counts_of_rounds() -> None:
    columns = {
        "variant": ["A42G", "T50S"],
        "a_R0": ["3", "0"],
        "a_R1": ["1", "7"],
        "b_R0": ["2", "0"],
        "b_R1": ["5", "7"],
    }
    assert (
        options_for(columns) == "--wild-type FILE --mutations variant --counts a_R0,a_R1 --counts b_R0,b_R1"
    )
    assert rounds_in({"r0": ["1"], "r1": ["1.5"]}) == rounds_in({"rep1": ["1"], "rep2": ["2"]}) == []
    assert rounds_in({"rep10": ["1"], "rep20": ["2"]}) == []
