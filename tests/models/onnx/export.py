"""Makes the .onnx files beside it, with what torch answers: `PYTHONPATH=. python tests/models/onnx/export.py` where onnx and onnxscript are
installed. Tiny networks of each family, as both of torch's exporters write them, with a free batch or for one image (`one`)."""

from functools import partial
from pathlib import Path

import torch
import torchvision.models as vision
from safetensors.torch import save_file
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3

from explorer.models import build_model

HERE = Path(__file__).parent
inverted = partial(InvertedResidualConfig, width_mult=1.0)
SMALL = {"height": 16, "width": 16}
NETWORKS = {
    "lenet": lambda: build_model("lenet5", {"widths": [2, 3], "hidden_units": [8, 6], "mean": [0.1], "std": [0.3]}),
    "resnet": lambda: build_model("resnet32", {"widths": [2, 3, 4], "depths": [1, 1, 1], **SMALL}),
    "preact": lambda: build_model("preact_resnet", {"stem": 2, "widths": [2, 3], "depths": [1, 1], "bottleneck": True, **SMALL}),
    "mobilenet": lambda: MobileNetV3(
        [inverted(8, 3, 8, 8, True, "RE", 1, 1), inverted(8, 3, 16, 8, False, "HS", 2, 1), inverted(8, 5, 16, 8, True, "HS", 1, 1)], last_channel=16, num_classes=10
    ),
    "densenet": lambda: vision.DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=4, bn_size=2, num_classes=10),
    "convnext": lambda: ConvNeXt([CNBlockConfig(4, 8, 1), CNBlockConfig(8, None, 1)], num_classes=10),
    "vit": lambda: vision.VisionTransformer(image_size=16, patch_size=8, num_layers=1, num_heads=2, hidden_dim=8, mlp_dim=16, num_classes=10),
}
SHAPES = {"lenet": (1, 28, 28), "mobilenet": (3, 32, 32), "densenet": (3, 32, 32), "convnext": (3, 32, 32)}
FILES = {
    "lenet": ("script-one", "dynamo"), "resnet": ("script", "dynamo-one"), "preact": ("script",), "mobilenet": ("script-one", "dynamo"), "densenet": ("dynamo",),
    "convnext": ("dynamo", "dynamo-one", "script-one"), "vit": ("dynamo", "dynamo-one", "script", "script-one"),
}  # fmt: skip


def disturbed(network: nn.Module) -> nn.Module:
    """With weights and statistics that are nowhere 0 or 1."""
    for parameter in network.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1), module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def export(network: nn.Module, x: torch.Tensor, path: Path, way: str) -> None:
    exporter, *one = way.split("-")
    if exporter == "dynamo":
        torch.onnx.export(network, (x,), path, external_data=False, verbose=False, dynamic_shapes=None if one else ({0: torch.export.Dim.DYNAMIC},))
    else:
        axes = {} if one else {"dynamic_axes": {"x": {0: "n"}}}
        torch.onnx.export(network, (x,), path, dynamo=False, input_names=["x"], opset_version=14 if one else 17, **axes)


def bare(path: Path) -> None:
    """Without what the exporter tells about itself."""
    import onnx

    model = onnx.load(path)
    for holder in (model, model.graph, *model.graph.node, *model.graph.initializer):
        del holder.metadata_props[:]
        holder.ClearField("doc_string")
    del model.graph.value_info[:]
    path.write_bytes(model.SerializeToString())


def main() -> None:
    for name, made in NETWORKS.items():
        torch.manual_seed(0)
        network = disturbed(made())
        x = torch.rand(3, *SHAPES.get(name, (3, 16, 16))).requires_grad_()
        logits = network(x)
        (gradient,) = torch.autograd.grad((logits * torch.arange(10.0)).sum(), x)
        save_file({"x": x.detach(), "logits": logits.detach(), "gradient": gradient}, HERE / f"{name}.safetensors")
        for way in FILES[name]:
            export(network, x.detach()[: 1 if way.endswith("one") else 2], path := HERE / f"{name}-{way}.onnx", way)
            bare(path)


if __name__ == "__main__":
    main()
