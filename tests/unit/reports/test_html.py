from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from seqdesign.errors import OutputError
from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.diff import diff_html
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import sequence_logo
from seqdesign.reports.plots import histogram

EVIL = "</title></style></svg><script>document.title='XSS'</script><img src=x onerror=alert(1)>\"'"
VOID = {"meta", "br", "img", "link", "input"}


class Outline(HTMLParser):
    """Elements with attributes, text by element, and whether every element is closed in order."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.text = [], [], {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.setdefault(self.open[-1] if self.open else "", []).append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page():
    page = Page(
        "Report",
        answer=Answer("One sentence."),
        provenance={"seed": 0, "versions": {"python": "3.12"}, "inputs": ["a.fa", "b.fa"], "commit": None},
    )
    logo, bars = sequence_logo(["ACGT"] * 5, letters="ACGT"), histogram({"a": [1, 2]}, title="h", x_label="x")
    page.section("Figures", "First.\n\nSecond.", figures=[Figure(logo, "A logo."), Figure(bars, "Bars.")])
    page.section(
        "Rows", tables=[Table([{"id": "s1", "edits": diff_html("AC", "AG")}], ["id", "edits"], "Edits.")]
    )
    return page


def test_a_page_is_well_formed_and_complete(page):
    outline = Outline(page.html())
    assert outline.open == []
    assert len(outline.all("figure")) == 2
    assert outline.text["figcaption"] == ["A logo.", "Bars."]
    assert {"First.", "Second."} <= set(outline.text["p"])
    assert [a.get("title") for a in outline.all("b")] == ["C2G"]


def scripts(outline):
    return [a for a in outline.all("script") if "type" not in a]


def test_a_page_of_words_has_no_script():
    page = Page("t", answer=Answer("Why?", "So.", [Tile("3", "things")]))
    page.section("s", "Text.", tables=[Table([{"a": 1}], ["a"])], facts={"b": 2})
    outline = Outline(page.html())
    assert not outline.all("script")
    assert "script-src" not in page.html()


def test_a_page_refers_to_nothing_outside(page):
    content = page.html()
    outline = Outline(content)
    assert len(scripts(outline)) == 1
    assert not outline.all("link")
    references = [
        v for _, attributes in outline.elements for k, v in attributes.items() if k in ("src", "href")
    ]
    assert references
    assert all(value.startswith("#") for value in references)
    assert not re.search(r"url\(|@import", content)
    assert "default-src 'none'" in next(a["content"] for a in outline.all("meta") if "http-equiv" in a)


def test_markup_in_any_text_is_shown_and_never_run():
    page = Page(
        EVIL,
        answer=Answer(EVIL, EVIL, [Tile(EVIL, EVIL, EVIL)], files=[(EVIL, EVIL)]),
        provenance={EVIL: {EVIL: EVIL}},
    )
    logo = sequence_logo(["A"], letters="ACGT", title=EVIL)
    table = Table([{EVIL: EVIL, "edits": diff_html(EVIL, EVIL[1:])}], [EVIL, "edits"], EVIL)
    for _ in range(4):
        page.section(EVIL, [EVIL], [Figure(logo, EVIL)], [table])
    outline = Outline(page.html())
    assert outline.open == []
    assert len(scripts(outline)) == 1
    assert not outline.all("img")
    assert not [k for _, attributes in outline.elements for k in attributes if k.startswith("on")]
    assert outline.text["h1"] == [EVIL]
    assert outline.text["title"][0] == EVIL


def test_the_one_script_is_that_of_the_tables_and_the_policy_names_it():
    page = Page("t")
    page.section("s", tables=[Table([{"id": EVIL}], ["id"], EVIL, "t")])
    outline = Outline(page.html())
    assert scripts(outline) == [{}]
    code = page.html().rpartition("<script>")[2].partition("</script>")[0]
    policy = next(a["content"] for a in outline.all("meta") if "http-equiv" in a)
    known = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert policy.endswith(f"; script-src 'sha256-{known}'")
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\(", code)


def test_warnings_stand_before_everything_else(page):
    page.warnings(["the file was changed. Or not."])
    page.warnings(["this too"], about="a.fa")
    content = page.html()
    assert content.index("The file was changed. Or not.") < content.index("a.fa: This too.")
    assert content.index("a.fa: This too.") < content.index("<section")
    assert page.warned == ["The file was changed. Or not.", "a.fa: This too."]


def test_sections_of_a_chapter_are_headings_below_its_own():
    page = Page("t")
    page.section("alone")
    page.chapter("first", "Text.", facts={"made by": "me", "inputs": {"a": 1, "b": 2}})
    page.section("inside")
    page.chapter("second")
    outline = Outline(page.html())
    assert outline.text["h2"] == ["alone", "first", "second"]
    assert outline.text["h3"] == ["inside"]
    assert outline.text["dt"] == ["made by", "inputs"]
    assert outline.text["a"] == ["alone", "first", "inside", "second"]


def test_a_plain_string_is_refused_as_a_figure():
    with pytest.raises(TypeError, match="must be Markup"):
        Page("t").section("s", figures=[Figure("<svg></svg>", "c")])


def test_provenance_stands_in_its_order(page):
    outline = Outline(page.html())
    assert outline.text["dt"] == ["seed", "versions", "inputs", "commit"]
    footer = page.html().split('<footer id="provenance">')[1]
    assert re.findall(r"<code>(.*?)</code>", footer) == ["0", "3.12", "a.fa", "b.fa", ""]


def test_contents_link_to_their_sections():
    page = Page("t")
    for name in "abcd":
        page.section(name)
    outline = Outline(page.html())
    links = {a["href"] for a in outline.all("a")}
    assert links == {f"#{a['id']}" for a in outline.all("section")}
    assert len(links) == 4


def test_every_colour_variable_is_defined_for_both_modes(page):
    content = page.html()
    used = set(re.findall(r"var\((--sd-\w+)", content))
    assert used
    for mode in (
        content.split("prefers-color-scheme: dark")[0],
        content.split("prefers-color-scheme: dark")[1],
    ):
        assert used <= set(re.findall(r"(--sd-\w+):", mode))


def test_the_same_page_is_the_same_bytes_and_replaces_the_old_file(page, tmp_path):
    target = tmp_path / "report.html"
    target.write_text("old")
    page.write(target)
    assert target.read_text(encoding="utf-8") == page.html() == page.html()
    assert os.listdir(tmp_path) == ["report.html"]


def test_a_folder_that_is_missing_is_an_output_error(page, tmp_path):
    with pytest.raises(OutputError, match=r"report\.html"):
        page.write(tmp_path / "none" / "report.html")


def test_reports_import_neither_torch_nor_pandas_nor_matplotlib():
    code = (
        "import sys, seqdesign.reports.html, seqdesign.reports.logo, seqdesign.reports.plots\n"
        "print([m for m in ('torch', 'pandas', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
