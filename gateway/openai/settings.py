"""The settings of a Realtime session."""

from dataclasses import dataclass, field, replace
from typing import Any

from msgspec import UNSET

from asrd.core.errors import UsageError
from asrd.core.pcm import MAX_RATE, MIN_RATE
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host
from asrd.gateway.openai.messages import BETA_FORMATS, Format, Input, Transcription, TurnDetection, plain
from asrd.gateway.openai.models import check_model
from asrd.gateway.pcm import Encoding

ENCODINGS: dict[str, Encoding] = {"audio/pcm": "s16le", "audio/pcmu": "ulaw", "audio/pcma": "alaw"}

TELEPHONE = 8_000
"""Hz of G.711."""


@dataclass(frozen=True, slots=True)
class Settings:
    """turns: how the server finds items; None if the client commits them."""

    form: Format = field(default_factory=Format)
    transcription: Transcription = field(default_factory=Transcription)
    turns: TurnDetection | None = field(default_factory=TurnDetection)

    @property
    def encoding(self) -> Encoding:
        """The form of samples."""
        return ENCODINGS[self.form.type]

    @property
    def rate(self) -> int:
        """Hz."""
        return self.form.rate if self.encoding == "s16le" else TELEPHONE

    def updated(self, given: Input, host: Host) -> "Settings":
        """Return these settings with those that are given. Raises RefusedError for one that cannot be."""
        form = self.form if given.format is UNSET else given.format
        if not MIN_RATE <= form.rate <= MAX_RATE:
            raise RefusedError(
                400, f"a rate lies from {MIN_RATE} to {MAX_RATE} Hz", "", "session.audio.input.format.rate"
            )
        written = self.transcription if given.transcription is UNSET else given.transcription or Transcription()
        if written.model:
            check_model(host, written.model)
        host.check_language(written.language or "")
        turns = self.turns if given.turn_detection is UNSET else given.turn_detection
        found = replace(self, form=form, transcription=written, turns=turns)
        try:
            found.endpointing(host.daemon.streams.settings)
        except UsageError as error:
            raise RefusedError(400, str(error), "", "session.audio.input.turn_detection") from error
        return found

    def endpointing(self, base: SegmenterSettings) -> SegmenterSettings:
        """Return the daemon's settings with those lengths that the client gave. Raises UsageError for impossible
        ones.
        """
        values: dict[str, int] = {}
        if self.turns and (silence := self.turns.silence_duration_ms) is not None:
            values |= dict.fromkeys(("hangover", "min_hangover", "max_hangover"), _samples(silence))
        if self.turns and (padding := self.turns.prefix_padding_ms) is not None:
            values["pre_roll"] = _samples(padding)
        return base.changed(values) if values else base

    def described(self, name: str, model: str, *, beta: bool) -> dict[str, Any]:
        """Return what the API says of a session. name: its id. model: taken if the client named none."""
        written = plain(self.transcription) | {"model": self.transcription.model or model}
        turns = plain(self.turns) if self.turns else None
        session: dict[str, Any] = {"id": name, "object": "realtime.transcription_session"}
        if beta:
            form = next(form for form, kind in BETA_FORMATS.items() if kind == self.form.type)
            return session | {
                "input_audio_format": form,
                "input_audio_transcription": written,
                "turn_detection": turns,
                "modalities": ["text"],
            }
        kind = plain(self.form) if self.encoding == "s16le" else {"type": self.form.type}
        heard = {"format": kind, "transcription": written, "noise_reduction": None, "turn_detection": turns}
        return session | {"type": "transcription", "include": None, "audio": {"input": heard}}


def _samples(milliseconds: int) -> int:
    return milliseconds * SAMPLE_RATE // 1000
