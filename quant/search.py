"""Follow NNCF's search for the layers to put back into floating point.

NNCF neither tells how much there is to rank, nor needs all of what it does: it compiles each candidate before it asks
for its accuracy, although after an interruption most answers are known. So its ranker and its way to prepare a model
are replaced while it searches.
"""

import hashlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from asrd.models import runtime

_PLACE = "nncf.quantization.algorithms.accuracy_control"

SAMPLED = 64
"""Values that stand for a large constant when networks are told apart."""


class Candidate:
    """A network whose accuracy NNCF wants to know. It is compiled when it is first used.

    arithmetic: of what is computed in floating point, "f32" or "bf16".
    """

    def __init__(self, network: Any, arithmetic: str = "f32") -> None:
        self._network = network
        self.arithmetic = arithmetic

    @property
    def model_for_inference(self) -> "Candidate":
        """What NNCF hands to the validation function."""
        return self

    @cached_property
    def identity(self) -> str:
        """Tells networks of one search apart: by their operations, by small constants, and by samples of large ones.

        Names that OpenVINO makes up, such as "Constant_12", count on from process to process and are left out.
        """
        digest = hashlib.sha256()
        for node in self._network.get_ordered_ops():
            kind, name = node.get_type_name(), node.get_friendly_name()
            digest.update(f"{kind} {name if not name.removeprefix(f'{kind}_').isdigit() else ''}\n".encode())
            if kind == "Constant":
                values = np.asarray(node.data).reshape(-1)
                digest.update(np.ascontiguousarray(values[:: max(1, len(values) // SAMPLED)]).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def compiled(self) -> Any:
        """The `openvino.CompiledModel`."""
        settings = {"INFERENCE_PRECISION_HINT": self.arithmetic}
        return runtime.openvino().Core().compile_model(self._network, "CPU", settings)


@contextmanager
def followed(
    ranking: Callable[[int], None], prepare: Callable[[Candidate], None], arithmetic: str = "f32"
) -> Iterator[None]:
    """Replace what NNCF searches with. The validation function gets each network as a `Candidate`.

    ranking: called with the number of candidates before they are ranked. prepare: called with each candidate, in a
    thread of NNCF's where it ranks in parallel; compile it there if it will be needed.
    """
    ranker, backend = (importlib.import_module(f"{_PLACE}.{name}") for name in ("ranker", "openvino_backend"))
    rank = ranker.Ranker.rank_groups_of_quantizers

    def counted(self: Any, groups: Sequence[Any], *rest: Any) -> Any:
        ranking(len(groups))
        return rank(self, groups, *rest)

    def prepared(network: Any, *_: Any, **__: Any) -> Candidate:
        candidate = Candidate(network, arithmetic)
        prepare(candidate)
        return candidate

    with ExitStack() as replaced:
        replaced.enter_context(_replaced(ranker.Ranker, "rank_groups_of_quantizers", counted))
        replaced.enter_context(_replaced(backend, "OVPreparedModel", prepared))
        yield


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)
