"""Write the transformer as an ONNX graph in 8-bit arithmetic.

The graph is built from the weights directly, without torch: fused attention, fused normalisation,
and `DynamicQuantizeMatMul` (weights 8 bits per output channel, activations 8 bits per text). It
takes the token embeddings of one text and returns its unit vector.

Weights use 7 of their 8 bits: on processors without VNNI the kernels add pairs of products in 16
bits, and full range would saturate there and give other vectors than elsewhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from policy_qa.encoders.carrier import Weights

if TYPE_CHECKING:
    import onnx

_WEIGHT_RANGE = 63
_MICROSOFT = "com.microsoft"


def write_graph(weights: Weights, path: Path) -> None:
    """Write the graph: `embeddings` `(tokens, hidden) float32` in, `vector` `(hidden,)` out."""
    import onnx  # noqa: PLC0415 (needed once, when the model folder is made)

    onnx.save(GraphBuilder(weights).model(), path)


class GraphBuilder:
    """Builds the graph; `linear` alone decides the arithmetic."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def model(self) -> "onnx.ModelProto":
        """Return the whole model."""
        from onnx import TensorProto, helper  # noqa: PLC0415 (see write_graph)

        shape = self.weights.shape
        state = self._embedded()
        for layer in range(shape.layers):
            state = self._layer(layer, state)
        mean = self.node("ReduceMean", [state], axes=[0, 1], keepdims=0)
        self.node("LpNormalization", [mean], output="vector", axis=-1, p=2)
        graph = helper.make_graph(
            self.nodes,
            "multilingual-e5-small",
            [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", shape.hidden])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [shape.hidden])],
            self.initializers,
        )
        domains = [helper.make_opsetid("", 17), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=domains, ir_version=9)

    def _embedded(self) -> str:
        hidden = self.weights.shape.hidden
        positions = self.weights.vector("emb.pos").reshape(-1, hidden)
        positions = positions + self.weights.vector("emb.type")[:hidden]
        zero = self.constant("zero", np.zeros(1, np.int64))
        length = self.node("Shape", ["embeddings"], start=0, end=1)
        used = self.node("Slice", [self.constant("positions", positions), zero, length, zero])
        placed = self.node("Add", ["embeddings", used])
        batch = self.node("Unsqueeze", [placed, zero])
        scale, bias = self._norm("emb.ln")
        epsilon = self.weights.shape.epsilon
        return self.node("LayerNormalization", [batch, scale, bias], axis=-1, epsilon=epsilon)

    def _layer(self, number: int, state: str) -> str:
        hidden, inner = self.weights.shape.hidden, self.weights.shape.feed_forward
        prefix = f"l{number}."
        merged = self.linear(state, [prefix + name for name in ("q", "k", "v")], hidden)
        sizes = self.constant(prefix + "sizes", np.full(3, hidden, np.int64))
        split = [f"{prefix}{name}" for name in ("query", "key", "value")]
        self.node("Split", [merged, sizes], output=split, axis=-1)
        heads = self.weights.shape.heads
        context = self.node("MultiHeadAttention", split, _MICROSOFT, num_heads=heads)
        attended = self.linear(context, [prefix + "ao"], hidden)
        state = self._residual(attended, state, prefix + "aln")
        wide = self.linear(state, [prefix + "fi"], hidden)
        active = self.node("Gelu", [wide], _MICROSOFT)
        return self._residual(self.linear(active, [prefix + "fo"], inner), state, prefix + "oln")

    def linear(self, source: str, names: Sequence[str], columns: int) -> str:
        """`source @ weights.T + bias`, the weights of several names side by side."""
        weights = np.concatenate([self.weights.matrix(f"{n}.w", columns) for n in names])
        bias = np.concatenate([self.weights.vector(f"{n}.b") for n in names])
        scale = np.abs(weights).max(axis=1) / _WEIGHT_RANGE
        quantised = np.rint(weights / scale[:, None]).astype(np.int8)
        inputs = [
            source,
            self.constant(names[0] + ".w", quantised.T),
            self.constant(names[0] + ".s", scale),
            "",
            self.constant(names[0] + ".b", bias),
        ]
        return self.node("DynamicQuantizeMatMul", inputs, _MICROSOFT)

    def _residual(self, change: str, state: str, norm: str) -> str:
        inputs = [change, state, *self._norm(norm)]
        epsilon = self.weights.shape.epsilon
        return self.node("SkipLayerNormalization", inputs, _MICROSOFT, epsilon=epsilon)

    def _norm(self, name: str) -> tuple[str, str]:
        scale = self.constant(name + ".w", self.weights.vector(name + ".w"))
        return scale, self.constant(name + ".b", self.weights.vector(name + ".b"))

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        """Add a constant and return its name."""
        from onnx import numpy_helper  # noqa: PLC0415 (see write_graph)

        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        domain: str = "",
        output: str | Sequence[str] = "",
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output."""
        from onnx import helper  # noqa: PLC0415 (see write_graph)

        outputs = [output] if isinstance(output, str) else list(output)
        outputs = [name or f"t{len(self.nodes)}" for name in outputs]
        node = helper.make_node(operator, inputs, outputs, domain=domain, **attributes)
        self.nodes.append(node)
        return outputs[0]
