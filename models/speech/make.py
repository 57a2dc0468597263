"""Regenerate the synthetic clips: `python -m asrd.models.speech.make [FOLDER]`, with flite and espeak-ng.

Their sentences come from a small grammar with a fixed seed, so they are the same each time. The manifest in FOLDER,
by default this one, keeps its other entries.
"""

import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile
import soxr

from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE, seconds

FLITE = ["flite", "-voice"]
ESPEAK = ["espeak-ng", "-s", "140", "-v"]
VOICES = {
    "flite-awb": ([*FLITE, "awb"], 40),
    "flite-kal16": ([*FLITE, "kal16"], 40),
    "flite-rms": ([*FLITE, "rms"], 40),
    "flite-slt": ([*FLITE, "slt"], 40),
    "espeak-american": ([*ESPEAK, "en-us"], 20),
    "espeak-caribbean": ([*ESPEAK, "en-029"], 20),
}
"""Command and number of clips of each speaker. flite's voice kal is left out: it is kal16 at half the rate."""

PEAK = 0.5
COMPRESSION = 0.93
"""Compression level of libsndfile's Opus encoder, 0 to 1: about 25 kbit/s."""

SUFFIX = ".opus"

PATTERNS = (
    "the {adjective} {person} {did} the {thing} {where}",
    "{when} the {person} {did} {a_thing} and {went} {where}",
    "my {person} {did} the {adjective} {thing} {when}",
    "why did the {person} {do} {a_thing} {where}",
    "please {do} the {adjective} {thing} before the {person} comes home",
    "there were {number} {things} {where} {when}",
    "we {went} {where} to {do} the {thing}",
    "if you {do} the {thing} i will {do} the {other}",
    "nobody {did} the {thing} because the {person} was {mood}",
    "{number} {adjective} {things} are better than {a_thing}",
    "she never {did} {a_thing} without {number} {things}",
    "do you think the {person} would {do} my {thing}",
    "they could hear the {person} {doing} {a_thing} {where}",
    "his {adjective} {thing} and her {other} were both {mood_thing}",
    "it takes {number} {times} to {do} {a_thing} {how}",
    "{how} the {person} {went} {where} and {did} the {thing}",
)

WORDS: Mapping[str, str] = {
    "person": "baker boy captain child cousin doctor driver farmer father friend guest judge king lawyer mother nurse "
    "pilot poet queen sailor singer soldier stranger student teacher uncle vicar waiter youth neighbour",
    "thing": "apple basket bell blanket boat bottle box bridge brush candle carpet chair cheese clock coin cup curtain "
    "door drum feather fence fish flag garden glove hammer hat house jacket jug kettle key kitchen ladder lamp leaf "
    "letter map mirror onion orange oven parcel pencil picture pillow pipe plate purse ring rope shoe shovel spoon "
    "stone table thread ticket towel treasure umbrella vase violin wagon watch wheel window yard zip",
    "adjective": "ancient blue bright broken cheap clean clever cold dark deep dry dusty early empty famous fresh "
    "gentle golden green happy heavy honest huge joyful large little long loud lucky narrow new noisy old pleasant "
    "poor quick quiet rich rough round sharp short silver slow smooth strange strong thick thin tiny usual "
    "warm wide wise young",
    "where": "across the river|after the fair|behind the church|below the hill|beside the road|by the fire|"
    "down the street|from the village|in the forest|in the next room|in town|near the harbour|on the beach|"
    "on the train|out of the valley|over the bridge|through the park|to the market|under the oak|up the mountain|"
    "upstairs|at the office|outside the school|along the north shore",
    "when": "at noon|before breakfast|last thursday|late in the evening|one morning in may|on sunday|during the storm|"
    "in the spring|two years ago|yesterday|after the war|every other week|this afternoon|at half past five",
    "how": "carefully|in a hurry|without a sound|with great pleasure|for the first time|as usual|once again|slowly|"
    "for no good reason|with both hands",
    "number": "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty",
    "times": "minutes hours days weeks months years",
    "mood": "afraid angry asleep away busy glad hungry late proud ready sick silent thirsty tired wrong",
    "mood_thing": "beautiful broken dirty lost missing painted stolen useful valuable wet worn ordinary",
    "went": "came drove flew hurried marched moved ran returned rode rushed sailed travelled walked went",
}

VERBS = (
    "admire admired admiring|borrow borrowed borrowing|break broke breaking|bring brought bringing|"
    "build built building|buy bought buying|carry carried carrying|catch caught catching|choose chose choosing|"
    "clean cleaned cleaning|count counted counting|cover covered covering|draw drew drawing|drop dropped dropping|"
    "find found finding|"
    "fix fixed fixing|forget forgot forgetting|give up gave up giving up|hide hid hiding|hold held holding|"
    "join joined joining|judge judged judging|keep kept keeping|lift lifted lifting|lose lost losing|"
    "measure measured measuring|mention mentioned mentioning|notice noticed noticing|open opened opening|"
    "paint painted painting|pull pulled pulling|push pushed pushing|remember remembered remembering|sell sold selling|"
    "send sent sending|share shared sharing|shut shut shutting|steal stole stealing|"
    "throw away threw away throwing away|touch touched touching|use used using|"
    "wash washed washing|watch watched watching|weigh weighed weighing"
)
"""Three forms of each verb: do, did, doing."""


def sentences(chance: random.Random) -> Iterator[str]:
    """Yield endless sentences of 5 to 12 words, no two alike."""
    seen = set()
    lists = {kind: words.split("|" if "|" in words else " ") for kind, words in WORDS.items()}
    verbs = [_forms(verb) for verb in VERBS.split("|")]
    while True:
        chosen = {kind: chance.choice(words) for kind, words in lists.items()}
        thing, other = chance.sample(lists["thing"], 2)
        chosen |= {"thing": thing, "a_thing": _article(thing), "other": other, "things": _plural(other)}
        chosen |= chance.choice(verbs)
        sentence = chance.choice(PATTERNS).format(**chosen)
        if 5 <= len(sentence.split()) <= 12 and sentence not in seen:
            seen.add(sentence)
            yield sentence


def _forms(verb: str) -> dict[str, str]:
    """Split a verb into its forms, which have equally many words: two in "give up gave up giving up"."""
    words = verb.split()
    size = len(words) // 3
    do, did, doing = (" ".join(words[start : start + size]) for start in range(0, len(words), size))
    return {"do": do, "did": did, "doing": doing}


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _plural(noun: str) -> str:
    irregular = {"leaf": "leaves", "fish": "fish"}
    return irregular.get(noun, noun + ("es" if re.search(r"(s|x|sh|ch)$", noun) else "s"))


def speak(command: list[str], sentence: str) -> FloatArray:
    """Speak a sentence with a text-to-speech program: mono float32 `(samples,)` at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spoken.wav"
        text = ["-t", sentence, "-o", str(path)] if command[0] == "flite" else ["-w", str(path), sentence]
        subprocess.run([*command, *text], check=True, capture_output=True)
        pcm, rate = soundfile.read(path, dtype="float32")
    resampled: FloatArray = soxr.resample(pcm, rate, SAMPLE_RATE)
    return resampled * np.float32(PEAK / np.abs(resampled).max())


def main(folder: Path) -> None:
    """Write the clips, and list them in the manifest after the others."""
    if missing := [name for name in ("flite", "espeak-ng") if not shutil.which(name)]:
        sys.exit(f"{' and '.join(missing)} must be installed: apt install flite espeak-ng")
    manifest = folder / "manifest.jsonl"
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.is_file() else []
    lines = [line for line in lines if not json.loads(line)["audio"].endswith(SUFFIX)]
    spoken = sentences(random.Random(0))
    for speaker, (command, clips) in VOICES.items():
        for number in range(1, clips + 1):
            sentence, audio = next(spoken), f"{speaker}-{number:02}{SUFFIX}"
            pcm = speak(command, sentence)
            with soundfile.SoundFile(
                folder / audio, "w", SAMPLE_RATE, 1, "OPUS", format="OGG", compression_level=COMPRESSION
            ) as file:
                file.write(pcm)
            row = {"audio": audio, "text": sentence.upper(), "speaker": speaker, "seconds": round(seconds(len(pcm)), 2)}
            lines.append(json.dumps(row | {"kind": "synthetic"}))
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
