"""The page that leads from the lecture notes to the commands: what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from seqdesign_cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "lecture.md").read_text(encoding="utf-8")
HEAD = "| topic | command | page | test |"


def rows() -> list[list[str]]:
    """Cells of the tables of what is there."""
    found = []
    for section in TEXT.split(HEAD)[1:]:
        lines = section.lstrip("\n").splitlines()[1:]
        for line in lines:
            if not line.startswith("|"):
                break
            found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def test_every_topic_has_a_command_a_page_and_a_test() -> None:
    assert len(rows()) > 40
    for row in rows():
        topic, command, page, test = row
        assert topic
        assert "`" in command, topic
        assert re.search(r"\]\([\w./-]+\.md(#[\w-]+)?\)", page), topic
        assert re.fullmatch(r"`[\w/]+\.py(::\w+)?`", test), topic


def test_every_command_that_is_named_exists() -> None:
    for topic, command, _, _ in rows():
        words = [text.split()[0] for text in re.findall(r"`([^`]+)`", command)]
        named = [word for word in words if not word.startswith("--")]
        assert [word for word in named if word not in COMMANDS] == [], topic
        assert named or words, topic


def test_every_test_that_is_named_exists() -> None:
    for topic, _, _, test in rows():
        file, _, name = test.strip("`").partition("::")
        path = ROOT / "tests" / file
        assert path.exists(), topic
        if name:
            assert re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE), (
                f"{topic}: {name}"
            )


def test_every_topic_that_is_out_says_why() -> None:
    _, _, out = TEXT.partition("| topic | why |")
    lines = [line for line in out.splitlines()[2:] if line.startswith("|")]
    assert len(lines) >= 5
    for line in lines:
        topic, why = (cell.strip() for cell in line.split("|")[1:-1])
        assert topic
        assert len(why) > 20, topic
