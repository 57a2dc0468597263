"""The report is one self-contained file, and shows its input as text."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import ModelError
from asrd.quant.evaluation.differences import differences
from asrd.quant.evaluation.report import SHOWN, Report, render, write_report

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
    reverted=[("original", 0.9), ("all in 8 bits", 0.5), ("1 reverted", 0.895)],
    sensitivity={"front.0": 0.1, "<head> $x$": 0.02},
    facts={"processor": "avx2 & <more>"},
)
VOID = {"meta", "br"}
OPTIONAL_END = {"td", "th", "dt", "dd"}


class Page(HTMLParser):
    """The page as a browser sees it: elements, identifiers, what is fetched, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID | OPTIONAL_END:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name.split(":")[-1] in ("src", "href", "data", "action", "poster", "srcset"):
                self.links.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in OPTIONAL_END:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
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
    shown = " ".join(" ".join(page.words).split())
    for words in (REPORT.title, REPORT.verdict, "my <b>int8</b>", "<clip 7>", "avx2 & <more>", "<head> $x$"):
        assert words in shown


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
    for heading in ("Accuracy as operations", "What each layer", "Size</h2>", "Facts</h2>"):
        assert heading in text
        assert heading not in bare


def test_alike_is_said_to_be_alike() -> None:
    alike = dict.fromkeys(("torch", "fp16"), measured("torch", SAID, SAID))
    assert "all 30 utterances were heard alike" in render(replace(REPORT, measurements=alike))


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
