"""The report is one self-contained file, and shows its input as text."""

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import ModelError
from asrd.quant.evaluation.bound import Bound
from asrd.quant.evaluation.cost import Cost
from asrd.quant.evaluation.differences import differences
from asrd.quant.evaluation.report import SHOWN, Report, render, write_report
from asrd.quant.evaluation.svg import tail

from .measured import measured

SAID = [f"THIS IS NUMBER {number}" for number in range(30)]
HEARD = ["THIS WAS NOT ALL" if number == 7 else f"THIS IS NUMBER {number} X" for number in range(30)]
REPORT = Report(
    title="Tiny <model> & co",
    verdict='It holds: "0.1" < 1 point',
    measurements={
        "torch": measured("torch", SAID, SAID, [70, 71, 75, 90]),
        "my <b>int8</b>": measured("my <b>int8</b>", SAID, HEARD, [10, 11, 10, 12]),
    },
    references=SAID,
    ids=[f"<clip {number}>" for number in range(30)],
    sizes={"torch": 4_000_000, "my <b>int8</b>": 1_000_000},
    reverted=[("original", 0.0), ("all in 8 bits", 0.4), ("1 reverted", 0.005)],
    sensitivity={"front.0": 0.1, "<head> $x$": 0.02},
    facts={"processor": "avx2 & <more>"},
)
HOSTILE = "شريط/صوت/" + "deep|/" * 60 + "<script>語.wav"
VOID = {"meta", "br"}
OPTIONAL_END = {"td", "th", "dt", "dd", "li"}


class Page(HTMLParser):
    """The page as a browser sees it: elements, identifiers, what is fetched, tooltips, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.titles: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    @property
    def shown(self) -> str:
        """All text, with single spaces."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID | OPTIONAL_END:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "title":
                self.titles.append(value or "")
            if name.split(":")[-1] in ("src", "href", "data", "action", "poster", "srcset"):
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in OPTIONAL_END:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "body" in self.tags:
            self.words.append(data)


@pytest.fixture(scope="module")
def text() -> str:
    return render(REPORT)


def test_it_asks_nothing_of_a_network(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert page.links
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(page.tags)
    assert re.findall(r"https?:|//\w|@import|url\((?!#)", text) == []


def test_plots_share_no_identifiers(text: str) -> None:
    page = Page(text)
    assert page.tags.count("svg") == 4
    assert len(page.ids) == len(set(page.ids)) > 0
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_what_it_shows_is_text_and_not_markup(text: str) -> None:
    page = Page(text)
    assert not {"b", "clip", "model", "more", "head"} & set(page.tags[page.tags.index("body") :])
    for words in (REPORT.title, REPORT.verdict, "my <b>int8</b>", "<clip 7>", "avx2 & <more>", "<head> $x$"):
        assert words in page.shown


def test_the_utterances_that_differ_most_come_first_and_no_more_than_fit(text: str) -> None:
    names = re.findall(r"&lt;clip (\d+)&gt;", text)
    assert names[0] == "7"
    assert len(names) == SHOWN
    row = text[text.index("&lt;clip 7&gt;") :].split("</tr>", maxsplit=1)[0]
    assert re.findall(r"<mark>(\w+)</mark>", row) == ["IS", "NUMBER", "7", "WAS", "NOT", "ALL"]


def test_the_same_facts_give_the_same_bytes(text: str, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", REPORT)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text


def test_what_is_not_given_is_left_out(text: str) -> None:
    bare = render(replace(REPORT, reverted=(), sensitivity={}, sizes={}, facts={}))
    for heading in ("Loss as operations", "What each layer", "Size</h2>", "Facts</h2>"):
        assert heading in text
        assert heading not in bare


def test_alike_is_said_to_be_alike() -> None:
    alike = dict.fromkeys(("torch", "fp16"), measured("torch", SAID, SAID))
    assert "all 30 utterances were heard alike" in render(replace(REPORT, measurements=alike))


def test_an_utterance_with_a_long_name_shows_its_end_and_all_of_it_on_request() -> None:
    page = Page(render(replace(REPORT, ids=[f"{number}/{HOSTILE}" for number in range(30)])))
    assert page.open == []
    assert "script" not in page.tags
    assert page.tags.count("details") == SHOWN
    assert f"7/{HOSTILE}" in page.titles
    assert all(f"7/{HOSTILE}".endswith(title) for title in page.titles if title.startswith("7/"))
    assert "…/deep|/" in page.shown or "…deep|/" in page.shown
    assert f"7/{HOSTILE}" in page.shown


@given(st.text(max_size=80), st.integers(2, 40))
def test_a_name_is_shortened_from_the_left(name: str, most: int) -> None:
    short = tail(name, most)
    assert len(short) <= most or short == name
    assert short == name or (short[0] == "…" and name.endswith(short[1:]))
    assert short == name if len(name) <= most else len(short) > most // 2


def test_text_may_run_from_right_to_left_and_words_may_be_endless() -> None:
    heard = {"torch": measured("torch", ["A"], ["שלום עולם"]), "int8": measured("int8", ["A"], ["語" * 300])}
    page = Page(render(replace(REPORT, measurements=heard, references=["A"], ids=["a"])))
    assert page.open == []
    assert "שלום" in page.words
    assert "語" * 300 in page.words
    assert "1 of 1 utterance was heard differently" in page.shown
    assert "One utterance gives no interval" in page.shown


def test_one_backend_is_compared_with_none() -> None:
    shown = Page(render(replace(REPORT, measurements={"a": measured("a", SAID, SAID)}))).shown
    assert "speed-up" not in shown
    assert "heard as" not in shown
    assert "differ most" not in shown


def test_a_busy_machine_is_marked_beside_speeds() -> None:
    text = render(replace(REPORT, busy="the machine was <busy>"))
    assert Page(text).shown.count("The machine was <busy>.") == 2
    assert text.count('data-name="speed-up*"') == 2
    assert render(REPORT).count('data-name="speed-up"') == 2


def test_times_that_are_unknown_are_told_so() -> None:
    unknown = measured("int8", SAID, SAID, [math.nan])
    shown = Page(render(replace(REPORT, measurements={"torch": measured("torch", SAID, SAID), "int8": unknown}))).shown
    assert "nan" not in shown.lower()
    assert "? ×" in shown
    assert "milliseconds a window" in shown
    assert "milliseconds a window" not in render(replace(REPORT, measurements={"int8": unknown}))


def test_the_cost_is_drawn_and_told() -> None:
    costs = (
        Cost("wer", 0.004, -0.001, 0.009),
        Cost("wer", 0.03, 0.02, 0.04),
        Cost("wer", -0.00001, -0.02, 0.02),
        Cost("cer", 0.0, -0.00001, 0.0),
    )
    shown = Page(render(replace(REPORT, costs=costs, bound=Bound(0.01, ("wer",))))).shown
    for words in ("holds fails cannot tell no bound allowed", "up to 1.00 may be lost: this does not hold."):
        assert words in shown
    assert "raises WER by 0.40 points (95 % interval: −0.10 to 0.90); up to 1.00 may be lost: this holds." in shown
    assert "lowers WER by less than 0.01 points (95 % interval: −2.00 to 2.00); up to 1.00 may be lost: whet" in shown
    assert "leaves CER as it is (95 % interval: 0.00 to 0.00)." in shown
    relative = Page(render(replace(REPORT, costs=costs, bound=Bound(0.01, ("wer", "cer"), relative=True)))).shown
    assert "loses 3.00 % of the accuracy, 1 − WER" in relative


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be written") as caught:
        write_report(tmp_path / "missing" / "report.html", REPORT)
    assert "\n" not in str(caught.value)


WORDS = st.lists(st.sampled_from("ABCD"), max_size=8)


@given(WORDS, WORDS)
def test_words_that_are_not_marked_are_the_same_on_both_sides(one: list[str], other: list[str]) -> None:
    found = differences(["id"], ["SAID"], [" ".join(one)], [" ".join(other)])
    if one == other:
        assert found == []
        return
    assert [word for word, _ in found[0].one] == one
    assert [word for word, _ in found[0].other] == other
    assert [word for word, same in found[0].one if same] == [word for word, same in found[0].other if same]
    assert 0 < found[0].changed <= max(len(one), len(other))
