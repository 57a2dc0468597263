"""What the CPU offers for integer arithmetic, which decides how fast and how exact INT8 is."""

from pathlib import Path

RELEVANT = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "i8mm")
"""As Linux names them. Without one of the VNNI kinds or dot products, 8-bit sums can saturate."""


def flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Those of `RELEVANT` that this CPU has; empty where the system does not say."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    present = {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split(":")[1].split()}
    return [flag for flag in RELEVANT if flag in present]
