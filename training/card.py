"""Measure what a model can and cannot do: facts for its manifest, and a model card for people."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from asrd.backends import load
from asrd.core.units import SAMPLE_RATE
from asrd.models import ModelDirectory, manifest
from asrd.quant.data import Clip, check, dataset, fingerprint
from asrd.quant.evaluation.figures import bounds, figures, size
from asrd.quant.evaluation.finals import finals
from asrd.quant.evaluation.measure import BACKENDS
from asrd.quant.measured import Measured
from asrd.quant.progress import Progress
from asrd.training.positions import REACH


def evaluate(model: ModelDirectory, tests: Mapping[str, str], progress: Progress) -> dict[str, dict[str, Any]]:
    """Measure a model on each test set.

    Returns, by name of the set, its clips and, for each backend that the model has files for, the figures of greedy
    text and the error rates of finals as a daemon publishes them.
    """
    names = [name for name in BACKENDS if name == "torch" or model.openvino(name).is_file()]
    found: dict[str, dict[str, Any]] = {}
    with ExitStack() as loaded:
        backends = {name: load(name, model) for name in names}
        for backend in backends.values():
            loaded.callback(backend.close)
        for test, spec in tests.items():
            clips: Sequence[Clip] = check(dataset(spec)).clips
            progress.stage(f"measuring on {test}", 2 * len(names) * len(clips))
            taken = Measured.take(backends, clips, progress.advance)
            rows = figures(taken.backends, {name: size(model, name) for name in names})
            measured = {row.backend: row.plain() for row in rows}
            for name, backend in backends.items():
                decoder, score = finals(backend, clips, advance=progress.advance)
                measured[name]["finals"] = {"decoder": decoder, "wer": bounds(score.wer), "cer": bounds(score.cer)}
            found[test] = {
                "dataset": spec if spec == "bundled" else Path(spec).name,
                "clips": [clip.id for clip in clips],
                "mark": fingerprint(clips),
                "utterances": len(clips),
                "machine": taken.conditions.plain(),
                "backends": measured,
            }
    return found


def write(model: ModelDirectory, training: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """Write the card to `README.md` and the facts to the manifest; return the card's text."""
    text = card(model, training, evaluation)
    (model.path / "README.md").write_text(text, encoding="utf-8")
    manifest.write(model.path, training=dict(training), evaluation=dict(evaluation))
    return text


def card(model: ModelDirectory, training: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """Return the card in Markdown, from the figures alone: what the model is, what it learnt from, and how well or
    badly it hears.
    """
    terms = training.get("licences", {})
    heard = ", ".join(
        f"{hours:.1f} h of {name}" + (f" ({terms[name]})" if name in terms else "")
        for name, hours in training["hours"].items()
    )
    geometry = model.geometry
    lines = [
        f"# {model.name}",
        "",
        f"A small English Wav2Vec2-CTC model, made by asrd's recipe. {_honestly(evaluation)}",
        "",
        "| | |",
        "|---|---|",
        f"| network | `Wav2Vec2ForCTC`, {training['parameters'] / 1e6:.1f} M parameters |",
        f"| begun with | the encoder of Whisper ({training['init'] or 'unknown'}; "
        f"{training['licence'] or 'licence unknown'}) |",
        f"| geometry | kernels {_row(geometry.kernels)}, strides {_row(geometry.strides)}: a frame every "
        f"{geometry.stride} samples |",
        f"| hears at once | at most {REACH * geometry.stride / SAMPLE_RATE:.0f} s; asrd cuts longer speech into "
        "windows |",
        f"| learnt from | {heard} |",
        f"| training | {training['steps']} steps in {training['minutes']:.0f} minutes on {training['machine']}, about "
        f"{training['watt_hours']:.0f} Wh at {training['watts']:g} W: estimated, not measured"
        f"{_after(training.get('before'))} |",
        "",
        "## Accuracy",
        "",
        "As deployed, through the daemon's windows. Finals are decoded by beam search with the bundled language model "
        "where `asrd[lm]` is installed; greedy text uses the model alone. 95 % bootstrap intervals over utterances. "
        + ("Speeds measured beside other work are left out. " if any(map(_busy, evaluation.values())) else "")
        + "No text of these sets was learnt"
        + (", but most of `bundled` is spoken by voices that were." if _knows_voices(training, evaluation) else "."),
        "",
        "| test set | backend | WER % of finals | CER % of finals | WER % greedy | CER % greedy | × real time |",
        "|---|---|---|---|---|---|---|",
    ]
    for test, facts in evaluation.items():
        for backend, row in facts["backends"].items():
            words = f"{test}: {facts['utterances']} utterances, {row['words']} words"
            rates = [_rate(part[metric]) for part in (row.get("finals", row), row) for metric in ("wer", "cer")]
            speed = "–" if _busy(facts) else f"{1 / row['real_time_factor']:.0f}"
            lines.append(f"| {words} | {backend} ({row['arithmetic']}) | {' | '.join(rates)} | {speed} |")
    built = manifest.read(model.path).get("quantization") if (model.path / manifest.NAME).is_file() else None
    if built:
        lines += [
            "",
            "## INT8",
            "",
            f"Built by `asrd quantize --dataset {built['recipe']['dataset']}`"
            + (f", proved on `{built['dataset']}`" if built["dataset"] != built["recipe"]["dataset"] else "")
            + f". {built['verdict'][:1].upper()}{built['verdict'][1:]}.",
        ]
    return "\n".join([*lines, ""])


def _honestly(evaluation: Mapping[str, Any]) -> str:
    """Say what such error rates mean to a reader of the transcripts. At about one wrong word in five people stop
    reading. Bundled speech, most of which is synthetic, counts only where there is no other.
    """
    people = {test: facts for test, facts in evaluation.items() if test != "bundled"} or evaluation
    rates = [row.get("finals", row)["wer"][0] for facts in people.values() for row in facts["backends"].values()]
    worst = max(rates, default=1.0)
    if worst > 0.5:
        return (
            "It gets more than half of the words of some speakers wrong: it hears sounds and spells by ear, enough to "
            "see the whole path at work and to compare backends, not to rely on. For transcripts that read well pull a "
            "larger model: `asrd model pull facebook/wav2vec2-base-960h`."
        )
    if worst > 0.25:
        return "The gist of what is said comes across, with many words wrong."
    best = min(rates, default=0.0)
    return f"It reads well: {100 * best:.0f} to {100 * worst:.0f} % of the words are wrong, depending on who speaks."


def _knows_voices(training: Mapping[str, Any], evaluation: Mapping[str, Any]) -> bool:
    """Return whether the model learnt from voices that bundled speech has, too."""
    learnt = " ".join(training["hours"])
    return "bundled" in evaluation and any(voice in learnt for voice in ("flite", "espeak"))


def _busy(facts: Mapping[str, Any]) -> bool:
    return bool(facts.get("machine", {}).get("busy"))


def _after(before: Mapping[str, Any] | None) -> str:
    """Describe the training that this one continued."""
    return f"; before that {before['steps']} steps in {before['minutes']:.0f} minutes" if before else ""


def _row(numbers: Sequence[int]) -> str:
    return " ".join(map(str, numbers))


def _rate(bounds: Sequence[float]) -> str:
    value, low, high = (100 * bound for bound in bounds)
    return f"{value:.1f} ({low:.1f}–{high:.1f})"
