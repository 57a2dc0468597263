"""The command copes with any input and output that a shell gives it, and with values that are not numbers."""

import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from asrd.cli.main import COMMANDS, SUMMARIES, asrd
from asrd.cli.values import Number

COMMAND = f"{sys.executable} -m asrd.cli.main"
ASRD = "'import sys; sys.argv[0] = \"asrd\"; from asrd.cli.main import main; main()'"


def shell(line: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("module", "arguments"), [("click", []), ("rich", ["listen"]), ("soxr", ["start"])])
def test_interrupted_while_it_is_still_importing(
    environment: dict[str, str], tmp_path: Path, module: str, arguments: list[str]
) -> None:
    """An interrupted module may raise anything: a dataclass, for instance, raises RuntimeError."""
    source = """
import signal
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt as error:
    raise RuntimeError from error
"""
    (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
    script = Path(sysconfig.get_path("scripts"), "asrd")
    result = shell(shlex.join([str(script), *arguments]), environment | {"PYTHONPATH": str(tmp_path)})
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "asrd: interrupted\n")


def test_an_interrupt_that_is_ignored_stays_ignored(environment: dict[str, str]) -> None:
    """A shell script's background process ignores interrupts."""
    line = "import signal; from asrd.cli.signals import at_once\nwith at_once(): signal.raise_signal(signal.SIGINT)"
    result = shell(f"trap '' INT; {sys.executable} -c '{line}'", environment)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_full_disk_is_one_line(environment: dict[str, str]) -> None:
    result = shell(f"{COMMAND} backend list --json > /dev/full", environment)
    assert (result.returncode, result.stderr) == (1, "asrd: No space left on device\n")


def test_without_standard_output(environment: dict[str, str]) -> None:
    result = shell(f"{COMMAND} backend list --json >&-", environment)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_output_that_lacks_a_letter(environment: dict[str, str]) -> None:
    result = shell(f"{COMMAND} start --check -s pcm:- --words Gerät", environment | {"PYTHONIOENCODING": "ascii"})
    assert (result.returncode, result.stderr) == (0, "")
    assert "Ger?t" in result.stdout


@pytest.mark.parametrize("command", ["model list --json", "backend list", "start --check -s pcm:-"])
def test_a_reader_that_has_seen_enough_is_no_failure(environment: dict[str, str], command: str) -> None:
    line = f"{COMMAND} {command} | true; echo ${{PIPESTATUS[0]}}"
    result = shell(line, environment)
    assert (result.stdout, result.stderr) == ("0\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nosuch", "No such command 'nosuch'; see 'asrd --help'"),
        ("transcibe", "No such command 'transcibe'. Did you mean 'transcribe'? See 'asrd --help'"),
        ("start --nosuch", "see 'asrd start --help'"),
        ("listen --formt x", "No such option '--formt'. Did you mean '--format'? See 'asrd listen --help'"),
        ("transcribe", "Missing argument 'FILES...'; see 'asrd transcribe --help'"),
        ("backend use", "Missing argument 'NAME'; see 'asrd backend use --help'"),
        ("listen --wait soon", "'soon' is not a number of seconds; see 'asrd listen --help'"),
        ("transcribe x.wav --threads -3", "'--threads'"),
        ("words add x --boost nan", "'--boost'"),
        ("send x.wav --to nonsense", "no such file: x.wav"),
        ("status --control nonsense", "'nonsense' is not an address (Invalid argument); write tcp://"),
        ("transcribe x.wav --words nowhere.json", "no hot words file nowhere.json"),
        ("replay nowhere --words nowhere.json", "no hot words file nowhere.json"),
        ("replay nowhere", "there is no recording nowhere; check the path"),
        ("replay nowhere --utterance 3", "--export"),
        ("transcribe nowhere.wav", "no such file: nowhere.wav; check the path"),
        ("transcribe https://example.org/talk.mp3", "asrd hears files, not addresses (https:); download it first"),
        ("transcribe - -", "standard input can be heard only once; give - once"),
        ("transcribe /usr", "/usr holds no recordings (*.wav, *.mp3, *.m4a and so on); check the path"),
        ("transcribe x.wav --channels 0", "'--channels'"),
        ("transcribe x.wav --skip-existing", "--skip-existing needs files to look for; name a directory with -o"),
        ("transcribe /dev/null", "/dev/null is not a file; name one, or pipe raw audio into 'asrd start"),
        ("transcribe x.wav --model nosuch", "there is no model 'nosuch'; 'asrd model list' shows"),
        ("transcribe x.wav --model /usr", "/usr is no model: it holds no config.json; give the directory"),
        ("transcribe x.wav --lm nosuch", "there is no language model 'nosuch'; give a file"),
        ("transcribe x.wav --backend nosuch", "no backend is called 'nosuch'; there are: fp16"),
        ("transcribe x.wav --device nosuch", "has no device 'nosuch' here"),
        ("start --check --vad nosuch", "no VAD is called 'nosuch'; there are: energy"),
        ("start --check --hop 0", "with 0.400 s of right context the hop must be from"),
        ("start --check -s file:nowhere.wav", "no such file: nowhere.wav"),
        ("start --record /etc/passwd -s pcm:-", "'--record'"),
        ("transcribe x.wav --words /usr", "'--words'"),
        ("status --control tcp://127.0.0.1:70007", "is not an address: the largest port is 65535"),
        ("model path nosuch", "there is no model 'nosuch'"),
        ("quantize -o /usr", "/usr exists already; give a new directory"),
        ("quantize -o nowhere --resume", "there is no interrupted run to resume for nowhere"),
        ("quantize -o nowhere --memory 0.1", "--memory 0.1 is too little: the libraries and the model alone take 0."),
        ("quantize -o nowhere --keep-float fromt.0", "no layer matches 'fromt.0'; the nearest: front.0, "),
        ("quantize -o nowhere --test-dataset nosuch", "no data set 'nosuch'; give bundled"),
        ("finetune --data bundled -o /usr", "/usr exists already; give a new directory"),
        ("calibrate --dataset bundled --dataset nosuch", "no data set 'nosuch'; give bundled"),
        ("calibrate --report nowhere/x.md", "there is no directory nowhere; make it first"),
        ("tune --dataset nosuch", "no data set 'nosuch'; give bundled"),
        ("tune --lm nosuch", "there is no language model 'nosuch'; give a file"),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_to_do(
    environment: dict[str, str], arguments: str, message: str
) -> None:
    result = shell(f"{COMMAND.replace('-m asrd.cli.main', '')} -c {ASRD} {arguments}", environment)
    assert message in result.stderr
    assert (result.stdout, result.stderr.count("\n"), result.stderr[:6]) == ("", 1, "asrd: ")
    assert result.returncode == 2


def test_every_command_is_summed_up_in_a_line() -> None:
    result = CliRunner().invoke(asrd, ["--help"], env={"COLUMNS": "80"})
    lines = [line for line in result.stdout.partition("Live transcription:\n")[2].splitlines() if line.startswith("  ")]
    assert sorted(line.split()[0] for line in lines) == sorted(COMMANDS)
    assert sorted(COMMANDS) == sorted(name for commands in SUMMARIES.values() for name in commands)
    assert not [line for line in lines if line.endswith("...")]


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


@pytest.mark.parametrize(("name", "command"), [pytest.param(*one, id=one[0]) for one in commands(asrd)])
def test_help_is_whole_and_laid_out_alike(name: str, command: click.Command) -> None:
    text = CliRunner().invoke(asrd, [*name.split(), "--help"], env={"COLUMNS": "80"}).stdout
    example = re.search(r"^  Examples?:\n((    (?=\S).*\n)+)\n[A-Z][a-z ]+:\n", text, re.MULTILINE)
    assert example, text
    assert f"asrd {name}" in example[1]
    assert "..." not in text.partition("Commands:\n")[2]
    assert [one.name for one in command.params if isinstance(one, click.Option) and not one.help] == []


def test_python_runs_it_by_its_name(environment: dict[str, str]) -> None:
    result = shell(f"{sys.executable} -m asrd --version", environment)
    assert (result.returncode, result.stdout[:24]) == (0, "python -m asrd, version ")


def test_help_is_shown_to_who_asks_for_nothing(environment: dict[str, str]) -> None:
    result = shell(f"{COMMAND}", environment)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Live transcription:" in result.stderr


def test_no_option_takes_what_is_no_number() -> None:
    """NaN lies within click's own ranges."""
    options = [one for _, command in commands(asrd) for one in command.params]
    numbers = [one for one in options if isinstance(one.type, (click.types.FloatParamType, click.FloatRange))]
    assert numbers
    assert [one.name for one in numbers if not isinstance(one.type, Number)] == []


@pytest.mark.parametrize("option", ["--hangover", "--max-utterance", "--partials", "--pre-roll", "--min-speech"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "61"])
def test_no_finite_span(option: str, value: str) -> None:
    result = CliRunner().invoke(asrd, ["start", "--check", option, value])
    assert result.exit_code == click.UsageError.exit_code
    assert "is not in the range 0<=x<=60" in result.stderr
