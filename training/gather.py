"""Write all training speech, recorded and synthetic, to shards; existing shards are kept."""

from collections.abc import Mapping

from asrd.core.errors import UsageError
from asrd.quant.data import Clip, dataset
from asrd.quant.progress import Progress
from asrd.training import begin
from asrd.training.corpus import Corpus
from asrd.training.order import Order
from asrd.training.recordings import record
from asrd.training.sources import SOURCES, collect
from asrd.training.speak import SHARD_HOURS, speak
from asrd.training.voices import VOICES


def gather(order: Order, progress: Progress) -> None:
    """Write shards of all speech, recorded and synthetic. None of them has the text of a test clip."""
    if unknown := sorted(set(order.voices) - set(VOICES)):
        raise UsageError(f"there is no voice '{unknown[0]}'; there are: {', '.join(VOICES)}")
    if not (order.voices or order.speech):
        raise UsageError("there is nothing to learn from; name speech or voices")
    begin.find(order.plan)  # fails before hours of work if it is missing
    found = {name: dataset(spec) for name, spec in order.speech.items()}
    tests = [clip for spec in order.tests.values() for clip in dataset(spec)]
    held_out = [clip.text for clip in tests]
    strangers = {clip.speaker for clip in tests if clip.speaker} if order.unseen_speakers else set()
    for name, clips in found.items():
        progress.stage(f"reading {name}", None)
        known = [clip for clip in clips if clip.speaker not in strangers]
        for _ in record(name, known, order.clips, held_out, order.plan.seed, notice=progress.notice):
            progress.advance()
    _synthesise(order, found, held_out, progress)


def _synthesise(order: Order, found: Mapping[str, list[Clip]], held_out: list[str], progress: Progress) -> None:
    """Synthesise speech, half an hour per shard. The voices also say the texts of the recordings."""
    if not order.voices:
        return
    progress.stage("collecting text", None)
    texts = collect(order.work / "text")
    prompts = sorted({clip.text.capitalize() for clips in found.values() for clip in clips})
    weights = {source.package: source.weight for source in SOURCES}
    corpus = Corpus(texts | {"prompts": prompts}, weights, held_out)
    counts = {name: round(hours / SHARD_HOURS) for name, hours in order.voices.items()}
    progress.stage("synthesising", sum(counts.values()))
    for name, count in counts.items():
        for number in range(count):
            progress.notice(name)
            speak(name, corpus, order.clips, order.plan.seed + number)
            progress.advance()
