"""`asrd doctor` finds each fault, and prints the line that fixes it."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zmq
from click.testing import CliRunner

from asrd.cli.checks import Finding, Subject
from asrd.cli.checks.machine import check_backends, check_cpu
from asrd.cli.checks.places import check_addresses, check_journal, check_recording
from asrd.cli.checks.recognition import check_decoding, check_listening, check_model
from asrd.cli.checks.sources import check_sources
from asrd.cli.daemon_options import daemon
from asrd.cli.doctor import doctor
from asrd.cli.start import start
from asrd.core import cpu, key
from asrd.core.errors import AudioError
from asrd.daemon.journal import file
from asrd.daemon.sources.inputs import InputDevice
from asrd.daemon.transport.sockets import Binding
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as speech


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
        "backend",
        "model",
        "inference",
        "daemon",
        "address",
        "decoder",
        "listening",
        "journal",
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


Make = Callable[..., Subject]


@pytest.fixture
def subject(base_model: ModelDirectory, addresses: dict[str, str], tmp_path: Path) -> Make:
    """What returns the subject for the arguments of `asrd start`, beside a model and places of its own."""

    def make(*more: str | Path, chosen: bool = True) -> Subject:
        given = [*arguments(base_model, addresses), "--journal", tmp_path / "journal.sqlite", *more]
        context = start.make_context("start", [*map(str, given)])
        return Subject(daemon(context.params), chosen)

    return make


def one(findings: Iterator[Finding], subject: str) -> Finding:
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


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
def test_the_processor(cpuinfo: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "CPUINFO", tmp_path / "cpuinfo")
    if cpuinfo:
        (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{cpuinfo}", encoding="utf-8")
    (finding,) = check_cpu()
    assert f"{finding.state} {finding.message}".startswith(expected)
    assert bool(finding.remedy) == (finding.state == "warn")


@pytest.mark.parametrize(("source", "state"), [("mic", "fail"), ("pcm:ipc:///tmp/asrd-nowhere/pcm", "warn")])
def test_without_portaudio(monkeypatch: pytest.MonkeyPatch, subject: Make, source: str, state: str) -> None:
    def missing() -> None:
        raise AudioError("PortAudio is missing (not found); install it: sudo apt install libportaudio2")

    monkeypatch.setattr("asrd.daemon.sources.portaudio.devices", missing)
    finding = one(check_sources(subject("-s", source)), "portaudio")
    assert (finding.state, finding.remedy) == (state, "install it: sudo apt install libportaudio2")


USB = InputDevice(index=0, name="USB Audio", host="ALSA", channels=1, rate=16_000, default=True)


def test_a_named_microphone_that_is_not_there_fails(monkeypatch: pytest.MonkeyPatch, subject: Make) -> None:
    """Whether or not another is; the default one may be missing where nobody chose it."""
    monkeypatch.setattr("asrd.daemon.sources.portaudio.devices", lambda: [USB])
    running = replace(subject("-s", "mic:NoSuch"), daemon=AudioError("it hangs"))
    found = one(check_sources(running), "source")
    assert (found.state, found.message) == ("fail", "no microphone is called 'NoSuch'")
    assert found.remedy == "'asrd devices' lists those there are"
    assert one(check_sources(replace(running, options=subject("-s", "mic:usb").options)), "source").state == "ok"
    monkeypatch.setattr("asrd.daemon.sources.portaudio.devices", list)
    assert one(check_sources(running), "source").state == "fail"
    assert {finding.state for finding in check_sources(subject(chosen=False))} == {"warn"}


def test_every_source_is_opened_as_start_does(
    monkeypatch: pytest.MonkeyPatch, subject: Make, tmp_path: Path, base_model: ModelDirectory
) -> None:
    monkeypatch.setattr("asrd.daemon.sources.portaudio.devices", list)
    clip, gone = speech("real")[0].audio, tmp_path / "gone.wav"
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(tmp_path / "taken"))
        taken.listen()
        sources = [f"a={clip}", f"b=file:{gone}", f"c=pcm:ipc://{tmp_path}/taken", f"d=pcm:ipc://{tmp_path}/free"]
        found = list(check_sources(subject(*(word for source in sources for word in ("-s", source)))))
    states = [(finding.state, finding.message) for finding in found if finding.subject == "source"]
    assert states == [
        ("ok", "a can be opened"),
        ("fail", f"no such file: {gone}"),
        ("fail", f"ipc://{tmp_path}/taken is in use by another program"),
        ("ok", "d can be opened"),
    ]
    (none,) = check_sources(subject("-s", "nothing"))
    assert (none.state, "neither a source nor an existing file" in none.message) == ("fail", True)


def test_the_hint_to_hear_another_machine_is_a_command_that_is_not_refused(
    monkeypatch: pytest.MonkeyPatch, subject: Make, tmp_path: Path
) -> None:
    """Without a key a port would be open to everyone; and there is no second key where there is one."""
    monkeypatch.setattr("asrd.daemon.sources.portaudio.devices", list)
    without = one(check_sources(subject(chosen=False)), "microphone").remedy
    assert without.endswith(": asrd key new; asrd start --source pcm:tcp://0.0.0.0:7000")
    made = key.create(tmp_path / "asrd.key")
    found = one(check_sources(subject("--key", made.path, chosen=False)), "microphone").remedy
    assert found.endswith(": asrd start --source pcm:tcp://0.0.0.0:7000")
    assert "asrd key new" not in found


def test_an_extra_that_is_not_installed_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asrd.backends.pytorch.TorchBackend.requires", ("no_such_torch",))
    (finding,) = [finding for finding in check_backends() if finding.state != "ok"]
    assert (finding.state, finding.message) == ("warn", "torch: backend 'torch' needs an optional part of asrd")
    assert finding.remedy.endswith("pip install '.[torch]' in a clone of asrd")


def test_without_beam_search_finals_are_poorer_and_doctor_says_so(
    monkeypatch: pytest.MonkeyPatch, subject: Make
) -> None:
    (well,) = check_decoding(subject())
    assert (well.state, well.message, well.remedy) == ("ok", "beam search, language model none", "")
    monkeypatch.setattr("asrd.daemon.recognition.decoding.options.find_spec", lambda _: None)
    (finding,) = check_decoding(subject())
    assert (finding.state, finding.remedy.endswith("pip install '.[lm]' in a clone of asrd")) == ("warn", True)


def test_what_start_would_refuse_of_decoding_fails(base_model: ModelDirectory, subject: Make, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(base_model.path, tmp_path / "model"))
    (copy / "decoding.json").write_text('{"lm": "nowhere.bin", "lm_weight": 0.5, "word_bonus": 1.0}', encoding="utf-8")
    (finding,) = check_decoding(subject("--model", copy))
    assert (finding.state, "nowhere.bin" in finding.message, bool(finding.remedy)) == ("fail", True, True)
    (finding,) = check_decoding(subject("--lm", "gone.arpa"))
    assert (finding.state, "gone.arpa" in finding.message) == ("fail", True)
    (tmp_path / "words.json").write_text("[", encoding="utf-8")
    finding = one(check_decoding(subject("--words", tmp_path / "words.json")), "hot words")
    assert (finding.state, "words.json cannot be read" in finding.message) == ("fail", True)
    (finding,) = check_listening(subject("--vad", "nosuch"))
    assert (finding.state, "no VAD is called 'nosuch'" in finding.message) == ("fail", True)


def test_a_model_that_was_tampered_with(base_model: ModelDirectory, tmp_path: Path, subject: Make) -> None:
    copy = Path(shutil.copytree(base_model.path, tmp_path / "model"))
    (copy / "openvino" / "fp16.xml").write_text("<net/>", encoding="utf-8")
    found = {finding.subject: finding for finding in check_model(subject("--model", copy))}
    assert found["model"].state == found["inference"].state == "fail"
    assert "fp16.xml" in found["model"].message
    assert "OpenVINO cannot compile" in found["inference"].message


def test_a_model_without_the_file_for_the_backend(subject: Make) -> None:
    found = one(check_model(subject("--backend", "int8")), "inference")
    assert "has no INT8 model" in found.message
    assert found.remedy.startswith("use --backend fp16, or build it with 'asrd quantize")


def test_the_device_that_start_would_use_is_tried(subject: Make) -> None:
    found = one(check_model(subject("--device", "NOSUCH")), "inference")
    assert (found.state, "OpenVINO has no device 'NOSUCH' here" in found.message) == ("fail", True)


def test_where_a_daemon_would_record_and_where_it_cannot(subject: Make, tmp_path: Path) -> None:
    (place := tmp_path / "tape").mkdir(mode=0o755)
    (free,) = check_recording(subject("--record", place))
    assert (free.state, free.message) == ("warn", f"a daemon started here would keep all that it hears in {place}")
    (place / "file").touch()
    (shared,) = check_recording(subject("--record", place))
    assert (shared.state, "is open to others" in shared.message) == ("fail", True)
    assert shared.remedy == "name a new directory"
    (under,) = check_recording(subject("--record", place / "file" / "tape"))
    assert (under.state, "is no directory of yours" in under.message) == ("fail", True)


def test_addresses_that_are_taken_or_forbidden(subject: Make, tmp_path: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.PUB) as bound, socket.create_server(("127.0.0.1", 0)) as taken:
        other, port = Binding(bound, "tcp://127.0.0.1:*"), taken.getsockname()[1]
        (tmp_path / "file").touch()
        wanted = ("--events", "tcp://0.0.0.0:7007", "--control", f"ipc://{tmp_path}/file/control")
        asked = subject("--events", other.address, *wanted, "--metrics", f"127.0.0.1:{port}")
        found = list(check_addresses(replace(asked, options=replace(asked.options, events=asked.options.events[1:]))))
    assert {finding.state for finding in found} == {"fail"}
    events, open_, control, metrics = found
    assert "is in use" in events.message
    assert open_.remedy.startswith("make a key for those who may connect with 'asrd key new'")
    assert control.remedy == "choose another address"
    assert metrics.message.startswith(f"metrics cannot be served at 127.0.0.1:{port}")


def test_a_journal_that_another_daemon_keeps(subject: Make, tmp_path: Path) -> None:
    (free,) = check_journal(subject())
    assert (free.state, str(tmp_path) in free.message) == ("ok", True)
    held = file.lock(tmp_path / "journal.sqlite")
    (taken,) = check_journal(subject())
    assert (taken.state, "another daemon keeps its journal" in taken.message) == ("fail", True)
    os.close(held)
