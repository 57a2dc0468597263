"""`asrd start --check` reads settings from files and the environment."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from asrd.cli.config import SETTINGS, ConfiguredCommand, file_of, read_files, setting
from asrd.cli.main import COMMANDS, asrd
from asrd.cli.options import format_option
from asrd.core.errors import AsrdError, UsageError
from asrd.daemon.recognition.decoding import make_decoding
from asrd.daemon.recognition.decoding.options import DecoderOptions
from asrd.daemon.recognition.hotwords import HotWords
from asrd.models import store


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only settings file that exists."""
    path = tmp_path / "asrd.toml"
    monkeypatch.setattr("asrd.cli.config.config_files", lambda: [path])
    return path


@click.command(cls=ConfiguredCommand)
@format_option
@click.option("--check", is_flag=True)
def show(format_: str, check: bool) -> None:
    click.echo(f"{format_} {check}")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(asrd, ["start", "--check", *arguments], env={"COLUMNS": "200"})


def commands(group: click.Group) -> list[click.Command]:
    context = click.Context(group)
    found = [group.get_command(context, name) for name in group.list_commands(context)]
    inner = [command for sub in found if isinstance(sub, click.Group) for command in commands(sub)]
    return [command for command in found if command is not None] + inner


def test_every_option_of_a_configured_command_is_a_setting_or_for_one_occasion() -> None:
    configured = [command for command in commands(asrd) if isinstance(command, ConfiguredCommand)]
    names = {setting(parameter) for command in configured for parameter in command.params} - {""}
    assert len(configured) < len(COMMANDS)
    assert names - set(SETTINGS) == {
        *("all", "boost", "channels", "check", "days", "dry_run", "early", "encoding", "json", "least", "once"),
        *("output", "pcm_channels", "rate", "since", "size", "skip_existing", "table", "toggle", "type", "verbose"),
        "with",
    }
    assert set(SETTINGS) <= names


@pytest.mark.parametrize(("content", "environment"), [('format = "json"', {}), ("", {"ASRD_FORMAT": "json"})])
def test_a_setting_has_the_name_of_its_option(file: Path, content: str, environment: dict[str, Any]) -> None:
    file.write_text(content, encoding="utf-8")
    assert CliRunner().invoke(show, env=environment).stdout == "json False\n"


def test_a_setting_of_another_command_is_no_misspelling(file: Path) -> None:
    file.write_text('wait = 20.0\nstream = "desk"\nsource = "pcm:-"\n', encoding="utf-8")
    result = check()
    assert result.exit_code == 0, result.exception


@pytest.mark.parametrize("name", ["pre-roll", "pre_roll"])
def test_a_setting_may_be_written_as_its_flag_is(file: Path, name: str) -> None:
    file.write_text(f"{name} = 0.4\n", encoding="utf-8")
    assert read_files() == {"pre_roll": (0.4, file)}


def test_a_path_in_a_file_may_begin_at_home(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    file.write_text('model = "~/m"\nsource = ["a=~/a.wav", "file:~/b~/c.wav", "~x"]\n', encoding="utf-8")
    assert read_files()["model"][0] == "/home/me/m"
    assert read_files()["source"][0] == ["a=/home/me/a.wav", "file:/home/me/b~/c.wav", "~x"]


def test_a_pipe_is_shown_each_setting_in_one_line(file: Path) -> None:
    words = file.with_name("long" * 30)
    file.write_text(f'source = "pcm:-"\nwords = "{words}"\n', encoding="utf-8")
    result = CliRunner().invoke(asrd, ["start", "--check"], env={"COLUMNS": None})
    assert ["words", str(words), str(file)] in [line.split() for line in result.stdout.splitlines()]


def test_a_misspelt_setting_is_told_the_nearest(file: Path) -> None:
    file.write_text("pre-rol = 0.4\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"there is no setting 'pre-rol'; the nearest: pre-roll"):
        read_files()


@pytest.mark.parametrize("name", ["check", "json", "verbose", "files", "debug"])
def test_what_is_asked_once_is_no_setting(file: Path, name: str) -> None:
    file.write_text(f"{name} = true\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"there is no setting '{name}'"):
        CliRunner().invoke(show, catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "cuda"], "no backend is called 'cuda'"),
        (["--events", "nonsense"], "'nonsense' is not an address"),
        (["--control", "tcp://127.0.0.1:70000"], "is not an address"),
        (["--events", f"ipc://{__file__}"], "is a file, which a socket would replace; choose another path"),
        (["--source", "a=pcm:-", "--source", "a=mic"], "2 sources are called 'a'"),
    ],
)
def test_check_finds_what_start_would_refuse(file: Path, arguments: list[str], message: str) -> None:
    result = check("--source", "b=pcm:-", *arguments)
    assert isinstance(result.exception, AsrdError)
    assert message in str(result.exception)


def test_a_value_that_cannot_be_is_told_with_its_file(file: Path) -> None:
    file.write_text('hop = "soon"\n', encoding="utf-8")
    with pytest.raises(click.BadParameter) as caught:
        asrd.main(["start", "--check"], standalone_mode=False)
    assert caught.value.ctx
    assert file_of(caught.value.param, caught.value.ctx) == file
    with pytest.raises(click.BadParameter) as caught:
        asrd.main(["start", "--check", "--hop", "soon"], standalone_mode=False)
    assert caught.value.ctx
    assert file_of(caught.value.param, caught.value.ctx) is None


@pytest.mark.parametrize(
    ("line", "complaint"),
    [("threads = 1.5", "'1.5' is not a valid integer"), ("hangover = true", "'True' is not a number of seconds")],
)
def test_a_value_of_another_kind_is_refused(file: Path, line: str, complaint: str) -> None:
    file.write_text(f"{line}\n", encoding="utf-8")
    result = check("--source", "pcm:-")
    assert (result.exit_code, complaint in result.stderr) == (2, True)


@pytest.mark.parametrize("command", [["start"], ["listen"], ["words", "add"], ["doctor"]])
def test_help_is_there_where_a_file_is_broken(file: Path, command: list[str]) -> None:
    file.write_text("hangover = \n", encoding="utf-8")
    assert CliRunner().invoke(asrd, [*command, "--help"]).exit_code == 0
    with pytest.raises(UsageError, match=r"asrd\.toml cannot be read: .*; fix or remove it"):
        CliRunner().invoke(asrd, [*command, *(["x"] if "add" in command else [])], catch_exceptions=False)


def test_a_home_that_is_no_directory_holds_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many a service's user has /dev/null as its home."""
    (tmp_path / "null").touch()
    monkeypatch.setattr("asrd.cli.config.config_files", lambda: [tmp_path / "null" / "asrd.toml"])
    assert read_files() == {}
    decoding = make_decoding(DecoderOptions(), store.resolve(store.DEFAULT_MODEL))
    assert HotWords(tmp_path / "null" / "words.json", decoding).boosts == {}


def test_check_says_what_a_setting_that_nobody_made_amounts_to(file: Path) -> None:
    result = check("--source", "pcm:-")
    assert "None" not in result.stdout
    assert "the model's own" in result.stdout


@pytest.mark.parametrize("name", ["[front]", "[/b]", ":smile:"])
def test_check_shows_values_as_they_are(file: Path, name: str) -> None:
    result = check("--source", f"mic:{name}")
    assert result.exit_code == 0, result.exception
    assert f"mic:{name}" in result.stdout
