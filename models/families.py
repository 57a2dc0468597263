"""Families of networks: which checkpoints asrd runs, told by `config.json` alone.

All that can run take audio and give letters by CTC. They differ in how attention knows positions, in their blocks,
and in their front end; transformers has a class for each.
"""

from collections.abc import Mapping

from asrd.core.errors import ModelError

FAMILIES = {
    "wav2vec2": "Wav2Vec2ForCTC",
    "hubert": "HubertForCTC",
    "wavlm": "WavLMForCTC",
    "data2vec-audio": "Data2VecAudioForCTC",
    "unispeech": "UniSpeechForCTC",
    "unispeech-sat": "UniSpeechSatForCTC",
    "sew": "SEWForCTC",
    "sew-d": "SEWDForCTC",
    "wav2vec2-conformer": "Wav2Vec2ConformerForCTC",
}
"""The class of each `model_type` that asrd runs. Each has its conformance tests."""

_KINDS = f"{', '.join([*FAMILIES][:-1])} or {[*FAMILIES][-1]}"

_FEATURES = "takes filter-bank features instead of audio"
_DECODER = "writes text with a decoder of its own instead of CTC"

_OTHERS = {
    **dict.fromkeys(("wav2vec2-bert", "mctct", "parakeet_ctc", "lasr_ctc", "granite_speech5_ctc"), _FEATURES),
    **dict.fromkeys(("moonshine", "speech-encoder-decoder", "speecht5", "seamless_m4t", "seamless_m4t_v2"), _DECODER),
    **dict.fromkeys(("whisper", "speech_to_text", "speech_to_text_2"), f"{_FEATURES}, and {_DECODER}"),
}
"""Why networks that are known, and often asked for, cannot run."""

_PRETRAINED = "it was pre-trained only"
_CLASSIFIER = "it sorts recordings into classes"

_HEADLESS = {
    "ForPreTraining": _PRETRAINED,
    "Model": _PRETRAINED,
    "ForSequenceClassification": _CLASSIFIER,
    "ForAudioFrameClassification": _CLASSIFIER,
    "ForXVector": "it tells speakers apart",
}
"""What checkpoints without a CTC head are, by the end of their class's name."""


def check(config: Mapping[str, object], subject: str) -> None:
    """Raise ModelError if a `config.json` describes a network that asrd cannot run.

    subject: what the message calls the checkpoint. One whose configuration names no class, as old ones do, is let
    pass; its weights will tell.
    """
    kind = config.get("model_type")
    if kind not in FAMILIES:
        why = _OTHERS.get(str(kind), "asrd does not know")
        raise ModelError(f"{subject} is of the type '{kind}', which {why}; take a CTC checkpoint of {_KINDS}")
    named = config.get("architectures")
    classes = [str(one) for one in named] if isinstance(named, list) else []
    if classes and not any(one.endswith("ForCTC") for one in classes):
        raise headless(subject, classes[0], str(kind))


def headless(subject: str, name: str, kind: str) -> ModelError:
    """Return the error for a checkpoint whose class, or files, have no CTC head. kind: its `model_type`."""
    why = next((f": {why}" for end, why in _HEADLESS.items() if name.endswith(end)), "")
    return ModelError(
        f"{subject} is a {name}, which has no CTC head to transcribe with{why}; take a checkpoint that was "
        f"fine-tuned for speech recognition (its config.json says {FAMILIES[kind]})"
    )
