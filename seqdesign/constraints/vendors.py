"""What makers of DNA say that they can make, as rules of this program, with where it was read and when.

Makers change their rules and judge some things by scores that they do not publish, so a preset is a filter
before an order and no promise. ``left_out`` names what is known to be judged but is not a rule here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class VendorRule:
    """One option with its text, for designs of at least ``letters``; in shorter ones it cannot be broken."""

    option: str
    text: str
    letters: int
    says: str
    """The rule in the words of the source, shortened."""


@dataclass(frozen=True)
class Vendor:
    """A preset of ``--synthesis``."""

    title: str
    rules: tuple[VendorRule, ...]
    source: str
    read: str
    """Date of the source, and when it was read."""
    left_out: tuple[str, ...]
    """What the maker is known to judge besides."""


VENDORS: Mapping[str, Vendor] = {
    "twist": Vendor(
        title="Twist Bioscience gene fragments",
        rules=(
            VendorRule("gc", "0.25-0.65", 2, "global GC content between 25% and 65%"),
            VendorRule(
                "gc-difference", "50:0.52", 51, "highest and lowest 50 bp differ by at most 52% in GC content"
            ),
            VendorRule("repeat", "20", 21, "no repeats of 20 bp or more"),
            VendorRule("max-homopolymer", "9", 10, "no homopolymer of 10 or more bases"),
        ),
        source="rules of Twist as users quote them: CodonTransformer issue 7 (2024-09-18) and DnaChisel "
        "issues 54 (2021-04-18) and 77 (2024-04-12)",
        read="2024-09, read 2026-11-27",
        left_out=(
            "repeats shorter than 20 bp that melt at 60 C or above",
            "small repeats of 9 bp or more in more than 15% of the sequence: how they count is not published",
            "length, which depends on the product",
        ),
    ),
    "idt": Vendor(
        title="IDT gBlocks gene fragments",
        rules=(
            VendorRule("gc", "0.25-0.68", 2, "GC content between 25% and 68%"),
            VendorRule("gc-window", "100:0.28-0.76", 100, "28% to 76% in every 100 bp"),
            VendorRule("gc-window", "20:0.15-0.9", 20, "15% to 90% in every 20 bp"),
            VendorRule(
                "max-homopolymer", "12,G:5,C:5", 6, "fewer than 13 A or T, fewer than 6 G or C in a row"
            ),
            VendorRule("hairpin", "20:0-160", 40, "no stem of 20 bp within 200 bp"),
        ),
        source="the set IDT in objectives_sets.py of DnaChisel (Edinburgh Genome Foundry), commit faa4b2d",
        read="2026-11-27",
        left_out=(
            "GC content of the last 30 bp at either end, 24% to 76%",
            "3 letters repeated 5 times, or 2 letters repeated 9 times, in a row",
            "the complexity score of IDT, which is not published",
            "length, 125 to 3,000 bp",
        ),
    ),
}
