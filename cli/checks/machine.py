"""Check the interpreter, the environment, the processor and the plugins."""

import platform
from collections.abc import Iterator

from asrd.cli.checks.finding import Finding
from asrd.cli.config import misspelt
from asrd.core import cpu

INT8_FEATURES = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "i8mm": "I8MM",
    "asimddp": "dot products",
}
"""Instructions that multiply 8-bit numbers, as Linux and as people call them; the fastest first."""


def check_python() -> Iterator[Finding]:
    """Report the interpreter and the machine."""
    yield Finding("python", "ok", f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")


def check_cpu() -> Iterator[Finding]:
    """Check whether 8-bit arithmetic is fast here."""
    flags = set(cpu.flags())
    if not flags:
        yield Finding("cpu", "warn", "cannot tell what this processor can do", "if it is slow: --model asrd-tiny-en")
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


def check_variables() -> Iterator[Finding]:
    """Warn of environment variables that look like settings and are none."""
    for fault in misspelt():
        yield Finding("setting", "warn", fault)


def check_backends() -> Iterator[Finding]:
    """Check every plugin; one that is not installed was perhaps not wanted."""
    from asrd.backends import available

    for status in available():
        if status.problem:
            message = status.problem.removesuffix(status.remedy).rstrip(":; ")
            yield Finding("backend", "warn", f"{status.name}: {message}", status.remedy)
        else:
            yield Finding("backend", "ok", f"{status.name} ({status.distribution})")
