"""Loading models in threads leaves the process its locale."""

import subprocess
import sys

import pytest

LOAD = """
import locale, threading
from asrd.backends import load
from asrd.models.store import resolve

model = resolve("asrd-tiny-en")
threads = [threading.Thread(target=lambda: load("int8", model).close()) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(locale.setlocale(locale.LC_CTYPE))
"""


@pytest.mark.slow
def test_loads_at_the_same_time_leave_the_locale_as_it_is() -> None:
    """OpenVINO changes it while it reads a model; by itself it ends up in "C" here, nearly always."""
    usual = {"LC_ALL": "C.UTF-8"}
    done = subprocess.run([sys.executable, "-c", LOAD], env=usual, capture_output=True, text=True, check=True)
    assert done.stdout == "C.UTF-8\n"
