"""The nets that `fieldcraft inspect` must be able to look at: torchvision, timm, transformers, MONAI and a few of ours.

Weights are random and most nets are built without any; nothing is downloaded.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import nn

from fieldcraft.inspection.sources.building import without_numbers


@dataclass(frozen=True)
class Net:
    """One net: how to build it and the shape of one sample."""

    library: str
    name: str
    make: Callable[[], nn.Module]
    inputs: object

    def build(self) -> nn.Module:
        """Without weights where its constructor can do without values, else on the CPU."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made, why = without_numbers(self.make)
            return self.make() if why else made  # type: ignore[return-value]


def torchvision_nets() -> Iterator[Net]:
    """All classification, segmentation and video nets."""
    from torchvision import models

    for module, shape in ((models, (3, 224, 224)), (models.segmentation, (3, 520, 520)), (models.video, None)):
        for name in models.list_models(module=module):
            yield Net("torchvision", name, _torchvision(name), shape or _video_shape(name))


def _torchvision(name: str) -> Callable[[], nn.Module]:
    from torchvision import models

    quiet = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    bare = {"weights_backbone": None} if name.startswith(("deeplab", "fcn", "lraspp")) else {}
    return lambda: models.get_model(name, weights=None, **quiet, **bare)


def _video_shape(name: str) -> tuple[int, ...]:
    return (3, 16, 224, 224) if name.startswith(("mvit", "swin", "s3d")) else (3, 16, 112, 112)


def timm_nets(every: bool = False) -> Iterator[Net]:
    """The first net of every family (a module of timm), or all of them."""
    import timm

    for family in timm.list_modules():
        names = timm.list_models(module=family)
        for name in names if every else names[:1]:
            yield Net("timm", name, _timm(name), timm_shape(name))


def _timm(name: str) -> Callable[[], nn.Module]:
    import timm

    return lambda: timm.create_model(name, pretrained=False)


def timm_shape(name: str) -> tuple[int, ...]:
    """What a net of timm is configured for."""
    import timm

    known = timm.get_pretrained_cfg(name)
    return tuple(known.input_size) if known is not None else (3, 224, 224)


def transformers_nets() -> Iterator[Net]:
    """Small configurations."""
    import transformers as t

    small = {"hidden_size": 192, "num_hidden_layers": 4, "num_attention_heads": 3, "intermediate_size": 384}
    image = (3, 224, 224)
    made: tuple[tuple[str, Callable[[], nn.Module], object], ...] = (
        ("ViT", lambda: t.ViTForImageClassification(t.ViTConfig(**small)), image),
        ("Swin", lambda: t.SwinForImageClassification(t.SwinConfig(embed_dim=48, depths=[2, 2, 2, 2])), image),
        ("ConvNeXt", lambda: t.ConvNextForImageClassification(t.ConvNextConfig(depths=[2, 2, 4, 2])), image),
        ("SegFormer", lambda: t.SegformerForSemanticSegmentation(t.SegformerConfig()), (3, 256, 256)),
        ("BERT", lambda: t.BertModel(t.BertConfig(**small)), {"input_ids": "128:int64"}),
        ("ResNet", lambda: t.ResNetForImageClassification(t.ResNetConfig()), image),
        ("DeiT", lambda: t.DeiTForImageClassification(t.DeiTConfig(**small)), image),
        ("BEiT", lambda: t.BeitForImageClassification(t.BeitConfig(**small)), image),
        ("DINOv2", lambda: t.Dinov2ForImageClassification(t.Dinov2Config(**small)), image),
        ("MobileViT", lambda: t.MobileViTForImageClassification(t.MobileViTConfig()), (3, 256, 256)),
        (
            "DistilBERT",
            lambda: t.DistilBertModel(t.DistilBertConfig(dim=192, n_heads=3, n_layers=4)),
            {"input_ids": "128:int64"},
        ),
        ("GPT-2", lambda: t.GPT2LMHeadModel(t.GPT2Config(n_embd=192, n_head=3, n_layer=4)), {"input_ids": "128:int64"}),
        ("T5 encoder", lambda: t.T5EncoderModel(t.T5Config(d_model=192, num_layers=4)), {"input_ids": "128:int64"}),
        (
            "Llama",
            lambda: t.LlamaForCausalLM(t.LlamaConfig(**small, num_key_value_heads=3)),
            {"input_ids": "128:int64"},
        ),
    )
    for name, make, inputs in made:
        yield Net("transformers", name, make, inputs)


def monai_nets() -> Iterator[Net]:
    """Segmentation nets for volumes and images."""
    from monai.networks import nets

    volume = (1, 64, 64, 64)
    steps = {"channels": (16, 32, 64, 128), "strides": (2, 2, 2)}
    dyn = {"kernel_size": [3, 3, 3, 3], "strides": [1, 2, 2, 2], "upsample_kernel_size": [2, 2, 2]}
    made: tuple[tuple[str, Callable[[], nn.Module], object], ...] = (
        ("UNet", lambda: nets.UNet(3, 1, 2, num_res_units=2, **steps), volume),
        ("UNet 2-D", lambda: nets.UNet(2, 1, 2, **steps), (1, 128, 128)),
        ("BasicUNet", lambda: nets.BasicUNet(3, 1, 2), volume),
        ("AttentionUnet", lambda: nets.AttentionUnet(3, 1, 2, **steps), volume),
        ("DynUNet", lambda: nets.DynUNet(3, 1, 2, **dyn), volume),
        ("SegResNet", lambda: nets.SegResNet(3, 8, 1, 2), volume),
        ("SwinUNETR", lambda: nets.SwinUNETR(in_channels=1, out_channels=2, feature_size=24), volume),
        ("UNETR", lambda: nets.UNETR(1, 2, (64, 64, 64), hidden_size=192, mlp_dim=384, num_heads=3), volume),
        ("VNet", lambda: nets.VNet(3, 1, 2), volume),
        ("DenseNet121 3-D", lambda: nets.DenseNet121(3, 1, 2), volume),
        ("HighResNet", lambda: nets.HighResNet(3, 1, 2), (1, 32, 32, 32)),
    )
    for name, make, inputs in made:
        yield Net("monai", name, make, inputs)


def own_nets() -> Iterator[Net]:
    """Recurrent and dilated nets over series."""
    yield Net("torch", "LSTM", lambda: nn.LSTM(8, 32, 2, batch_first=True), (100, 8))
    yield Net("torch", "GRU", lambda: nn.GRU(8, 32, batch_first=True, bidirectional=True), (100, 8))
    yield Net("torch", "Transformer encoder", _encoder, (64, 32))
    yield Net("torch", "TCN", _tcn, (4, 512))


def _encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


def _tcn() -> nn.Module:
    layers: list[nn.Module] = []
    for power in range(6):
        layers += [
            nn.ConstantPad1d((2 * 2**power, 0), 0.0),
            nn.Conv1d(4 if power == 0 else 16, 16, 3, dilation=2**power),
        ]
        layers += [nn.ReLU()]
    return nn.Sequential(*layers)


def all_nets(every_timm: bool = False) -> Iterator[Net]:
    """All of them."""
    yield from own_nets()
    yield from torchvision_nets()
    yield from transformers_nets()
    yield from monai_nets()
    yield from timm_nets(every_timm)
