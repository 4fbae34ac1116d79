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
    """Write the graph. Input `embeddings` `(tokens, hidden) float32`; output `vector` `(hidden,)`."""
    import onnx  # noqa: PLC0415 (needed once, when the model folder is made)

    onnx.save(_Builder(weights).model(), path)


class _Builder:
    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def model(self) -> "onnx.ModelProto":
        from onnx import TensorProto, helper  # noqa: PLC0415 (see write_graph)

        shape = self.weights.shape
        state = self._embedded()
        for layer in range(shape.layers):
            state = self._layer(layer, state)
        mean = self._node("ReduceMean", [state], axes=[0, 1], keepdims=0)
        self._node("LpNormalization", [mean], output="vector", axis=-1, p=2)
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
        zero = self._constant("zero", np.zeros(1, np.int64))
        length = self._node("Shape", ["embeddings"], start=0, end=1)
        used = self._node("Slice", [self._constant("positions", positions), zero, length, zero])
        placed = self._node("Add", ["embeddings", used])
        batch = self._node("Unsqueeze", [placed, zero])
        scale, bias = self._norm("emb.ln")
        epsilon = self.weights.shape.epsilon
        return self._node("LayerNormalization", [batch, scale, bias], axis=-1, epsilon=epsilon)

    def _layer(self, number: int, state: str) -> str:
        hidden, inner = self.weights.shape.hidden, self.weights.shape.feed_forward
        prefix = f"l{number}."
        merged = self._linear(state, [prefix + name for name in ("q", "k", "v")], hidden)
        sizes = self._constant(prefix + "sizes", np.full(3, hidden, np.int64))
        split = [f"{prefix}{name}" for name in ("query", "key", "value")]
        self._node("Split", [merged, sizes], output=split, axis=-1)
        heads = self.weights.shape.heads
        context = self._node("MultiHeadAttention", split, _MICROSOFT, num_heads=heads)
        attended = self._linear(context, [prefix + "ao"], hidden)
        state = self._residual(attended, state, prefix + "aln")
        wide = self._linear(state, [prefix + "fi"], hidden)
        active = self._node("Gelu", [wide], _MICROSOFT)
        return self._residual(self._linear(active, [prefix + "fo"], inner), state, prefix + "oln")

    def _linear(self, source: str, names: Sequence[str], columns: int) -> str:
        """`source @ weights.T + bias`, the weights of several names side by side."""
        weights = np.concatenate([self.weights.matrix(f"{n}.w", columns) for n in names])
        bias = np.concatenate([self.weights.vector(f"{n}.b") for n in names])
        scale = np.abs(weights).max(axis=1) / _WEIGHT_RANGE
        quantised = np.rint(weights / scale[:, None]).astype(np.int8)
        inputs = [
            source,
            self._constant(names[0] + ".w", quantised.T),
            self._constant(names[0] + ".s", scale),
            "",
            self._constant(names[0] + ".b", bias),
        ]
        return self._node("DynamicQuantizeMatMul", inputs, _MICROSOFT)

    def _residual(self, change: str, state: str, norm: str) -> str:
        inputs = [change, state, *self._norm(norm)]
        epsilon = self.weights.shape.epsilon
        return self._node("SkipLayerNormalization", inputs, _MICROSOFT, epsilon=epsilon)

    def _norm(self, name: str) -> tuple[str, str]:
        scale = self._constant(name + ".w", self.weights.vector(name + ".w"))
        return scale, self._constant(name + ".b", self.weights.vector(name + ".b"))

    def _constant(self, name: str, values: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper  # noqa: PLC0415 (see write_graph)

        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(
        self,
        operator: str,
        inputs: Sequence[str],
        domain: str = "",
        output: str | Sequence[str] = "",
        **attributes: Any,
    ) -> str:
        from onnx import helper  # noqa: PLC0415 (see write_graph)

        outputs = [output] if isinstance(output, str) else list(output)
        outputs = [name or f"t{len(self.nodes)}" for name in outputs]
        node = helper.make_node(operator, inputs, outputs, domain=domain, **attributes)
        self.nodes.append(node)
        return outputs[0]
