"""Make a model repository for OpenVINO Model Server, and for Triton's OpenVINO backend, of an asrd model directory.

python export_model.py asrd-tiny-en int8 repository
ovms --config_path repository/config.json --rest_port 8000 --port 8001
asrd start --backend kserve --model asrd-tiny-en --model-server http://127.0.0.1:8000/v2/models/asrd-tiny-en
"""

import argparse
import json
from pathlib import Path

import openvino

from asrd.backends import amx
from asrd.models import ModelDirectory
from asrd.models.store import resolve

PLUGIN = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
"""As asrd's own backends run it, so that the text is the same."""

TRITON = """\
name: "{name}"
backend: "openvino"
default_model_filename: "model.xml"
max_batch_size: 0
input [{{ name: "audio" data_type: TYPE_FP32 dims: [ -1, -1 ] }}]
output [{{ name: "logits" data_type: TYPE_FP32 dims: [ -1, -1, {letters} ] }}]
instance_group [{{ kind: KIND_CPU count: 1 }}]
"""


def export(model: ModelDirectory, precision: str, repository: Path) -> None:
    """Write `NAME/1/model.xml`, `NAME/config.pbtxt` for Triton and `config.json` for OpenVINO Model Server.

    The network keeps its dynamic shape, [-1, -1], because windows differ in length.
    """
    network = openvino.Core().read_model(model.openvino(precision))
    network.input(0).set_names({"audio"})
    network.output(0).set_names({"logits"})
    amx.widen(network)  # the server's processor may be another
    folder = repository / model.name
    (folder / "1").mkdir(parents=True, exist_ok=True)
    openvino.save_model(network, folder / "1" / "model.xml", compress_to_fp16=True)
    triton = TRITON.format(name=model.name, letters=len(model.vocabulary))
    (folder / "config.pbtxt").write_text(triton, encoding="utf-8")
    served = {"name": model.name, "base_path": str(folder.resolve()), "target_device": "CPU", "plugin_config": PLUGIN}
    config = json.dumps({"model_config_list": [{"config": served}]}, indent=2)
    (repository / "config.json").write_text(f"{config}\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model", help="a bundled name or a directory")
    parser.add_argument("precision", choices=["fp16", "int8"])
    parser.add_argument("repository", type=Path)
    arguments = parser.parse_args()
    export(resolve(arguments.model), arguments.precision, arguments.repository)
