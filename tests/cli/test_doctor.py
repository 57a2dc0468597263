"""`asrd doctor` finds each fault, and prints the line that fixes it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import zmq
from click.testing import CliRunner

from asrd.cli.checks import Subject
from asrd.cli.checks.machine import check_cpu, check_microphones
from asrd.cli.checks.recognition import check_backends, check_decoding, check_model
from asrd.cli.checks.running import check_addresses, check_recording
from asrd.cli.doctor import doctor
from asrd.core import cpu
from asrd.core.errors import AudioError
from asrd.daemon.transport.sockets import Binding
from asrd.models import ModelDirectory


@pytest.fixture
def addresses(tmp_path: Path) -> dict[str, str]:
    return {"events": f"ipc://{tmp_path}/events", "control": f"ipc://{tmp_path}/control"}


def arguments(model: ModelDirectory, addresses: dict[str, str]) -> list[str]:
    flags = {"backend": "fp16", "model": str(model.path), **addresses}
    return [part for name, value in flags.items() for part in (f"--{name}", value)]


def test_a_machine_where_all_is_well(
    base_model: ModelDirectory, addresses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asrd.daemon.sources.portaudio.devices", list)  # a server
    result = CliRunner().invoke(doctor, [*arguments(base_model, addresses), "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {finding["subject"] for finding in found if finding["state"] == "ok"} >= {
        "python",
        "portaudio",
        "backend",
        "model",
        "inference",
        "daemon",
        "address",
    }
    assert [finding["remedy"] for finding in found if finding["subject"] == "microphone"] == [
        "plug one in, or hear another machine's: asrd key new; asrd start --source pcm:tcp://0.0.0.0:7000"
    ]


def test_a_fault_is_marked_and_fails(base_model: ModelDirectory, addresses: dict[str, str], tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(base_model.path, tmp_path / "model"))
    (damaged / "vocab.json").unlink()
    result = CliRunner().invoke(doctor, [*arguments(base_model, addresses), "--model", str(damaged)])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    fault = next(number for number, line in enumerate(lines) if line.startswith("✗ model"))
    assert "vocab.json cannot be read" in lines[fault]
    assert lines[fault + 1].strip().startswith("→ ")


@pytest.fixture
def subject(base_model: ModelDirectory, addresses: dict[str, str]) -> Subject:
    return Subject(backend="fp16", model=str(base_model.path), **addresses)


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni\n", "ok AVX512-VNNI: INT8 is several times faster"),
        ("flags\t\t: avx2 avx512_vnni amx_int8\n", "ok AMX: INT8 is"),
        ("flags\t\t: avx2 avx_vnni\n", "ok AVX-VNNI: INT8 is"),
        ("flags\t\t: sse4_2 avx2\n", "warn no VNNI"),
        ("flags\t\t: sse4_2\n", "warn no AVX2"),
        ("Features\t: asimd asimddp i8mm\n", "ok I8MM: INT8 is"),
        ("", "warn cannot tell"),
    ],
)
def test_the_processor(
    cpuinfo: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: Subject
) -> None:
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "cpuinfo")
    if cpuinfo:
        (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{cpuinfo}", encoding="utf-8")
    (finding,) = check_cpu(subject)
    assert f"{finding.state} {finding.message}".startswith(expected)
    assert bool(finding.remedy) == (finding.state == "warn")


def test_without_portaudio(monkeypatch: pytest.MonkeyPatch, subject: Subject) -> None:
    def missing() -> None:
        raise AudioError("PortAudio is missing (not found); install it: sudo apt install libportaudio2")

    monkeypatch.setattr("asrd.daemon.sources.portaudio.devices", missing)
    (finding,) = check_microphones(subject)
    assert (finding.state, finding.remedy) == ("fail", "install it: sudo apt install libportaudio2")


def test_an_extra_that_is_not_installed_is_a_warning(monkeypatch: pytest.MonkeyPatch, subject: Subject) -> None:
    monkeypatch.setattr("asrd.backends.pytorch.TorchBackend.requires", ("no_such_torch",))
    (finding,) = [finding for finding in check_backends(subject) if finding.state != "ok"]
    assert (finding.state, finding.remedy) == ("warn", "pip install '.[torch]' in a clone of asrd")


def test_without_beam_search_finals_are_poorer_and_doctor_says_so(
    monkeypatch: pytest.MonkeyPatch, subject: Subject
) -> None:
    (well,) = check_decoding(subject)
    assert (well.state, well.message, well.remedy) == ("ok", "beam search, language model none", "")
    monkeypatch.setattr("asrd.daemon.recognition.decoding.options.find_spec", lambda _: None)
    (finding,) = check_decoding(subject)
    assert (finding.state, finding.remedy) == ("warn", "pip install '.[lm]' in a clone of asrd")


def test_a_language_model_that_is_gone_is_told(
    base_model: ModelDirectory, addresses: dict[str, str], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(base_model.path, tmp_path / "model"))
    (copy / "decoding.json").write_text('{"lm": "nowhere.bin", "lm_weight": 0.5, "word_bonus": 1.0}', encoding="utf-8")
    (finding,) = check_decoding(Subject("fp16", str(copy), **addresses))
    assert (finding.state, "nowhere.bin" in finding.message, bool(finding.remedy)) == ("warn", True, True)


def test_a_model_that_was_tampered_with(base_model: ModelDirectory, tmp_path: Path, addresses: dict[str, str]) -> None:
    copy = Path(shutil.copytree(base_model.path, tmp_path / "model"))
    (copy / "openvino" / "fp16.xml").write_text("<net/>", encoding="utf-8")
    found = {finding.subject: finding for finding in check_model(Subject("fp16", str(copy), **addresses))}
    assert found["model"].state == found["inference"].state == "fail"
    assert "fp16.xml" in found["model"].message
    assert "OpenVINO cannot compile" in found["inference"].message


def test_a_model_without_the_file_for_the_backend(subject: Subject, base_model: ModelDirectory) -> None:
    findings = list(check_model(Subject("int8", subject.model, subject.events, subject.control)))
    assert "has no INT8 model" in findings[-1].message
    assert findings[-1].remedy.startswith("use the backend fp16, or build it with 'asrd quantize")


def test_where_a_daemon_would_record_and_where_it_cannot(subject: Subject, tmp_path: Path) -> None:
    (place := tmp_path / "tape").mkdir(mode=0o755)
    (free,) = check_recording(replace(subject, record=place))
    assert (free.state, free.message) == ("warn", f"a daemon started here would keep all that it hears in {place}")
    (place / "file").touch()
    (shared,) = check_recording(replace(subject, record=place))
    assert (shared.state, "is open to others" in shared.message) == ("fail", True)
    assert shared.remedy == "name a new directory"
    (under,) = check_recording(replace(subject, record=place / "file" / "tape"))
    assert (under.state, "is no directory of yours" in under.message) == ("fail", True)


def test_addresses_that_are_taken_or_forbidden(subject: Subject, tmp_path: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        other = Binding(socket, "tcp://127.0.0.1:*")
        (tmp_path / "file").touch()
        asked = Subject(subject.backend, subject.model, other.address, f"ipc://{tmp_path}/file/control")
        daemon, events, control = check_addresses(asked)
    assert (daemon.state, daemon.message) == ("ok", "none is running")
    assert (events.state, "is in use" in events.message) == ("fail", True)
    assert (control.state, control.remedy) == ("fail", "choose another address")
