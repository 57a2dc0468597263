"""Check model, decoder and detector: whether speech becomes text here, and how fast."""

import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import soundfile

from asrd.cli.checks.finding import Finding, Subject
from asrd.core.errors import AsrdError, MissingExtraError
from asrd.core.shell import quoted
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, seconds
from asrd.models import ModelDirectory

AGREEMENT = 0.8
"""Least share of the frames of one sentence that agree. A well quantized model is above 0.95, noise below 0.6."""


def check_model(subject: Subject) -> Iterator[Finding]:
    """Check whether the model's files are unchanged, whether it answers, and how fast."""
    from asrd.backends import load
    from asrd.models import manifest
    from asrd.models.store import resolve

    options = subject.options.recognition
    try:
        model = resolve(options.model)
    except AsrdError as error:
        yield Finding.of("model", error)
        return
    try:
        problems = manifest.verify(model.path)
    except AsrdError as error:
        yield Finding.of("model", error, "warn")
    else:
        for problem in problems:
            yield Finding("model", "fail", f"{model.path / problem.file}: {problem.what}", _mend(model))
        if not problems:
            yield Finding("model", "ok", f"{model.name} in {model.path} is as its manifest says")
    try:
        began = time.perf_counter()
        backend = load(options.backend, model, options.load)
        backend.warm_up(MAX_WINDOW)
        ready = time.perf_counter()
        backend.warm_up(MAX_WINDOW)
        took = time.perf_counter() - ready
        backend.close()
    except AsrdError as error:
        yield Finding.of("inference", error)
        return
    factor = took / seconds(MAX_WINDOW)
    speed = f"{1000 * took:.0f} ms a window (real-time factor {factor:.3f}), ready in {ready - began:.1f} s"
    if factor < 1:
        yield Finding("inference", "ok", f"{options.backend} answers: {speed}")
    else:
        remedy = "use a smaller model, such as --model asrd-tiny-en"
        yield Finding("inference", "fail", f"{options.backend} is slower than speech: {speed}", remedy)


def _mend(model: ModelDirectory) -> str:
    """Return how a model whose files have changed is made whole."""
    from asrd.models.store import installed

    origin = next((found for found in installed() if found.path == model.path), None)
    if origin and origin.origin == "pulled":
        return f"asrd model pull {quoted(origin.name)}"
    return "install asrd again" if origin else "copy it again from where it came, or build it again"


def check_rounding(subject: Subject) -> Iterator[Finding]:
    """Check whether INT8 and FP16 agree on a spoken sentence: some processors' kernels have had faults."""
    from asrd.backends import load
    from asrd.core.flow import Level
    from asrd.daemon.recognition.recognizer import normalize
    from asrd.models.speech import bundled
    from asrd.models.store import resolve

    options = subject.options.recognition
    with suppress(AsrdError):  # the checks before have reported it
        model = resolve(options.model)
        if options.backend != "int8" or not model.openvino("fp16").is_file():
            return
        sentence = soundfile.read(bundled("real")[0].audio, MAX_WINDOW, start=SAMPLE_RATE, dtype="float32")[0]
        level = Level(float(sentence.mean()), float(sentence.std()))
        window = normalize(sentence, level) if model.normalize else sentence
        answers = []
        for name in ("fp16", "int8"):
            backend = load(name, model, options.load)
            answers.append(backend.logits(window[None]).argmax(axis=-1))
            backend.close()
        agreed = f"INT8 answers as FP16 does in {np.mean(answers[0] == answers[1]):.0%} of frames"
        if np.mean(answers[0] == answers[1]) < AGREEMENT:
            yield Finding("rounding", "warn", agreed, "use --backend fp16, or quantize the model again")
        else:
            yield Finding("rounding", "ok", agreed)


def check_decoding(subject: Subject) -> Iterator[Finding]:
    """Check whether finals are decoded with a language model, which makes them much better, and with hot words."""
    from asrd.daemon.recognition.decoding import make_decoding
    from asrd.daemon.recognition.decoding.options import default_decoder
    from asrd.daemon.recognition.hotwords import HotWords

    options = subject.options.recognition
    if not (model := _resolved(options.model)):
        return
    try:
        decoding = make_decoding(options.decoding, model)
    except AsrdError as error:
        yield Finding.of("decoder", error)
        return
    if not options.decoding.decoder and default_decoder() == "greedy":
        missing = MissingExtraError("lm", "beam search with a language model")
        yield Finding("decoder", "warn", "greedy: finals have more wrong words, and no hot words", missing.remedy)
    else:
        yield Finding("decoder", "ok", f"{decoding.name} search, language model {decoding.lm}")
    try:
        HotWords(subject.options.words, decoding)
    except AsrdError as error:
        yield Finding.of("hot words", error)


def check_listening(subject: Subject) -> Iterator[Finding]:
    """Check the voice activity detector, and whether the windows suit the model."""
    from asrd.daemon import vad

    options = subject.options.recognition
    if not (model := _resolved(options.model)):
        return
    try:
        vad.create(options.vad)
        options.segmenter.check(model.geometry)
    except AsrdError as error:
        yield Finding.of("listening", error)
    else:
        yield Finding("listening", "ok", f"voices are detected by {options.vad}")


def _resolved(name: str) -> ModelDirectory | None:
    """Return a model; None if there is none, which the check of the model reports."""
    from asrd.models.store import resolve

    with suppress(AsrdError):
        return resolve(name)
    return None
