from __future__ import annotations

import itertools

import numpy as np
import pytest

from seqdesign.reports.palette import AMINO_ACIDS, COLOURS, NUCLEOTIDES, SERIES, letter_colours

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour):
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE 1976 L*a*b* under D65."""
    t = XYZ @ np.clip(rgb, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(first, second):
    """WCAG 2.1 contrast ratio."""
    dark, light = sorted(float(XYZ[1] @ linear(c)) for c in (first, second))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("vision", VISION)
def test_bases_stay_apart_for_colour_blind_readers(mode, vision):
    """A CIE76 distance of 20 is about ten times the just noticeable one."""
    colours = {NUCLEOTIDES[letter] for letter in "ACGT"}
    seen = [lab(VISION[vision] @ linear(COLOURS[c][mode])) for c in sorted(colours)]
    assert len(seen) == 4
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_marks_and_text_stand_out_from_the_page(mode):
    """WCAG 2.1: 3 to 1 for graphics, 4.5 to 1 for text."""
    paper = COLOURS["paper"][mode]
    assert min(contrast(COLOURS[c][mode], paper) for c in SERIES) >= 3
    assert min(contrast(COLOURS[c][mode], paper) for c in ("ink", "muted")) >= 4.5


def test_schemes_follow_the_letters():
    assert letter_colours("ACGU")["U"] == letter_colours("ACGT")["T"]
    assert letter_colours("ACGTN-")["N"] == "muted"
    assert letter_colours("ACDEFGHIKLMNPQRSTVWY*")["N"] == AMINO_ACIDS["N"]
    assert len(set(letter_colours("01ab").values())) == 4
