"""The CPU: its name, and its instructions for low-precision arithmetic, which decide how fast and how exact INT8 is."""

from pathlib import Path

RELEVANT = (
    *("sse4_2", "avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16"),
    *("asimd", "asimddp", "i8mm", "bf16"),
)
"""Linux's names of them. Without VNNI or dot-product instructions, 8-bit sums can saturate."""


CPUINFO = Path("/proc/cpuinfo")


def flags() -> list[str]:
    """Return those of `RELEVANT` that this CPU has; none if the system does not say. x86 calls the line "flags", ARM
    "Features".
    """
    present = {flag for key, value in _facts() if key in ("flags", "Features") for flag in value.split()}
    return [flag for flag in RELEVANT if flag in present]


def has_bf16() -> bool:
    """Return whether this CPU multiplies numbers of 16 bits with the exponents of 32."""
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags())


def is_fast_in_bf16() -> bool:
    """Return whether bf16 is surely faster than 32 bits. It is with AMX; without, OpenVINO 2026.4.1 computes some
    convolutions twenty times as slowly in bf16.
    """
    return "amx_bf16" in flags()


def name() -> str:
    """Return the CPU's name, such as "AMD EPYC 9354"; "unknown" if the system does not say."""
    return next((value for key, value in _facts() if key == "model name"), "unknown")


def _facts() -> list[tuple[str, str]]:
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    pairs = (line.partition(":") for line in lines)
    return [(key.strip(), value.strip()) for key, _, value in pairs]
