"""What `asrd doctor` looks at, one function a subject."""

import platform
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from asrd.core import cpu
from asrd.core.errors import AsrdError, TransportError
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, seconds

INT8_FEATURES = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "i8mm": "I8MM",
    "asimddp": "dot products",
}
"""Instructions that multiply 8-bit numbers, as Linux and as people call them; the fastest first."""


AGREEMENT = 0.8
"""Of the frames of one sentence. A model that was quantized well is above 0.95, noise below 0.6."""


@dataclass(frozen=True, slots=True)
class Finding:
    """subject: what was looked at. remedy: the one line that mends a fault, "" where there is none."""

    subject: str
    state: Literal["ok", "warn", "fail"]
    message: str
    remedy: str = ""

    @classmethod
    def of(cls, subject: str, error: AsrdError, state: Literal["warn", "fail"] = "fail") -> "Finding":
        """An error of asrd's own says what happened, and after a semicolon what to do."""
        message, _, remedy = str(error).partition("; ")
        return cls(subject, state, message, remedy)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a daemon would be started with."""

    backend: str
    model: str
    events: str
    control: str
    record: Path | None = None


def check_python(_: Subject) -> Iterator[Finding]:
    """The interpreter and the machine."""
    yield Finding("python", "ok", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")


def check_cpu(_: Subject) -> Iterator[Finding]:
    """Whether 8-bit arithmetic is fast here."""
    flags = set(cpu.flags())
    if not flags:
        yield Finding("cpu", "warn", "cannot tell what this processor can do", "measure it: asrd transcribe FILE")
        return
    fast = [name for flag, name in INT8_FEATURES.items() if flag in flags]
    half = "; bf16 too" if flags & {"avx512_bf16", "amx_bf16", "bf16"} else ""
    if fast:
        yield Finding("cpu", "ok", f"{fast[0]}: INT8 is several times faster than 32 bits{half}")
    elif flags & {"avx2", "asimd"}:
        message = "no VNNI: INT8 is only a little faster than 32 bits here, and may be less exact"
        yield Finding("cpu", "warn", message, "use --backend fp16 if the text is poor")
    else:
        yield Finding("cpu", "warn", "no AVX2: transcription may be slower than speech", "use a newer processor")


def check_microphones(_: Subject) -> Iterator[Finding]:
    """PortAudio, and what it can record from. A server has no microphone, and needs none."""
    from asrd.daemon.sources import portaudio

    try:
        found = portaudio.devices()
    except AsrdError as error:
        yield Finding.of("portaudio", error)
        return
    yield Finding("portaudio", "ok", "PortAudio is installed")
    if found:
        default = next((device.name for device in found if device.default), "none of them")
        yield Finding("microphone", "ok", f"{len(found)} found, the default is {default}")
    else:
        remedy = "plug one in, or hear another machine's: asrd start --source pcm:tcp://0.0.0.0:7000"
        yield Finding("microphone", "warn", "no microphone found", remedy)


def check_backends(_: Subject) -> Iterator[Finding]:
    """Every plugin; what is not installed was perhaps not wanted."""
    from asrd.backends import available

    for status in available():
        if status.problem:
            message, _colon, remedy = status.problem.partition(": ")
            yield Finding("backend", "warn", f"{status.name}: {message}", remedy)
        else:
            yield Finding("backend", "ok", f"{status.name} ({status.distribution})")


def check_model(subject: Subject) -> Iterator[Finding]:
    """Whether its files are what they were, and whether it answers."""
    from asrd.backends import load
    from asrd.models import manifest
    from asrd.models.store import resolve

    try:
        model = resolve(subject.model)
    except AsrdError as error:
        yield Finding.of("model", error)
        return
    try:
        problems = manifest.verify(model.path)
    except AsrdError as error:
        yield Finding.of("model", error, "warn")
    else:
        for problem in problems:
            yield Finding("model", "fail", f"{model.path / problem.file}: {problem.what}", "pull or build it again")
        if not problems:
            yield Finding("model", "ok", f"{model.name} in {model.path} is as its manifest says")
    try:
        began = time.perf_counter()
        backend = load(subject.backend, model)
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
        yield Finding("inference", "ok", f"{subject.backend} answers: {speed}")
    else:
        yield Finding("inference", "fail", f"{subject.backend} is slower than speech: {speed}", "use a smaller model")


def check_rounding(subject: Subject) -> Iterator[Finding]:
    """Whether INT8 says here what FP16 says of a spoken sentence: some processors' kernels have had faults."""
    from asrd.backends import load
    from asrd.core.flow import Level
    from asrd.daemon.level import normalize
    from asrd.models.speech import bundled
    from asrd.models.store import resolve

    with suppress(AsrdError):  # which the checks before have told
        model = resolve(subject.model)
        if subject.backend != "int8" or not model.openvino("fp16").is_file():
            return
        sentence = soundfile.read(bundled("real")[0].audio, MAX_WINDOW, start=SAMPLE_RATE, dtype="float32")[0]
        level = Level(float(sentence.mean()), float(sentence.std()))
        window = normalize(sentence, level) if model.normalize else sentence
        answers = []
        for name in ("fp16", "int8"):
            backend = load(name, model)
            answers.append(backend.logits(window[None]).argmax(axis=-1))
            backend.close()
        agreed = f"INT8 answers as FP16 does in {np.mean(answers[0] == answers[1]):.0%} of frames"
        if np.mean(answers[0] == answers[1]) < AGREEMENT:
            yield Finding("rounding", "warn", agreed, "use --backend fp16, or quantize the model anew")
        else:
            yield Finding("rounding", "ok", agreed)


def check_endpoints(subject: Subject) -> Iterator[Finding]:
    """A daemon that answers, or else whether one could take its places."""
    import zmq

    from asrd.clients import Control
    from asrd.daemon.sockets import Binding

    try:
        state = Control(subject.control, timeout=0.5).status()
        yield Finding("daemon", "ok", f"process {state.pid} answers, on {state.backend}")
        if state.recording:
            yield Finding("recording", "warn", f"all that is heard is kept in {state.recording}")
        return
    except TransportError:
        yield Finding("daemon", "ok", "none is running")
    except AsrdError as error:
        yield Finding.of("daemon", error)
        return
    for endpoint in (subject.events, subject.control):
        with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
            try:
                Binding(socket, endpoint).close()
            except AsrdError as error:
                yield Finding.of("endpoint", error)
            else:
                yield Finding("endpoint", "ok", f"{endpoint} is free")


def check_recording(subject: Subject) -> Iterator[Finding]:
    """Whether settings say that audio is to be kept: nobody should be recorded unawares."""
    if subject.record:
        yield Finding("recording", "warn", f"a daemon started here would keep all that it hears in {subject.record}")


CHECKS = (
    *(check_python, check_cpu, check_microphones, check_backends, check_model, check_rounding),
    *(check_endpoints, check_recording),
)
