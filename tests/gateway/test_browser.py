"""The captions page in a real browser: one for all of these tests, with a sentence for a microphone."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from asrd.core.events import Behind, Error, Final, Gap, Partial, Timestamps, WireWord
from asrd.gateway.tokens import read_tokens
from asrd.models.speech import bundled as bundled_speech

from .stage import Stage

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVIL = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>&lt;b&gt;"
WIDE = {"width": 1100, "height": 720}
SHADES = [0.95, 0.6, 0.95, 0.3, 0.95]


@pytest.fixture(scope="module")
def sentence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real sentence, with silence around it."""
    pcm, rate = soundfile.read(bundled_speech("real")[1].audio, dtype="float32")
    quiet = np.zeros(48_000, np.float32)
    path = tmp_path_factory.mktemp("microphone") / "sentence.wav"
    soundfile.write(path, np.concatenate([quiet, soxr.resample(pcm, rate, 48_000), quiet, quiet]), 48_000)
    return path


@pytest.fixture(scope="module")
def browser(sentence: Path) -> Iterator["playwright.Browser"]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium; on Debian, apt install chromium")
    flags = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    flags += [f"--use-file-for-fake-audio-capture={sentence}%noloop"]
    with playwright.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    found = Stage()
    yield found
    found.close()


@pytest.fixture(scope="module")
def tab(browser) -> Iterator[tuple["playwright.Page", list[str]]]:
    """A tab, and what it complains of."""
    context = browser.new_context(viewport=WIDE, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)
    opened, faults = context.new_page(), []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    yield opened, faults
    context.close()


@pytest.fixture
def page(tab, request) -> Iterator["playwright.Page"]:
    """A page on which nothing goes wrong, unless a test expects it."""
    opened, faults = tab
    faults.clear()
    yield opened
    expected = [mark.args[0] for mark in request.node.iter_markers("faults")]
    assert [fault for fault in faults if not any(part in fault for part in expected)] == []


class Speaker:
    """Says what a stream would."""

    def __init__(self, stage: Stage, stream: str, at: float = 0.0) -> None:
        self.stage, self.stream, self.zero = stage, stream, time.time()
        self.utterance, self.position = 0, round(16_000 * at)

    def say(self, text: str, *, settled: int | None = None, confidences: list[float] | None = None) -> None:
        """Publish a final, or a partial if it is not yet settled."""
        words, start = [], self.position
        for number, word in enumerate(text.split(" ")):
            sure = confidences[number % len(confidences)] if confidences else 0.95
            words.append(WireWord(word, start, start + 6400, sure))
            start += 8000
        end = start - 1600
        heard = self.zero + end / 16_000
        common = {
            "utterance": self.utterance,
            "start": self.position,
            "end": end,
            "text": text,
            "words": tuple(words),
            "backend": "int8",
            "stages": Timestamps(heard=heard, cut=heard, started=heard, recognized=heard),
        }
        if settled is not None:
            self.stage.publish(Partial(**common, stable=settled), self.stream)
            return
        self.stage.publish(Final(**common, speech_end=end, confidence=0.9, reason="silence"), self.stream)
        self.utterance += 1
        self.position = end + 16_000


@pytest.fixture
def speaker(stage: Stage) -> Callable[..., Speaker]:
    """What makes a speaker whose name no other test has."""
    count = iter(range(100))

    def make(name: str) -> Speaker:
        return Speaker(stage, f"{name}-{time.monotonic_ns()}-{next(count)}")

    return make


def visit(page, stage: Stage, *speakers: Speaker, **parameters: object) -> None:
    """Open the page for the streams of some speakers, and wait until it is connected."""
    query = {"stream": ",".join(one.stream for one in speakers)} | parameters
    page.goto(f"{stage.url}?{'&'.join(f'{name}={value}' for name, value in query.items())}")
    state = "#captions" if "overlay" in parameters else "#state"
    page.wait_for_selector(f"{state}[data-state=live]", state="attached")


def texts(page) -> list[str]:
    return page.locator("#lines .text").all_inner_texts()


def test_what_the_microphone_hears_is_captioned(page, served, sentence, transcribed):
    page.goto(served.url)
    expect(page.locator("#state")).to_have_text("Live")
    page.get_by_role("button", name="Start microphone").click()
    level = page.get_by_role("meter", name="Microphone level")
    expect(level).to_have_attribute("aria-valuenow", re.compile(r"^-[123]?\d$"))
    page.wait_for_selector(".line.open .text:not(:empty)")
    expect(page.locator("#announced")).to_be_empty()
    page.wait_for_selector(".line:not(.open) .text", timeout=20_000)
    text, expected = " ".join(texts(page)).lower(), transcribed(sentence).strip().rstrip(".").lower()
    assert SequenceMatcher(None, text, expected).ratio() > 0.8, text
    expect(page.locator("#announced > p")).to_have_count(1)
    assert "browser" in served.streams()
    page.get_by_role("button", name="Stop microphone").click()
    expect(level).to_be_hidden()
    page.get_by_role("button", name="Start microphone").wait_for()
    for _ in range(100):
        if "browser" not in served.streams():
            break
        time.sleep(0.05)
    assert "browser" not in served.streams()


def test_what_is_settled_is_firm_and_the_rest_is_light(page, stage, speaker):
    one = speaker("anna")
    visit(page, stage, one)
    one.say("SOME OF THIS WILL STAY", settled=12)
    expect(page.locator(".line.open .rest")).to_have_text("WILL STAY")
    assert texts(page) == ["SOME OF THIS WILL STAY"]
    one.say("SOME OF THIS HAS STAYED", confidences=SHADES)
    expect(page.locator(".line.open")).to_have_count(0)
    assert texts(page) == ["SOME OF THIS HAS STAYED"]
    assert page.locator(".unsure").all_inner_texts() == ["OF"]
    assert page.locator(".doubtful").all_inner_texts() == ["HAS"]
    assert page.locator(".doubtful").get_attribute("title") == "30% sure"
    expect(page.locator("#announced > p")).to_have_text("SOME OF THIS HAS STAYED")


def test_it_says_how_late_it_is(page, stage, speaker):
    visit(page, stage, speaker("anna"))
    stage.publish(Behind(seconds=4.2, slowest="desk", measures=("partials",)))
    expect(page.locator("#state")).to_have_text("Live, 4 s late")
    stage.publish(Behind(seconds=0.1, slowest="desk", measures=()))
    expect(page.locator("#state")).to_have_text("Live")


def test_streams_have_names_and_colours_and_can_be_hidden(page, stage, speaker):
    anna, ben = speaker("anna"), speaker("ben")
    visit(page, stage, anna, ben)
    anna.say("HELLO")
    ben.say("GOOD MORNING")
    stage.publish(Gap(start=0, end=16_000, reason="the network was slow"), ben.stream)
    expect(page.locator(".name")).to_have_text([anna.stream, ben.stream])
    hues = page.eval_on_selector_all(".name", "names => names.map((name) => getComputedStyle(name).color)")
    assert len({*hues}) == 2
    expect(page.locator(".note .text")).to_have_text("1.0 s were not heard: the network was slow")
    page.get_by_role("button", name=ben.stream).click()
    expect(page.locator(".line:visible .text")).to_have_text(["HELLO"])


@pytest.mark.faults("ERR_CONNECTION_REFUSED")
@pytest.mark.faults("WebSocket connection to")
def test_a_connection_that_was_lost_comes_back_without_a_hole(page, stage, speaker):
    one = speaker("anna")
    visit(page, stage, one)
    one.say("BEFORE")
    one.say("AN OPEN END", settled=2)
    expect(page.locator(".line.open")).to_have_count(1)
    stage.go()
    expect(page.locator("#state")).to_have_attribute("data-state", "away")
    one.say("AN OPEN END THAT WAS CLOSED")
    one.say("MEANWHILE")
    stage.come()
    expect(page.locator("#state")).to_have_attribute("data-state", "live")
    one.say("AFTERWARDS")
    expected = ["BEFORE", "AN OPEN END THAT WAS CLOSED", "MEANWHILE", "AFTERWARDS"]
    expect(page.locator("#lines .text")).to_have_text(expected)


def test_markup_in_events_is_text(page, stage, speaker):
    one = speaker("anna")
    title = "asrd captions"
    for overlay in ({}, {"overlay": 1}):
        visit(page, stage, one, **overlay)
        one.say(EVIL, settled=20)
        one.say(EVIL, confidences=SHADES)
        stage.publish(Error(message=EVIL), one.stream)
        stage.publish(Gap(start=0, end=16_000, reason=EVIL), one.stream)
        shown = page.locator("#captions .said" if overlay else "#lines .text")
        expect(shown.first).to_have_text(EVIL)
        assert page.locator("main img, main script, #announced img").count() == 0
        assert page.title() == title


def test_the_overlay_shows_captions_alone(page, stage, speaker):
    one = speaker("anna")
    visit(page, stage, one, overlay=1, size=40, lines=2, hold=1)
    for number in range(4):
        one.say(f"UTTERANCE {number} HAS MANY WORDS SO THAT IT DOES NOT FIT INTO ONE LINE AND MUST BE BROKEN")
    one.say("WHAT IS SAID NOW", settled=4)
    expect(page.locator(".said").last).to_have_text("WHAT IS SAID NOW")
    assert page.locator("body :visible").evaluate_all("all => all.filter((one) => !one.closest('main')).length") == 0
    box = page.locator("#captions").bounding_box()
    assert 95 < box["height"] <= 2 * 40 * 1.3 + 1
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
    shot = page.screenshot(omit_background=True)
    assert shot[25] == 6, "a PNG with transparency"
    expect(page.locator(".said")).to_have_count(0)


def test_search_copy_and_downloads(page, stage, speaker, tmp_path):
    one = speaker("anna")
    visit(page, stage, one)
    one.say("THE CAT SAT ON THE MAT")
    one.say("A DOG BARKED & <RAN>")
    one.say("AND SO THE LONG STORY OF THE CAT AND OF ITS FRIENDS WENT ON FOR MORE THAN TWO LINES OF FORTY LETTERS EACH")
    expect(page.locator(".line")).to_have_count(3)
    page.get_by_role("searchbox", name="Search the captions").fill("cat")
    expect(page.locator("#found")).to_have_text("2 found")
    expect(page.locator(".line:visible")).to_have_count(2)
    page.get_by_role("searchbox").fill("")
    expect(page.locator(".line:visible")).to_have_count(3)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("THE CAT SAT ON THE MAT A DOG BARKED & <RAN> AND SO")
    files = {form: download(page, form, tmp_path) for form in ("txt", "srt", "vtt")}
    assert files["txt"] == copied
    assert files["srt"].startswith("1\n00:00:00,000 --> 00:00:03,400\nTHE CAT SAT ON THE MAT\n\n2\n00:00:03,900 --> ")
    assert files["vtt"].startswith("WEBVTT\n\n00:00:00.000 --> 00:00:03.400\nTHE CAT SAT ON THE MAT\n\n")
    assert "A DOG BARKED &amp; &lt;RAN&gt;" in files["vtt"]
    lines = [line for line in files["srt"].splitlines() if line and "-->" not in line]
    assert max(map(len, lines)) <= 42
    times = [moment for line in files["srt"].splitlines() if "-->" in line for moment in line.split(" --> ")]
    assert times == sorted(times)


def download(page, form: str, folder: Path) -> str:
    page.locator("#download summary").click()
    with page.expect_download() as started:
        page.locator(f"[data-form={form}]").click()
    assert re.fullmatch(rf"captions-\d{{4}}(-\d\d){{4}}\.{form}", started.value.suggested_filename)
    path = folder / form
    started.value.save_as(path)
    return path.read_text(encoding="utf-8")


def test_a_pause_holds_the_text_still(page, stage, speaker):
    one = speaker("anna")
    visit(page, stage, one)
    page.get_by_role("button", name="Pause").click()
    one.say("UNSEEN")
    one.say("UNSEEN TOO")
    page.wait_for_timeout(200)
    assert texts(page) == []
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#lines .text")).to_have_text(["UNSEEN", "UNSEEN TOO"])


def test_it_can_be_used_by_keyboard_and_screen_reader(page, stage, speaker):
    one = speaker("anna")
    visit(page, stage, one)
    one.say("HELLO")
    expect(page.locator("#announced > p")).to_have_text("HELLO")
    assert page.locator("[aria-live=polite]").count() == 1
    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert order == ["Skip to the captions", "search", "pause", "copy", "Download", "microphone"]
    unnamed = page.locator("button, input, summary, [role]").evaluate_all(
        "all => all.filter((one) => one.checkVisibility())"
        ".filter((one) => !(one.ariaLabel || one.labels?.length || one.innerText.trim())).map((one) => one.outerHTML)"
    )
    assert unnamed == []
    page.locator("#download summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.form") == "txt"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('details').open") is False


def test_it_fits_a_phone_and_the_dark(page, stage, speaker):
    anna, ben = speaker("anna"), speaker("ben")
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    visit(page, stage, anna, ben)
    for number in range(30):
        (anna, ben)[number % 2].say(f"A SENTENCE WITH THE NUMBER {number} {'X' * 60}")
    expect(page.locator(".line")).to_have_count(30)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    expect(page.locator(".line").last).to_be_in_viewport()
    expect(page.get_by_role("button", name="Latest")).to_be_hidden()
    page.mouse.wheel(0, -600)
    expect(page.get_by_role("button", name="Latest")).to_be_visible()
    anna.say("THIS DOES NOT SCROLL")
    page.wait_for_timeout(100)
    expect(page.get_by_role("button", name="Latest")).to_be_visible()
    levels = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert max(levels) < 40
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")


@pytest.mark.faults("401")
@pytest.mark.faults("WebSocket connection to")
def test_a_token_is_asked_for_and_kept(page, stage, speaker, tmp_path):
    one = speaker("anna")
    file = tmp_path / "tokens"
    file.write_text("a-token-of-some-length\n", encoding="utf-8")
    file.chmod(0o600)
    stage.admit(read_tokens(file))
    try:
        page.goto(stage.url)
        page.get_by_label("Token", exact=True).fill("not-the-right-one")
        page.keyboard.press("Enter")
        expect(page.locator("#ask-why")).to_have_text("this token is not known here")
        page.get_by_label("Token", exact=True).fill("a-token-of-some-length")
        page.get_by_role("button", name="Connect").click()
        expect(page.locator("#state")).to_have_text("Live")
        page.reload()
        expect(page.locator("#state")).to_have_text("Live")
        assert page.evaluate("[document.cookie, localStorage.length].join()") == ",0"
        page.evaluate("sessionStorage.clear()")
        visit(page, stage, one, overlay="1#token=a-token-of-some-length")
        assert "token" not in page.url
    finally:
        stage.admit(None)


def test_what_is_displayed_goes_before_what_was_written_and_nothing_stays_open(page, stage):
    page.goto(stage.url)
    stages = {"heard": 1.0}
    begun = {
        "daemon": "a",
        "seq": 1,
        "stream": "s",
        "time": 1,
        "utterance": 0,
        "start": 0,
        "end": 16_000,
        "stages": stages,
    }
    word = {"word": "TWENTY", "start": 0, "end": 8000, "confidence": 0.9}
    events = [
        begun | {"type": "partial", "text": "TWENTY THR", "stable": 6, "words": [word]},
        begun
        | {
            "type": "partial",
            "text": "TWENTY THREE",
            "stable": 12,
            "display": "23",
            "display_stable": 0,
            "words": [word],
        },
        begun | {"type": "partial", "text": "X", "stable": 0, "words": [], "utterance": 1},
        begun
        | {
            "type": "final",
            "text": "TWENTY THREE",
            "display": "23.",
            "words": [word],
            "speech_end": 9,
            "reason": "silence",
        },
        begun | {"type": "final", "text": "AGAIN", "words": [], "speech_end": 9, "reason": "silence"},
        {"type": "heartbeat", "daemon": "b", "seq": 1, "stream": "daemon", "time": 2},
    ]
    seen = page.evaluate(
        """async (events) => {
            const { Transcript } = await import("/captions/transcript.js");
            const seen = [];
            const transcript = new Transcript({ changed: ({ text, firm }) => seen.push([text, firm]) });
            events.forEach((event) => transcript.take(event));
            return seen;
        }""",
        events,
    )
    assert seen == [["TWENTY THR", 6], ["23", 0], ["X", 0], ["23.", 3], ["X …", 1]]


def test_words_are_found_in_what_is_displayed(page, stage):
    expected = {
        "I have 23 cats.": ("I HAVE TWENTY THREE CATS", ["I 0-1", "have 1-2", "23 2-4", "cats. 4-5"]),
        "O'Neil said no.": ("O'NEIL SAID NO", ["O'Neil 0-1", "said 1-2", "no. 2-3"]),
        "Ich heiße Äpfel": ("ICH HEISSE ÄPFEL", ["Ich 0-1", "heiße 1-2", "Äpfel 2-3"]),
        "你好世界。": ("你 好 世 界", ["你 0-1", "好 1-2", "世 2-3", "界。 3-4"]),
        "On 5 May": ("ON THE FIFTH OF MAY", ["On 0-1", "5 1-4", "May 4-5"]),
        "": ("", []),
    }
    given = {
        text: [{"word": word, "start": at, "end": at + 1, "confidence": 1} for at, word in enumerate(words.split())]
        for text, (words, _) in expected.items()
    }
    page.goto(stage.url)
    found = page.evaluate(
        """async (given) => {
            const { align } = await import("/captions/words.js");
            const shown = (piece) => `${piece.text} ${piece.start}-${piece.end}`;
            return Object.entries(given).map(([text, words]) => [text, align(text, words).map(shown)]);
        }""",
        given,
    )
    assert found == [[text, pieces] for text, (_, pieces) in expected.items()]
