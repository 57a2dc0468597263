"""A third party's backend that fails as $FAULT says, on all but zeros; only once if $FAULT_ONCE names a file."""

import asyncio
import ctypes
import os
import sys
import time
from pathlib import Path

import numpy as np

from asrd.backends import Backend


class FaultyBackend(Backend):
    """Answers silence, until it fails."""

    @classmethod
    def load(cls, model, options):
        return cls(model)

    @property
    def arithmetic(self):
        return "f32"

    def infer(self, batch):
        shape = (len(batch), self.model.geometry.frames(batch.shape[1]), len(self.model.vocabulary))
        logits = np.zeros(shape, np.float32)
        logits[..., self.model.vocabulary.blank] = 1
        once = os.environ.get("FAULT_ONCE")
        failing = batch.any() or os.environ["FAULT"] == "stuck"
        if not failing or (once and Path(once).exists()):
            return logits
        if once:
            Path(once).touch()
        return self.fail(os.environ["FAULT"], logits)

    def fail(self, fault, logits):
        match fault:
            case "raise":
                raise RuntimeError("out of luck")
            case "nan":
                return logits * np.nan
            case "shape":
                return logits[:, 1:]
            case "exit":
                sys.exit("leaves")
            case "interrupt":
                raise KeyboardInterrupt("interrupted")
            case "cancel":
                raise asyncio.CancelledError("cancelled")
            case "segfault":
                ctypes.string_at(0)
            case "abort":
                os.abort()
            case "memory":
                os._exit(137)
            case "hang":
                time.sleep(60)
            case "stuck":
                ctypes.PyDLL(None).sleep(60)  # holds the interpreter's lock
        return logits
