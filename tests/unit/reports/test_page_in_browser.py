"""What a reader can do with a page of designs, in a browser: open cards, ask points, save figures, print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from chromium import Chromium

from seqdesign.pages.answers import designs_answer
from seqdesign.pages.design_sections import add_outcomes, add_trade_offs
from seqdesign.pages.design_table import add_designs
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import scatter, shaded_scatter
from seqdesign.reports.tables import Column

MEASURED = {"predicted_growth": (1.0, 4.0)}
PARENT = "MKVLAAGICWTRPQDEHNYFSMKVLAAGICWTRPQDEHNYFSMKVLAAGICWTRPQDEHNYFSMKVLAAG"


def page(count: int) -> str:
    rows = []
    for i in range(count):
        text = PARENT[:4] + "W" + PARENT[5:64] + "R" + PARENT[65:]
        low = float(i % 7)
        rows.append(
            {
                "id": f"d{i}", "status": "ok", "sequence": text, "score": low + 0.5, "score_low": low,
                "score_start": 2.0, "predicted_growth": low + 0.5, "predicted_growth_low": low - 0.5,
                "predicted_growth_high": low + 1.5, "nearest": 1, "edits": 2, "edit_list": "A5W,M65R",
                "evidence": "7,9", "least_evidence": 7, "confidence": 0.9,
            }
        )  # fmt: skip
    designs = DesignSet(rows)
    made = Page(
        "Designs", answer=designs_answer(designs, asked="Better?", measured=MEASURED), provenance={"a": 1}
    )
    made.warnings(["this is a test"])
    breaches = {"d6": ["forbid:WA@5-6"]}
    add_designs(
        made, designs, name="designs", measured=MEASURED, breaches=breaches, sites={"d6": "GATA@60-66+"}
    )
    add_outcomes(made, designs, name="score (max)", measured=MEASURED)
    add_trade_offs(made, designs)
    return made.html()


LOOK = """
const all = (s, at = document) => [...at.querySelectorAll(s)];
const saved = [];
URL.createObjectURL = (blob) => { saved.push(blob); return "#"; };
const out = {};
"""


def test_a_reader_opens_cards_asks_points_saves_figures_and_prints(browser: Callable[..., Any]) -> None:
    seen = browser(
        page(60),
        LOOK
        + """
        const first = document.querySelector(".sd-opener");
        first.click();
        const card = document.querySelector(".sd-card");
        out.expanded = first.getAttribute("aria-expanded");
        out.aligned = card.querySelector("pre").textContent;
        out.marks = all(".sd-map rect", card).map((mark) => [mark.getAttribute("class"), mark.textContent]);
        out.evidence = card.querySelector(".sd-evidence").textContent;
        first.click();
        out.closed = all(".sd-card").length;
        const point = document.querySelector(".sd-points [data-tip]");
        point.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
        out.tip = [document.querySelector(".sd-tip").hidden, document.querySelector(".sd-tip").textContent];
        const figure = document.querySelector("figure");
        for (const button of all(".sd-save button", figure)) button.click();
        await new Promise((done) => setTimeout(done, 300));
        out.saved = await Promise.all(saved.map((blob) => blob.text()));
        const field = document.querySelector(".sd-tools input");
        const filter = (text) => {
          field.value = text;
          field.dispatchEvent(new Event("input"));
          return document.querySelector(".sd-status").textContent;
        };
        out.filter = [filter("at least > 3"), filter("gain >"), filter("nosuch>3")];
        filter("");
        out.rows = all(".sd-data tbody tr").length;
        dispatchEvent(new Event("beforeprint"));
        out.paper = all(".sd-paper-line").map((line) => line.textContent.length);
        const rows = all(".sd-data tbody tr:not(.sd-paper-line)").length;
        out.printed = [rows, document.querySelector("footer details").open];
        dispatchEvent(new Event("afterprint"));
        out.after = [all(".sd-data tbody tr").length, document.querySelector("footer details").open];
        out.nav = getComputedStyle(document.querySelector("nav")).position;
        const code = document.querySelector(".sd-sequence code");
        const tops = [...code.getClientRects()].map((box) => box.top);
        out.lines = Math.max(...tops) - Math.min(...tops);
        const cell = code.closest("td").getBoundingClientRect();
        out.sequence = [cell.left, cell.right];
        const top = document.querySelector(".sd-answer").getBoundingClientRect();
        out.answer = [top.top, document.querySelector(".sd-warnings").getBoundingClientRect().bottom];
        const skipped = (part) => getComputedStyle(part).contentVisibility !== "visible";
        out.skipped = all("section").filter(skipped).length;
        return out;
        """,
        width=1400,
    )
    assert seen.console == []
    found = seen.value
    assert found["expanded"] == "true"
    assert found["aligned"].startswith(f"parent  1 {PARENT[:60]}\n          ||||*")
    assert "design 61 KVLARAGICW"[:10] in found["aligned"]
    assert [kind for kind, _ in found["marks"]] == ["sub", "sub", "breach", "site"]
    assert found["marks"][2][1] == "forbid:WA at 5-6"
    assert found["evidence"] == "Training sequences that have each edit: A5W 7, M65R 9."
    assert found["closed"] == 0
    assert found["tip"] == [False, "d6: 6.5 (5.5 to 7.5)"]
    picture, table = found["saved"]
    assert picture.startswith("<?xml")
    assert "var(--" not in picture
    assert "<title>d6: 6.5 (5.5 to 7.5)</title>" in picture
    assert table.splitlines()[:2] == ["id,growth,low,high", "d0,0.5,-0.5,1.5"]
    assert found["filter"][0].startswith("24 of 60 rows")
    assert "“gain >” lacks the value" in found["filter"][1]
    assert "No column is named “nosuch”" in found["filter"][2]
    assert found["filter"][2].startswith("60 of 60 rows")
    assert (found["rows"], found["printed"], found["after"]) == (25, [60, True], [25, False])
    assert found["paper"] == [70] * 60
    assert found["nav"] == "sticky"
    assert found["lines"] < 5, "a sequence is one line"
    assert 0 < found["sequence"][0] < found["sequence"][1] < 1400, "it is in sight without scrolling"
    assert found["answer"][1] < 900
    assert found["skipped"] == 0


def test_on_a_phone_every_design_is_a_card_and_the_answer_is_one_screen(browser: Callable[..., Any]) -> None:
    seen = browser(
        page(8),
        LOOK
        + """
        out.narrow = matchMedia("(max-width: 40rem)").matches;
        out.rows = all(".sd-data tbody tr").map((line) => getComputedStyle(line).display);
        out.labels = getComputedStyle(all(".sd-data td")[0], "::before").content;
        out.head = getComputedStyle(document.querySelector(".sd-data thead")).display;
        out.sorter = getComputedStyle(document.querySelector(".sd-sorter")).display;
        const choice = document.querySelector(".sd-sorter select");
        choice.value = [...choice.options].find((one) => one.textContent === "at least").value;
        choice.dispatchEvent(new Event("change"));
        out.first = document.querySelector(".sd-data tbody th").textContent.slice(0, 2);
        out.fits = document.documentElement.scrollWidth <= innerWidth;
        out.answer = document.querySelector(".sd-warnings").getBoundingClientRect().bottom;
        return out;
        """,
        width=390,
    )
    found = seen.value
    assert seen.console == []
    assert found["narrow"]
    assert set(found["rows"]) == {"grid"}
    assert found["labels"] == '"growth"'
    assert (found["head"], found["sorter"]) == ("none", "flex")
    assert found["first"] == "d6"
    assert found["fits"]
    assert found["answer"] < 844  # of a phone


def test_dark_pages_are_dark_and_nobody_is_kept_from_them(
    chromium: Chromium, axe: str, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(8), encoding="utf-8")
    grounds = []
    for dark in (False, True):
        tab = chromium.open(path, 1400, dark=dark)
        grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert tab.violations(axe) == []
        tab.close()
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 27)"]


def test_a_card_draws_what_each_letter_adds(browser: Callable[..., Any]) -> None:
    rows = [
        {"id": "a", "sequence": "ACGT", "edit_list": "G2C", "contributions": "1,-0.5,,0.25"},
        {"id": "b", "sequence": "AC", "edit_list": "", "contributions": "2,0.01"},
    ]
    columns = ["id", Column("sequence", sequence=True, edits="edit_list")]
    columns += [Column(key, shown=False) for key in ("edit_list", "contributions")]
    made = Page("Why")
    made.section("Sequences", tables=[Table(rows, columns, "Two.", "two", cards=True, unit="growth")])
    seen = browser(
        made.html(),
        LOOK
        + """
        for (const opener of all(".sd-opener")) opener.click();
        out.logos = all(".sd-logo").map((logo) => all("path", logo).map((letter) => {
          const box = letter.getBBox();
          const scale = /scale\\(([\\d.]+) ([\\d.]+)\\)/.exec(letter.getAttribute("transform"));
          return [letter.getAttribute("fill"), Math.round(box.height * Number(scale[2]) * 10) / 10];
        }));
        out.edited = all(".sd-logo .site").length;
        out.words = document.querySelector(".sd-logo text").textContent;
        return out;
        """,
    )
    assert seen.console == []
    found = seen.value
    # Both on one axis of 44 pixels, which the largest contribution fills.
    assert found["logos"] == [
        [["var(--sd-green)", 22.0], ["var(--sd-blue)", 11.0], ["var(--sd-vermillion)", 5.5]],
        [["var(--sd-green)", 44.0]],
    ]
    assert found["edited"] == 1
    assert found["words"] == "what each letter adds to growth; the tallest of all rows is 2"


def test_each_of_many_points_says_what_it_is(browser: Callable[..., Any]) -> None:
    values = [float(i) for i in range(200)]
    ids = [f'p"{i},x' for i in range(200)]
    figures = [
        scatter(values, values[::-1], title="a", x_label="x", y_label="y", ids=ids),
        shaded_scatter(values, values, values[::-1], title="b", x_label="x", y_label="y", unit="u", ids=ids),
    ]
    made = Page("Points")
    made.section("Points", "", [Figure(figure, "Points.") for figure in figures])
    assert len(made.html()) < 62_000 + sum(map(len, map(str, figures)))
    seen = browser(
        made.html(),
        LOOK
        + """
        out.tips = [];
        for (const picture of all("figure svg")) {
          const dots = picture.querySelector(".sd-dots path").getAttribute("d");
          const start = /M([\\d.]+) ([\\d.]+)h0/.exec(dots);
          picture.scrollIntoView({ block: "center" });
          const at = new DOMPoint(Number(start[1]), Number(start[2])).matrixTransform(picture.getScreenCTM());
          picture.dispatchEvent(new PointerEvent("pointermove", { clientX: at.x + 1, clientY: at.y }));
          await new Promise((done) => setTimeout(done, 200));
          out.tips.push(document.querySelector(".sd-tip").textContent);
          picture.dispatchEvent(new PointerEvent("pointerleave"));
          out.tips.push(document.querySelector(".sd-tip").hidden);
        }
        return out;
        """,
    )
    assert seen.console == []
    # The first dot of the second figure is one of the lightest shade, whose values are the smallest.
    assert seen.value["tips"][:2] == ['p"0,x: x 0, y 199', True]
    assert seen.value["tips"][2:] == ['p"160,x: x 160, y 160, u 39', True]


def test_rows_that_are_picked_are_what_is_saved(browser: Callable[..., Any]) -> None:
    seen = browser(
        page(30),
        LOOK
        + """
        const box = document.querySelector(".sd-data");
        const boxes = all(".sd-pick", box);
        out.labels = boxes.slice(0, 2).map((one) => one.getAttribute("aria-label"));
        for (const one of [boxes[3], boxes[1]]) one.click();
        out.open = all(".sd-card").length;
        out.status = box.querySelector(".sd-status").textContent;
        const field = box.querySelector("input[type=search]");
        field.value = "d29";
        field.dispatchEvent(new Event("input"));
        for (const name of ["Save FASTA", "Save CSV"]) {
          all(".sd-tools button", box).find((one) => one.textContent === name).click();
        }
        out.saved = await Promise.all(saved.map((blob) => blob.text()));
        return out;
        """,
    )
    assert seen.console == []
    found = seen.value
    names = [label.removeprefix("Pick ") for label in found["labels"]]
    assert found["open"] == 0
    assert found["status"] == "30 of 30 rows; 2 picked, which alone are saved and copied"
    fasta, table = found["saved"]
    kept = [line[1:].split()[0] for line in fasta.splitlines() if line.startswith(">")]
    assert len(kept) == 2
    assert names[1] in kept
    assert [line.split(",")[0] for line in table.splitlines()[1:]] == kept
