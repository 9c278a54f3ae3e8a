"""Files as they come from the bench: workbooks, tables of variants, replicates, GenBank."""
