"""Find a network's attentions, and what feeds them.

A converter leaves attention as one operation, or as two products around a softmax, as for WavLM and SEW-D.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

WHOLE = "ScaledDotProductAttention"

ROLES = ("query", "key", "value", "position")
"""What an attention takes, in the order of the whole operation's inputs. The last is what is added to its scores for
how far apart two frames are.
"""

WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")

Inputs = dict[tuple[str, int], tuple[int, str]]
"""An operation's name and input, with the number of the attention that it belongs to, and the role there."""


def attentions(network: Any) -> tuple[list[str], Inputs]:
    """Return the operations that end the attentions of an `openvino.Model`, by name in order, and their inputs."""
    ends: list[str] = []
    inputs: Inputs = {}
    for node in network.get_ordered_ops():
        name, number = node.get_friendly_name(), len(ends)
        if node.get_type_name() == WHOLE:
            ends.append(name)
            inputs |= {(name, port): (number, role) for port, role in enumerate(ROLES)}
        elif node.get_type_name() == "Softmax":
            scores, mixed = _scores(node).get_friendly_name(), _mixed(node).get_friendly_name()
            ends.append(mixed)
            inputs |= {(scores, 0): (number, "query"), (scores, 1): (number, "key"), (mixed, 1): (number, "value")}
            inputs[name, 0] = number, "position"
    return ends, inputs


def has_weights(node: Any) -> bool:
    """Return whether a node multiplies what it takes by weights: its second operand is stored in the model."""
    return node.get_type_name() in WEIGHTED and is_stored(node, 1)


def is_stored(node: Any, port: int) -> bool:
    """Return whether an operand is stored in the model, as it is or a part of it, rather than computed from audio."""
    operand = node.input_value(port).get_node()
    while operand.get_type_name() != "Constant":
        if not operand.get_input_size() or operand.get_type_name() in (*WEIGHTED, "Parameter"):
            return False
        operand = operand.input_value(0).get_node()
    return True


def role(node: Any, inputs: Inputs) -> tuple[int, str] | None:
    """Return which attention a product with weights feeds, and its role there; None if only other products with
    weights take what it gives.

    A query feeds the positions of some attentions, too; then it is the query.
    """
    found = set()
    for follower, port in _followers(node, stop=inputs):
        found.add(inputs.get((follower.get_friendly_name(), port)))
    return min((one for one in found if one), key=lambda one: ROLES.index(one[1]), default=None)


def _followers(node: Any, stop: Inputs) -> Iterator[tuple[Any, int]]:
    """Yield the operations that take what a node gives, directly or through others without weights, and by which
    input; those at the inputs to stop at are the last. What takes only the shape does not count.
    """
    waiting, seen = deque([node]), {node.get_friendly_name()}
    while waiting:
        for target in waiting.popleft().output(0).get_target_inputs():
            follower, port = target.get_node(), target.get_index()
            yield follower, port
            name = follower.get_friendly_name()
            ends = (name, port) in stop or has_weights(follower) or follower.get_type_name() == "ShapeOf"
            if name not in seen and not ends:
                seen.add(name)
                waiting.append(follower)


def _scores(softmax: Any) -> Any:
    """Return the product of queries and keys whose softmax is taken."""
    waiting = deque([softmax])
    while waiting:
        node = waiting.popleft()
        if node.get_type_name() == "MatMul":
            return node
        waiting.extend(value.get_node() for value in node.input_values())
    raise AssertionError("a softmax of no product")


def _mixed(softmax: Any) -> Any:
    """Return the product of an attention's weights and values."""
    node = softmax
    while node.get_type_name() != "MatMul":
        node = next(iter(node.output(0).get_target_inputs())).get_node()
    return node
