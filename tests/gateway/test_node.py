"""OpenAI's own client for Node, where it is installed: `npm install -g openai ws`, and NODE_PATH=$(npm root -g)."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import FULL, MODEL

CLIENT = Path(__file__).with_name("client.js")


def installed() -> bool:
    found = ["node", "-e", "require('openai'), require('ws')"]
    return shutil.which("node") is not None and not subprocess.run(found, capture_output=True, check=False).returncode


@pytest.mark.slow
@pytest.mark.skipif(not installed(), reason="OpenAI's client for Node is not installed")
def test_the_texts_are_those_of_asrd_transcribe(secured, clips, transcribed):
    served, _, certificate = secured
    command = ["node", str(CLIENT), f"{served.url}/v1", FULL, MODEL, str(clips[0])]
    trusting = os.environ | {"NODE_EXTRA_CA_CERTS": str(certificate)}
    result = subprocess.run(command, capture_output=True, text=True, env=trusting, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [transcribed(clips[0]).strip()] * 2
