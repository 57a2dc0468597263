"""Checks of `asrd doctor`, one function per subject."""

from asrd.cli.checks.finding import Finding, Subject
from asrd.cli.checks.machine import check_cpu, check_microphones, check_python, check_variables
from asrd.cli.checks.recognition import check_backends, check_decoding, check_model, check_rounding
from asrd.cli.checks.running import check_addresses, check_recording

__all__ = ["CHECKS", "Finding", "Subject"]

CHECKS = (
    *(check_python, check_variables, check_cpu, check_microphones),
    *(check_backends, check_model, check_rounding, check_decoding),
    *(check_addresses, check_recording),
)
