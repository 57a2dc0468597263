"""Check the interpreter, the processor and the microphones."""

import platform
from collections.abc import Iterator

from asrd.cli.checks.finding import Finding, Subject
from asrd.cli.config import misspelt
from asrd.core import cpu
from asrd.core.errors import AsrdError

INT8_FEATURES = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "i8mm": "I8MM",
    "asimddp": "dot products",
}
"""Instructions that multiply 8-bit numbers, as Linux and as people call them; the fastest first."""


def check_python(_: Subject) -> Iterator[Finding]:
    """Report the interpreter and the machine."""
    yield Finding("python", "ok", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")


def check_cpu(_: Subject) -> Iterator[Finding]:
    """Check whether 8-bit arithmetic is fast here."""
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


def check_variables(_: Subject) -> Iterator[Finding]:
    """Warn of environment variables that look like settings and are none."""
    for fault in misspelt():
        yield Finding("setting", "warn", fault)


def check_microphones(_: Subject) -> Iterator[Finding]:
    """Check PortAudio and the microphones. A server has none, and needs none."""
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
        remedy = "plug one in, or hear another machine's: asrd key new; asrd start --source pcm:tcp://0.0.0.0:7000"
        yield Finding("microphone", "warn", "no microphone found", remedy)
