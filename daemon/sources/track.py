"""The audio track of a container, decoded and put where its time stamps say."""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.audio import AudioFrame, AudioStream
from av.container import InputContainer

from asrd.core.errors import AudioError, reason
from asrd.core.flow import FloatArray
from asrd.daemon.sources.reader import SLACK, unreadable

TIMED = ("mov", "matroska", "asf", "avi", "flv")
"""Containers that say when each packet is heard, and how long the whole is."""


class Track:
    """The first audio track of a container.

    rate: Hz. channels: how many. floating: whether its samples are floats that were never coded. length: seconds, as
    the container says of the track itself; 0 if it does not.

    While it is read: position: frames so far. lost, lost_at: seconds that could not be decoded, and where the first
    were. silent, silent_at: the same for time without audio. ends: seconds at which the last packet of any track ends.
    bytes_seen: where that lies in the file.
    """

    def __init__(self, container: InputContainer, name: str) -> None:
        """Raise AudioError if there is none. name: of the file, for messages."""
        if not container.streams.audio:
            raise AudioError(f"{name} has no audio track; choose a file with sound")
        self._container, self._name = container, name
        self._stream: AudioStream = container.streams.audio[0]
        self._timed = container.format.name.startswith(TIMED)
        self._start = (container.start_time or 0) / av.time_base if self._timed else 0.0
        tick = self._stream.time_base
        self.length = float(self._stream.duration * tick) if self._stream.duration and tick else 0.0
        self.rate, self.channels = self._stream.rate, self._stream.channels
        self.floating = self._stream.codec_context.name.startswith("pcm_f")
        self.position, self.bytes_seen, self.ends = 0, 0, 0.0
        self.lost = self.lost_at = self.silent = self.silent_at = 0.0
        self._decoded_bytes = 0

    def frames(self) -> Iterator[FloatArray]:
        """Yield float32 `(n, channels)` to the end; call it once.

        Raises AudioError if the rate or the number of channels changes.
        """
        held: FloatArray | None = None
        for block in self._placed():
            if held is not None:
                self.position += len(held)
                yield held
            held = block
        if held is not None:
            held = self._trimmed(held)
            self.position += len(held)
            yield held

    def _trimmed(self, last: FloatArray) -> FloatArray:
        """Cut what the encoder added to fill the last frame. Most demuxers do that."""
        if not self._container.format.name.startswith(("mov", "ogg")) or not self.length:
            return last
        wanted = round(self.length * self.rate) - self.position
        return last[:wanted] if 0 < wanted < len(last) else last

    def _placed(self) -> Iterator[FloatArray]:
        """Yield decoded frames, with silence where there are none for longer than `SLACK`."""
        position = 0
        for frame in self._decoded():
            if not position:
                self.rate, self.channels = frame.sample_rate, frame.layout.nb_channels
            elif (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                change = f"{self.rate} Hz, {self.channels} channel(s) to {frame.sample_rate} Hz, "
                change += f"{frame.layout.nb_channels} at {position / self.rate:.1f} s"
                raise AudioError(f"{self._name} changes from {change}; convert it: ffmpeg -i FILE out.wav")
            if self._timed and frame.time is not None:
                gap = round((frame.time - self._start) * self.rate) - position
                if gap > SLACK * self.rate:
                    self._note_silence(position, gap)
                    while gap > 0:
                        yield np.zeros((min(gap, self.rate), self.channels), np.float32)
                        position, gap = position + min(gap, self.rate), gap - self.rate
            position += frame.samples
            yield samples(frame)

    def _note_silence(self, position: int, gap: int) -> None:
        self.silent_at = self.silent_at if self.silent else position / self.rate
        self.silent += gap / self.rate

    def _decoded(self) -> Iterator[AudioFrame]:
        """Yield the frames of all packets that can be decoded."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):  # at damage that FFmpeg cannot read over, it ends
                return
            except OSError as error:
                raise unreadable(self._name, reason(error), self.position / self.rate) from error
            self.bytes_seen = max(self.bytes_seen, (packet.pos or 0) + packet.size)
            if packet.pts is not None and packet.time_base is not None:
                end = (packet.pts + (packet.duration or 0)) * packet.time_base
                self.ends = max(self.ends, float(end) - self._start)
            if packet.stream is not self._stream:
                continue
            try:
                decoded = packet.decode()
            except av.FFmpegError:
                self._note_loss(packet)
                continue
            self._decoded_bytes += packet.size
            yield from (frame for frame in decoded if isinstance(frame, AudioFrame))

    def _note_loss(self, packet: "av.Packet[Any]") -> None:
        """Count what a packet that cannot be decoded held: as long as it says, or as its bytes would last elsewhere."""
        at = self.position / self.rate
        said = float(packet.duration * packet.time_base) if packet.duration and packet.time_base else 0.0
        likely = packet.size * at / self._decoded_bytes if self._decoded_bytes else 0.0
        self.lost_at = self.lost_at if self.lost else at
        self.lost += max(said, likely)


def samples(frame: AudioFrame) -> FloatArray:
    """Return float32 `(frames, channels)`, full scale 1, whatever format a decoder chose."""
    array = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    scale = np.float32(1 << (8 * array.itemsize - 1))
    unsigned = array.dtype.kind == "u"
    scaled: FloatArray = (array.astype(np.float32) - scale) / scale if unsigned else array.astype(np.float32) / scale
    return scaled
