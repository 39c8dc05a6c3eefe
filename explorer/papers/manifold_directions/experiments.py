"""What the paper trains, at its own settings, and smaller versions of it that train in minutes; and the trainings on learned sets (Perturbation sets, §5)."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .config import ClassifierConfig, problems
from .training import steps, train
from .vae_config import ClassVaeConfig
from .vae_config import problems as vae_problems
from .vae_training import train_vae, vae_steps

JOINT = "the mean of both attacks' losses is minimised, which the paper does not say"
MNIST = ClassifierConfig(vae="class-cvae-mnist")
CIFAR10 = replace(  # Appendix B.2; it does not tell of augmentation, without which 92 % is out of reach
    MNIST, dataset="cifar10", classifier="resnet32", standard_epochs=100.0, radius=4 / 255, radius_l1=2000 / 255, steps=10, vae="class-cvae-cifar10",
    latent_radius=0.1, epochs=200, learning_rate=((0.0, 1e-3), (200.0, 1e-3)), augment=True, mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010),
)  # fmt: skip
DIGITS = replace(  # their strokes are grey and blurred: at MNIST's radius of 0.25 training on PGD falls back to one answer for all
    MNIST, dataset="digits", widths=(6, 16), hidden_units=(48, 32), radius=0.1, radius_l1=4.0, steps=7, vae="class-cvae-digits", epochs=30,
    standard_epochs=10.0, passes=2, batch_size=64,
)  # fmt: skip
DEFENCES: dict[str, tuple[dict, str]] = {
    "standard": ({"standard_epochs": 0.0}, "on clean images"),
    "fgsm": ({"sources": ("linf",), "steps": 1, "step_size": 1.0, "start": "zero"}, "on one sign step in the ℓ∞ ball"),
    "pgd": ({"sources": ("linf",)}, "on PGD in the ℓ∞ ball"),
    "vae": ({"sources": ("manifold",)}, "on one sign step in the latents of a class-conditional VAE"),
    "joint": ({"sources": ("linf", "manifold")}, f"on PGD in the ℓ∞ ball and on the sign step in latents: {JOINT}"),
    "l1": ({"sources": ("l1",)}, "on PGD in an ℓ1 ball, whose radius the paper does not give"),
    "l1-linf": ({"sources": ("l1", "linf")}, f"on PGD in the ℓ1 and in the ℓ∞ ball: {JOINT}"),
}
NETWORKS = {
    "lenet-mnist": (MNIST, "LeNet-5 on MNIST, trained {} (Tables 1 and 2)"),
    "resnet32-cifar10": (CIFAR10, "ResNet-32 on CIFAR-10, trained {} (Tables 1 and 2)"),
    "lenet-digits": (DIGITS, "a narrow LeNet-5 on the embedded digits, trained {}: trains in minutes, no download"),
}
VAES: dict[str, tuple[ClassVaeConfig, str]] = {
    "class-cvae-mnist": (ClassVaeConfig(), "digits given their class, the manifold of the attacks on MNIST (Appendix B.1)"),
    "class-cvae-cifar10": (
        ClassVaeConfig("cifar10", "class_cnn_cvae", 128, epochs=100, learning_rate=((0.0, 1e-3), (100.0, 1e-3))),
        "colour images given their class, the manifold of the attacks on CIFAR-10 (Appendix B.2)",
    ),
    "class-cvae-digits": (
        ClassVaeConfig("digits", hidden_units=64, epochs=40, passes=4, learning_rate=((0.0, 2e-3), (40.0, 5e-4))),
        "the embedded digits given their class, a narrow MLP: trains in a minute, no download",
    ),
}  # fmt: skip
FRAMED = replace(  # Perturbation sets, Appendix E.4, on digits: 7 steps of ε/5 at the set's own radius, no epochs of clean images
    DIGITS, dataset="framed_digits", vae=None, learned_set="digits-rts", standard_epochs=0.0, latent_radius=None, latent_steps=7, latent_step_size=0.2,
    epochs=20, weight_decay=0.0,
)  # fmt: skip
CORRUPTED = replace(  # Perturbation sets, Appendix E.4; no weight decay: its published configuration
    CIFAR10, classifier="wide_resnet", vae=None, learned_set="cifar10c-centred", standard_epochs=0.0, latent_radius=None, latent_steps=7, latent_step_size=0.2,
    epochs=100, learning_rate=((0.0, 0.0), (40.0, 0.2), (100.0, 0.0)), weight_decay=0.0,
)  # fmt: skip
SCENES = replace(
    CORRUPTED, dataset="scenes", stem=8, widths=(8, 16, 32), depths=(1, 1, 1), learned_set="scenes-corruptions", latent_steps=3, latent_step_size=0.5, epochs=20, batch_size=64,
    learning_rate=((0.0, 0.0), (8.0, 0.01), (20.0, 0.0)), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25),
)  # fmt: skip
STANDARD: dict[str, tuple[dict, str]] = {"standard": ({}, "on clean images")}
ON_LEARNED_SETS: dict[str, tuple[dict, str]] = {
    "pairs": ({"sources": ("pairs",)}, "on real perturbations"),
    "samples": ({"sources": ("samples",)}, "on members that the set {} draws"),
    "adversarial": ({"sources": ("clean", "learned"), "mixing": "max"}, "on each image's larger loss of clean and adversarial in the latent ball of {} (Algorithm 1{})"),
}
SMOOTHED: dict[str, tuple[dict, str]] = {
    f"smoothed-{percentile}": ({"sources": ("smoothed",), "percentile": percentile}, f"under the noise in the latents of {{}} that can certify the radius of {percentile} % of its encodings")
    for percentile in (25, 50, 75)
}
QUICK = ": trains in minutes, no download"
GENTLE: dict[str, tuple[dict, str]] = {  # at the whole radius, or from the first epoch on, small networks fall back to one answer for all
    "robust-digits-rts": ({"latent_radius": 1.0, "standard_epochs": 8.0}, ", at radius 1, from epoch 9 on"),
    "robust-scenes": ({"percentile": 50, "standard_epochs": 8.0, "learning_rate": ((0.0, 0.0), (4.0, 0.01), (8.0, 0.002), (20.0, 0.0))}, ", at the radius of 50 % of its encodings, from epoch 9 on"),
}
ROBUST: dict[str, tuple[ClassifierConfig, dict[str, tuple[dict, str]], str]] = {
    "robust-digits-rts": (FRAMED, ON_LEARNED_SETS, f"a narrow LeNet-5 on rotated, scaled and moved digits, trained {{}}{QUICK}"),
    "robust-cifar10c": (CORRUPTED, {**STANDARD, **ON_LEARNED_SETS, **SMOOTHED}, "WRN-28-10 on CIFAR-10, trained {} (Perturbation sets, Tables 2 and 9)"),
    "robust-scenes": (SCENES, {**STANDARD, **ON_LEARNED_SETS, **SMOOTHED}, f"a narrow Wide ResNet on rendered scenes, trained {{}}{QUICK}"),
}


def _published(prefix: str, changes: dict) -> ClassifierConfig:
    config, _ = NETWORKS["lenet-mnist" if prefix == "lenet-digits" else prefix]
    return replace(config, **changes)


def _vae(name: str, config: ClassVaeConfig, description: str) -> Experiment:
    published = VAES["class-cvae-mnist" if name == "class-cvae-digits" else name][0]
    return Experiment(config, train_vae, vae_problems, vae_steps, "manifold_directions", description, published)


EXPERIMENTS: dict[str, Experiment] = {
    **{name: _vae(name, *each) for name, each in VAES.items()},
    **{
        f"{prefix}-{defence}": Experiment(replace(config, **changes), train, problems, steps, "manifold_directions", text.format(how), _published(prefix, changes))
        for prefix, (config, text) in NETWORKS.items()
        for defence, (changes, how) in DEFENCES.items()
    },
    **{
        f"{prefix}-{name}": Experiment(
            replace(config, **changes, **gentler), train, problems, steps, "learned_sets", text.format(how.format(config.learned_set, words)), None if prefix == "robust-digits-rts" else replace(CORRUPTED, **changes)
        )
        for prefix, (config, trainings, text) in ROBUST.items()
        for name, (changes, how) in trainings.items()
        for gentler, words in [GENTLE.get(prefix, ({}, "")) if name == "adversarial" else ({}, "")]
    },
}
