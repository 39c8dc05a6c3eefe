"""The image-to-image networks of AdA: at the paper's sizes and settings, narrower ones, and some that train in minutes."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .backbone_config import IMAGENET, BackboneConfig, problems
from .backbone_training import backbone_steps, train_backbone

# AdA takes DeepAugment's weights of EDSR and of the compressive autoencoder, so that their settings here are our own.
NETWORKS: dict[str, tuple[dict, str]] = {
    "unet": ({"model": "completion_unet"}, "a U-Net that fills in missing pixels (Appendix E.6)"),
    "vqvae": ({"model": "vq_vae"}, "a VQ-VAE whose codes are moving averages (Appendix E.6)"),
    "edsr": ({"model": "edsr", "batch_size": 128, "learning_rate": ((0.0, 2e-4), (90.0, 0.0))}, "EDSR, which enlarges images twice (the paper takes published weights)"),
    "cae": ({"model": "compressive_autoencoder", "batch_size": 128, "learning_rate": ((0.0, 5e-4), (90.0, 0.0))}, "an autoencoder with binary codes (the paper takes published weights)"),
}
COMPACT: dict[str, dict] = {  # the U-Net is small as it is
    "vqvae": {"width": 64},
    "edsr": {"features": 16, "blocks": 4},
    "cae": {"widths": (24, 48), "decoder": (24, 48, 16), "blocks": 1},
}
SHORT = {"batch_size": 64, "learning_rate": ((0.0, 2e-3), (1.0, 0.0))}
EPOCHS = {"cifar10": 1, "scenes": 10, "digits": 10}


def _config(network: str, **changes) -> BackboneConfig:
    return replace(BackboneConfig(), **{**NETWORKS[network][0], **changes})


def _experiment(network: str, config: BackboneConfig, how: str) -> Experiment:
    return Experiment(config, train_backbone, problems, backbone_steps, "adversarial_augmentation", f"{NETWORKS[network][1]}, {how}", _config(network))


def _imagenet(network: str) -> dict:
    """Appendix E.6: batches of 1024 at a rate of 0.0003, of the networks that the paper trains itself."""
    return {"dataset": IMAGENET, **({"batch_size": 1024, "learning_rate": ((0.0, 3e-4), (90.0, 0.0))} if network in ("unet", "vqvae") else {})}


EXPERIMENTS: dict[str, Experiment] = {
    **{f"backbone-{network}-cifar10": _experiment(network, _config(network), "on CIFAR-10") for network in NETWORKS},
    **{
        f"backbone-{network}-cifar10-compact": _experiment(network, _config(network, **SHORT, **COMPACT[network], epochs=EPOCHS["cifar10"]), "on CIFAR-10, narrow, one epoch of small batches")
        for network in COMPACT
    },
    **{
        f"backbone-{network}-scenes": _experiment(network, _config(network, dataset="scenes", **SHORT, **COMPACT.get(network, {}), epochs=EPOCHS["scenes"]), f"on rendered scenes{', narrow' if network in COMPACT else ''}: trains in minutes, no download")
        for network in NETWORKS
    },
    **{f"backbone-{network}-imagenet": Experiment(config, train_backbone, problems, backbone_steps, "adversarial_augmentation", f"{NETWORKS[network][1]}, on ImageNet at 128 × 128 from folders", config) for network in NETWORKS for config in (_config(network, **_imagenet(network)),)},
    "backbone-unet-digits": _experiment("unet", _config("unet", dataset="digits", **SHORT, epochs=EPOCHS["digits"]), "on the embedded digits: trains in a minute, no download"),
}
