"""Records of models as JSON and back: options, alphabets, tuples, dataclasses and named tuples inside."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from seqdesign.ensembles.model import Columns
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.language.config import LMOptions
from seqdesign.metrics.conformal import Conformal
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.store import GANRecord
from seqdesign.models.lm.store import LMRecord
from seqdesign.models.predictor.store import PredictorRecord
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.store import VAERecord
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.training.store import OutdatedError

DNA = get_alphabet("dna")
CONFORMAL = Conformal(0.5, 2.0, -1.0, 1.0, (1.0, 2.0), 0.7, (1.0, 2.0), unseen=0.25)
RECORDS = [
    LMRecord(LMOptions(width=8, dropout=0.0, heads=2), DNA, 9, 4, "y", (0.5, 1.5), (0.25, 0.75)),
    GANRecord(GANOptions(condition="label"), DNA, 9, 4, "y", (0.0, 1.0), (0.5, 0.5), ("a", "b")),
    VAERecord(VAEOptions(hidden=8), LMOptions(width=8), DNA, 9, 4, None, 0.0, 0.0, (0.0, 1.0), -1.5),
    PredictorRecord(
        PredictorOptions(),
        DNA,
        9,
        4,
        True,
        ("y", "z"),
        columns=Columns(3, 4, 5),
        calibration=(CONFORMAL,) * 2,
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_what_is_written_is_read_again(record: LMRecord | GANRecord | VAERecord | PredictorRecord) -> None:
    written = json.loads(json.dumps(record.to_dict()))
    assert type(record).from_dict(written) == record
    absent = {name for name in ("batches", "curves") if not getattr(record, name, 0)}  # as before
    assert set(written) == {"kind", *type(record).__dataclass_fields__} - absent
    for name in set(written) - {"kind", "labels", "believed", "code_components", "probability_rows"}:
        with pytest.raises((KeyError, OutdatedError), match=name):
            type(record).from_dict({k: v for k, v in written.items() if k != name})


def test_vaes_of_before_have_no_law_of_their_codes() -> None:
    record = next(record for record in RECORDS if isinstance(record, VAERecord))
    written = record.to_dict()
    del written["code_components"]
    assert VAERecord.from_dict(written) == replace(record, code_components=0)


def test_predictors_of_before_do_not_say_how_many_rows_bear_out_their_probabilities() -> None:
    record = next(record for record in RECORDS if isinstance(record, PredictorRecord))
    written = record.to_dict()
    del written["probability_rows"]
    assert PredictorRecord.from_dict(written) == replace(record, probability_rows=0)


def test_gans_of_before_have_no_labels() -> None:
    record = replace(RECORDS[1], labels=())
    written = record.to_dict()
    del written["labels"]
    assert GANRecord.from_dict(written) == record
