"""Checks of `asrd doctor`, one function per subject."""

from asrd.cli.checks.finding import Finding, Subject
from asrd.cli.checks.machine import check_backends, check_cpu, check_python, check_variables
from asrd.cli.checks.places import check_addresses, check_journal, check_recording
from asrd.cli.checks.recognition import check_decoding, check_listening, check_model, check_rounding
from asrd.cli.checks.running import answering, check_daemon
from asrd.cli.checks.sources import check_sources

__all__ = ["DAEMON", "MACHINE", "Finding", "Subject", "answering"]

MACHINE = (check_python, check_variables, check_cpu, check_backends)
"""Checks of what any command needs."""

DAEMON = (
    *(check_daemon, check_sources),
    *(check_model, check_rounding, check_decoding, check_listening),
    *(check_addresses, check_journal, check_recording),
)
"""Checks of what a daemon with the subject's options would do."""
