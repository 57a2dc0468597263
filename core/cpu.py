"""Instructions of the CPU for low-precision arithmetic, which decide how fast and how exact INT8 is."""

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
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    present = {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split(":")[1].split()}
    return [flag for flag in RELEVANT if flag in present]
