"""What the paper trains, at its own settings, and narrow classifiers that train in minutes."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .config import IMAGENET, AugmentedConfig, problems
from .training import steps, train

STEM = "adversarial_augmentation"
NETWORKS = ("unet", "vqvae", "edsr", "cae")
CIFAR10 = AugmentedConfig()
AUGMIX = {"augmix": True}
AT_LINF, AT_L2 = {"corruption": "linf"}, {"corruption": "l2"}
BASELINES: dict[str, tuple[dict, str]] = {  # step sizes of AWP and SAM: Appendix E.1; TRADES' weight: its own for CIFAR-10
    "nominal": ({}, "nominally"),
    "augmix": (AUGMIX, "with AugMix and its consistency loss"),
    "at-linf": (AT_LINF, "on PGD in the ℓ∞ ball"),
    "at-l2": (AT_L2, "on PGD in the ℓ2 ball"),
    "trades-linf": ({**AT_LINF, "trades_beta": 6.0}, "with TRADES in the ℓ∞ ball"),
    "trades-l2": ({**AT_L2, "trades_beta": 6.0}, "with TRADES in the ℓ2 ball"),
    "awp-linf": ({**AT_LINF, "weight_ascent": "awp", "weight_step": 0.0005}, "on PGD in the ℓ∞ ball, at adversarial weights (AWP)"),
    "awp-l2": ({**AT_L2, "weight_ascent": "awp", "weight_step": 0.001}, "on PGD in the ℓ2 ball, at adversarial weights (AWP)"),
    "sam": ({"weight_ascent": "sam"}, "for flat minima (SAM)"),
}
DEEPAUGMENT = {"deepaugment": ("backbone-edsr-cifar10", "backbone-cae-cifar10")}
ADDED: dict[str, tuple[dict, str]] = {
    "": ({}, ""),
    "-augmix": (AUGMIX, " and AugMix"),
    "-deepaugment": (DEEPAUGMENT, " and DeepAugment"),
    "-augmix-deepaugment": ({**AUGMIX, **DEEPAUGMENT}, ", AugMix and DeepAugment"),
}
COMBINED: dict[str, tuple[dict, str]] = {
    "deepaugment": (DEEPAUGMENT, "with DeepAugment"),
    "augmix-deepaugment": ({**AUGMIX, **DEEPAUGMENT}, "with AugMix and DeepAugment"),
}
NARROW = {"widths": (8, 16, 32), "depths": (1, 1, 1), "bottleneck": False}
SCENES = replace(
    CIFAR10, dataset="scenes", stem=8, **NARROW, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25), steps=3, epochs=15, clean_epochs=11.0, batch_size=32, learning_rate=0.05, warm_up=1.0,
)  # fmt: skip
SHORT = replace(CIFAR10, stem=8, **NARROW | {"widths": (16, 32, 64)}, steps=3, epochs=24, batch_size=64, learning_rate=0.05, warm_up=1.0, limit=8000)
DIGITS = replace(SCENES, dataset="digits", mean=(0.3,), std=(0.35,), augment=False, epochs=20, batch_size=64, learning_rate=0.1)
FEW_BASELINES = ("nominal", "augmix")  # where others would add little


def backbones(names: tuple[str, ...], data: str) -> dict:
    return {"corruption": "adversarial", "backbones": tuple(f"backbone-{name}-{data}" for name in names)}


def _experiment(config: AugmentedConfig, changes: dict, text: str, published: AugmentedConfig = CIFAR10) -> Experiment:
    return Experiment(replace(config, **changes), train, problems, steps, STEM, text, replace(published, **changes))


PAPERS: dict[str, Experiment] = {
    **{f"{name}-cifar10": _experiment(CIFAR10, changes, f"pre-activation ResNet-50 on CIFAR-10, trained {how} (Table 1)") for name, (changes, how) in (BASELINES | COMBINED).items()},
    **{
        f"ada-cifar10-{network}{ending}": _experiment(CIFAR10, {**backbones(names, "cifar10"), **changes}, f"pre-activation ResNet-50 on CIFAR-10, trained with AdA ({network}){more} (Table 1)")
        for network, names in {**{name: (name,) for name in NETWORKS}, "all": NETWORKS}.items()
        for ending, (changes, more) in ADDED.items()
    },
}
ON_IMAGENET = replace(
    CIFAR10, dataset=IMAGENET, classifier="resnet50", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), steps=3, ssim_limit=0.7, augmix_severity=1.0, epochs=90, batch_size=4096, weight_decay=5e-4,
)  # Appendices E.3, E.4 and F; the severity is AugMix's own for ImageNet
IMAGENET_DEEPAUGMENT = {"deepaugment": ("backbone-edsr-imagenet", "backbone-cae-imagenet")}
IMAGENETS: dict[str, Experiment] = {}
for ending, how in {"": "nominally", "-augmix": "with AugMix", "-deepaugment": "with DeepAugment", "-augmix-deepaugment": "with AugMix and DeepAugment"}.items():
    own = {**ADDED[ending][0], **(IMAGENET_DEEPAUGMENT if "deepaugment" in ending else {})}
    IMAGENETS[f"{ending[1:] or 'nominal'}-imagenet"] = _experiment(ON_IMAGENET, own, f"ResNet-50 on ImageNet at 128 × 128, trained {how} (Table 2)", ON_IMAGENET)
    for network, names in {**{name: (name,) for name in NETWORKS}, "all": NETWORKS}.items():
        changes = {**backbones(names, IMAGENET), **own}
        IMAGENETS[f"ada-imagenet-{network}{ending}"] = _experiment(ON_IMAGENET, changes, f"ResNet-50 on ImageNet at 128 × 128, trained with AdA ({network}){ADDED[ending][1]} (Table 2)", ON_IMAGENET)
SMALL: dict[str, Experiment] = {}
for data, config, where, clean_share in (
    ("scenes", SCENES, "rendered scenes", 0.8), ("digits", DIGITS, "the embedded digits", 0.3), ("cifar10-compact", SHORT, "8,000 images of CIFAR-10", 0.5)
):  # fmt: skip
    quick = {name: (changes, how) for name, (changes, how) in BASELINES.items() if data == "scenes" or name in FEW_BASELINES}
    SMALL |= {f"{name}-{data}": _experiment(config, changes, f"a narrow ResNet on {where}, trained {how}") for name, (changes, how) in quick.items()}
    ball = {**backbones(("unet",), data.removesuffix("-compact")), "clean_epochs": clean_share * config.epochs, "steps": 2 if config is SHORT else config.steps}
    name = "ada-cifar10-unet-compact" if data == "cifar10-compact" else f"ada-{data}-unet"
    SMALL |= {
        name: _experiment(config, ball, f"a narrow ResNet on {where}, trained with AdA (unet)"),
        name.replace("ada", "random-weights", 1): _experiment(config, {**ball, "corruption": "random"}, f"a narrow ResNet on {where}, trained on random weights of a U-Net of AdA's radius"),
        name.replace("unet", "unet-augmix", 1): _experiment(config, {**ball, **AUGMIX}, f"a narrow ResNet on {where}, trained with AdA (unet) and AugMix"),
    }
SMALL["ada-cifar10-edsr-compact"] = _experiment(
    SHORT, {**backbones(("edsr",), "cifar10-compact"), "clean_epochs": 17.0, "steps": 2}, "a narrow ResNet on 8,000 images of CIFAR-10, trained with AdA (edsr) at the end"
)
EXPERIMENTS: dict[str, Experiment] = {**PAPERS, **IMAGENETS, **SMALL}
