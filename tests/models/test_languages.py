"""Of a checkpoint of several languages one is taken: by its name, or the checkpoint's own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import save_file

from asrd.backends import LoadOptions, load
from asrd.core.errors import AsrdError, ModelError, UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory, manifest, store
from asrd.models.convert import convert
from asrd.models.languages import parted
from asrd.models.learned import check_apart
from asrd.quant.provenance import hashes
from asrd.quant.workspace import copy_checkpoint
from tests.checkpoints import LETTERS, write

VOCABULARIES = {"eng": LETTERS, "deu": [*LETTERS[:20], "Ä", "Ö", "ß"], "uzb-script_latin": [*LETTERS[:10], "Oʻ", "Gʻ"]}


def edit(path: Path, **changes: object) -> None:
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes, ensure_ascii=False), encoding="utf-8"
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of three languages; its own is English."""
    path = tmp_path_factory.mktemp("mms") / "many"
    write(path, "mms")
    nested = {
        language: {letter: index for index, letter in enumerate(letters)} for language, letters in VOCABULARIES.items()
    }
    (path / "vocab.json").write_text(json.dumps(nested, ensure_ascii=False), encoding="utf-8")
    edit(path / "tokenizer_config.json", target_lang="eng")
    for seed, (language, letters) in enumerate(VOCABULARIES.items()):
        if language != "eng":
            network = transformers.Wav2Vec2ForCTC.from_pretrained(path)
            network.lm_head = torch.nn.Linear(64, len(letters))
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                adapter = {name: torch.randn_like(tensor) / 5 for name, tensor in network._get_adapters().items()}
            save_file(adapter, path / f"adapter.{language}.safetensors", metadata={"format": "pt"})
    return path


@pytest.fixture
def many(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "many"))


def theirs(path: Path, audio: FloatArray, language: str) -> FloatArray:
    """Compute logits as transformers documents it for such checkpoints."""
    network = transformers.Wav2Vec2ForCTC.from_pretrained(path, target_lang=language, ignore_mismatched_sizes=True)
    with torch.inference_mode():
        logits: FloatArray = network.eval()(torch.from_numpy(audio)).logits.numpy()
    return logits


@pytest.fixture(scope="module")
def audio() -> FloatArray:
    return np.random.default_rng(2).standard_normal((1, MAX_WINDOW // 2)).astype(np.float32)


@pytest.mark.parametrize("language", ["deu", "uzb-script_latin"])
def test_a_language_is_what_transformers_gives_for_it(many: Path, audio: FloatArray, language: str) -> None:
    model = store.resolve(f"{many}@{language}")
    assert model.vocabulary.tokens == tuple(VOCABULARIES[language])
    assert model.name == f"many@{language}"
    assert model.speaks == language
    logits = load("torch", model).logits(audio)
    np.testing.assert_allclose(logits, theirs(many, audio, language), atol=1e-4)
    own = load("torch", store.resolve(str(many))).logits(audio)
    assert own.shape[-1] == len(LETTERS)


@pytest.mark.parametrize("how", ["by the tokenizer", "by the number of letters"])
def test_the_checkpoints_own_language_needs_no_name(many: Path, how: str) -> None:
    if how != "by the tokenizer":
        edit(many / "tokenizer_config.json", target_lang=None)
    model = store.resolve(str(many))
    assert (model.language, model.adapter) == ("eng", None)
    assert model.vocabulary.tokens == tuple(LETTERS)
    assert store.resolve(f"{many}@eng") == model


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("many@deo", UsageError, "has no language 'deo'; the nearest: deu$"),
        ("many@xyz", UsageError, "has no language 'xyz'; there are: eng, deu, uzb-script_latin$"),
        ("many@", UsageError, "there is no model '.*many@'"),
        ("none@deu", UsageError, "there is no model '.*none@deu'"),
        ("single@deu", UsageError, "has one language only; leave '@deu' out"),
    ],
)
def test_what_is_not_there_is_one_line(
    many: Path, base_model: ModelDirectory, name: str, error: type[AsrdError], says: str
) -> None:
    shutil.copytree(base_model.path, many.with_name("single"))
    with pytest.raises(error, match=says) as caught:
        store.resolve(str(many.with_name(name)))
    assert "\n" not in str(caught.value)


def test_without_a_language_of_its_own_all_are_listed(many: Path) -> None:
    edit(many / "tokenizer_config.json", target_lang=None)
    edit(many / "config.json", vocab_size=99)
    with pytest.raises(UsageError, match=r"has 3 languages; name one, as in .*many@eng; there are: eng, deu, uzb-scr"):
        store.resolve(str(many))
    letters = json.loads((many / "vocab.json").read_text(encoding="utf-8"))["deu"]
    (many / "vocab.json").write_text(json.dumps({f"{number:04}": letters for number in range(1000)}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"0018, 0019 and 980 more, in vocab\.json$") as caught:
        store.resolve(str(many))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 100, b"\x02" + bytes(7) + b"{}"])
def test_an_adapter_that_is_missing_or_damaged(many: Path, content: bytes | None) -> None:
    path = many / "adapter.deu.safetensors"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"adapter\.deu\.safetensors.*copy it from the checkpoint"):
        store.resolve(f"{many}@deu")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a/b@deu", ("a/b", "deu")),
        ("a@b@deu", ("a@b", "deu")),
        ("/a@b/c", ("/a@b/c", "")),
        ("@deu", ("@deu", "")),
        ("a@", ("a@", "")),
        ("a", ("a", "")),
    ],
)
def test_a_name_and_its_language(name: str, parts: tuple[str, str]) -> None:
    assert parted(name) == parts


def test_an_at_sign_in_a_path_is_a_part_of_it(many: Path, base_model: ModelDirectory) -> None:
    path = Path(shutil.copytree(base_model.path, many.with_name("many@deu")))
    assert store.resolve(str(path)).vocabulary == base_model.vocabulary
    again = Path(shutil.copytree(many, many.with_name("me@home")))
    assert store.resolve(f"{again}@deu").language == "deu"
    assert store.resolve(str(again)).language == "eng"


def test_converting_makes_a_model_of_the_language_alone(many: Path, audio: FloatArray) -> None:
    before = {path.name: path.read_bytes() for path in many.iterdir()}
    expected = theirs(many, audio, "deu")
    with pytest.raises(ModelError, match=f"asrd model convert {many}@deu"):
        load("fp16", store.resolve(f"{many}@deu"))
    network = convert(store.resolve(f"{many}@deu"))
    path = many.with_name("many@deu")
    assert network == path / "openvino" / "fp16.xml"
    assert {file.name: file.read_bytes() for file in many.iterdir()} == before
    model = store.resolve(f"{many}@deu")
    assert (model.path, model.language) == (path, "")
    assert json.loads((path / "vocab.json").read_text(encoding="utf-8")) == {
        letter: index for index, letter in enumerate(VOCABULARIES["deu"])
    }
    assert model.vocabulary.tokens == tuple(VOCABULARIES["deu"])
    options = LoadOptions(cache=False)
    np.testing.assert_allclose(load("torch", model).logits(audio), expected, atol=1e-4)
    np.testing.assert_allclose(load("fp16", model, options).logits(audio), expected, atol=2e-2)
    assert manifest.verify(path) == []
    assert manifest.read(path)["source"] == {"language": "deu"}
    # It is a checkpoint that transformers takes like any other.
    processor = transformers.Wav2Vec2Processor.from_pretrained(path)
    alone = transformers.Wav2Vec2ForCTC.from_pretrained(path).eval()
    with torch.inference_mode():
        np.testing.assert_allclose(alone(torch.from_numpy(audio)).logits.numpy(), expected, atol=1e-4)
    assert processor.decode([20, 0, 21, 21, 4, 22]) == "ÄÖ ß"
    assert store.resolve(f"{many}@uzb-script_latin").path == many  # the others stay where they are


def test_the_own_language_converts_likewise(many: Path) -> None:
    convert(store.resolve(str(many)))
    model = store.resolve(str(many))
    assert model.path == many.with_name("many@eng")
    assert model.openvino("fp16").is_file()


def test_what_is_learned_or_built_of_a_language_lies_apart(many: Path, tmp_path: Path) -> None:
    german, uzbek = (store.resolve(f"{many}@{language}") for language in ("deu", "uzb-script_latin"))
    with pytest.raises(UsageError, match=f"'asrd model convert {many}@deu' makes a model of this one"):
        check_apart(german)
    assert "adapter.deu.safetensors" in hashes(german)
    assert "adapter.deu.safetensors" not in hashes(uzbek)
    copied = copy_checkpoint(german, tmp_path / "draft")
    check_apart(copied)
    assert copied.vocabulary == german.vocabulary
    assert not copied.openvino("fp16").exists()


@pytest.mark.parametrize(
    ("facts", "config", "code"),
    [
        ({"language": "it"}, {"language": "de"}, "it"),
        ({"source": {"language": "fra"}}, {}, "fra"),
        ({}, {"language": "de"}, "de"),
        ({}, {"language": ["de"]}, ""),
    ],
)
def test_a_model_tells_its_language(
    lv60_model: ModelDirectory, tmp_path: Path, facts: dict[str, object], config: dict[str, object], code: str
) -> None:
    path = shutil.copytree(lv60_model.path, tmp_path / "model")
    edit(path / "config.json", **config)
    if facts:
        manifest.write(path, **facts)
    assert ModelDirectory.open(path).speaks == code


def test_the_bundled_models_speak_english() -> None:
    assert {ModelDirectory.open(path).speaks for path in store.BUNDLED.glob("asrd-*")} == {"en"}
