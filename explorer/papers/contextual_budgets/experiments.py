"""What the paper trains, at its own settings, and smaller versions of it that train in minutes."""

from dataclasses import replace

from explorer.papers.base import Experiment

from .config import BudgetsConfig, problems
from .training import steps, train

MNIST = BudgetsConfig()
CIFAR10 = replace(
    MNIST, dataset="cifar10", classifier="dm_large", volume=8 / 255, alpha=0.125, epochs=320, growth=((31.0, 0.0), (191.0, 1.0), (320.0, 1.0)),
    smoothed=True, learning_rate=((0.0, 5e-4), (260.0, 5e-4), (260.01, 5e-5), (304.0, 5e-5), (304.01, 5e-6), (320.0, 5e-6)), augment=True,
    mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010),
)  # fmt: skip
WATERMARKED = replace(MNIST, dataset="watermarked_mnist", alpha=0.125, alpha_bar=2.5)  # §4.2
DOUBLED = replace(CIFAR10, dataset="doubled_cifar10", volume=16 / 255, alpha=0.0625, alpha_bar=1.5, augment=False)  # §4.3; a mirror would swap the halves
ORGANS = replace(MNIST, dataset="organamnist", volume=16 / 255)  # Appendix B; it names neither network nor range: those of MNIST
DIGITS = replace(
    MNIST, dataset="digits", volume=0.1, widths=(8, 16), hidden_units=(64,), epochs=40, passes=4, batch_size=100,
    learning_rate=((0.0, 2e-3), (28.0, 2e-3), (40.0, 1e-4)), growth=((1.0, 0.0), (24.0, 1.0), (40.0, 1.0)),
)  # fmt: skip


def _uniform(config: BudgetsConfig, classifier: str = "dm_large", **changes) -> BudgetsConfig:
    return replace(config, budgets="uniform", classifier=classifier, **changes)


_MNIST = {volume: replace(MNIST, volume=volume) for volume in (0.4, 0.6, 0.8)}
_WATERMARKED = {volume: replace(WATERMARKED, volume=volume) for volume in (0.3, 0.4)}
_APPENDIX_C = replace(MNIST, volume=0.5, alpha=0.6)

PUBLISHED: dict[str, tuple[BudgetsConfig, str]] = {
    **{f"budgets-mnist-{volume}": (config, f"DM-small and a generator of budgets, certified on MNIST at volume {volume} (Table 1)") for volume, config in _MNIST.items()},
    "budgets-mnist-0.5-alpha-0.6": (_APPENDIX_C, "DM-small and a generator of budgets of at least 0.3, certified on MNIST at volume 0.5 (Appendix C)"),
    "uniform-mnist-0.3": (_uniform(MNIST, "dm_small", volume=0.3), "DM-small, certified on MNIST against ±0.3 a pixel (Appendix C's comparison)"),
    **{f"uniform-mnist-{volume}": (_uniform(config), f"DM-large, certified on MNIST against ±{volume} a pixel (Table 1)") for volume, config in _MNIST.items()},
    **{f"budgets-cifar10-{size}": (replace(CIFAR10, volume=size / 255), f"DM-large and a generator, certified on CIFAR-10 at volume {size}/255 ({where})") for size, where in ((8, "Table 2"), (16, "Figure 3"), (32, "Table 2"))},
    **{f"uniform-cifar10-{size}": (_uniform(CIFAR10, volume=size / 255), f"DM-large, certified on CIFAR-10 against ±{size}/255 a channel (Table 2)") for size in (8, 32)},
    **{f"budgets-watermarked-mnist-{volume}": (config, f"digits with a faint 0 or 1 in a margin, 20 classes, volume {volume} (Table 3)") for volume, config in _WATERMARKED.items()},
    **{f"uniform-watermarked-mnist-{volume}": (_uniform(config), f"digits with a faint 0 or 1 in a margin, DM-large, against ±{volume} a pixel (Table 3)") for volume, config in _WATERMARKED.items()},
    "budgets-doubled-cifar10-16": (DOUBLED, "two images side by side, a coloured border says which counts, volume 16/255 (Table 4)"),
    "uniform-doubled-cifar10-16": (_uniform(DOUBLED), "two images side by side, of which a coloured border names one, against ±16/255 a channel (Table 4)"),
    "budgets-organamnist-16": (ORGANS, "organs in CT slices at volume 16/255 (Appendix B)"),
    "uniform-organamnist-16": (_uniform(ORGANS), "organs in CT slices against ±16/255 a pixel (Appendix B)"),
}  # fmt: skip
SHORT = {"epochs": 20, "classifier": "dm_small"}
SHORT_WATERMARKED = {  # boxes grow slowly at first: a watermark that is forgotten while they grow does not come back
    **SHORT, "epochs": 24, "growth": ((1.0, 0.0), (8.0, 0.08), (18.0, 1.0), (24.0, 1.0)), "learning_rate": ((0.0, 1e-3), (18.0, 1e-3), (24.0, 5e-5)),
}  # fmt: skip
LONG_WATERMARKED = {  # the same at the paper's length: in the paper's schedule the watermark is not learned before the boxes are too large for it
    "growth": ((4.0, 0.0), (20.0, 0.08), (55.0, 1.0), (100.0, 1.0)), "learning_rate": ((0.0, 1e-3), (55.0, 1e-3), (100.0, 5e-5)),
}  # fmt: skip
COMPACT = {  # a generator whose last layer goes through 64 units has 453,472 parameters instead of 4,918,368
    "budgets-mnist-0.4": ({"rank": 64}, "a narrower generator"),
    "budgets-mnist-0.6": ({**SHORT, "rank": 64}, "a narrower generator, 20 epochs instead of 100"),
    "uniform-mnist-0.4": (SHORT, "DM-small instead of DM-large, 20 epochs instead of 100"),
    "budgets-watermarked-mnist-0.4": ({**LONG_WATERMARKED, "rank": 64}, "a narrower generator, boxes that grow slowly at first"),
    "uniform-watermarked-mnist-0.4": (SHORT_WATERMARKED, "DM-small instead of DM-large, 24 epochs instead of 100"),
}
DIGITS_LEARNED = replace(DIGITS, volume=0.2, alpha=0.25, alpha_bar=2.5, rank=32)
DIGITS_WATERMARKED = replace(  # sixteen epochs on clean images: a watermark that is not seen before the boxes grow is never seen
    DIGITS, dataset="watermarked_digits", volume=0.2, alpha=0.125, alpha_bar=2.5, rank=32, epochs=60,
    learning_rate=((0.0, 2e-3), (44.0, 2e-3), (60.0, 1e-4)), growth=((16.0, 0.0), (44.0, 1.0), (60.0, 1.0)),
)  # fmt: skip
OWN: dict[str, tuple[BudgetsConfig, str, BudgetsConfig]] = {
    "budgets-digits": (DIGITS_LEARNED, "a narrow DM-small and a compact generator, certified on the embedded digits at volume 0.2: trains in minutes, no download", PUBLISHED["budgets-mnist-0.4"][0]),
    "uniform-digits": (_uniform(DIGITS, "dm_small"), "a narrow DM-small, certified on the embedded digits against ±0.1 a pixel: trains in minutes, no download", PUBLISHED["uniform-mnist-0.3"][0]),
    "uniform-digits-0.2": (_uniform(DIGITS, "dm_small", volume=0.2), "a narrow DM-small, certified on the embedded digits against ±0.2 a pixel: beside budgets-digits", PUBLISHED["uniform-mnist-0.4"][0]),
    "budgets-watermarked-digits": (DIGITS_WATERMARKED, "the embedded digits with a faint 0 or 1 in a margin, at volume 0.2: trains in minutes, no download", PUBLISHED["budgets-watermarked-mnist-0.4"][0]),
    "uniform-watermarked-digits": (_uniform(DIGITS_WATERMARKED, "dm_small", rank=None), "the embedded digits with a faint 0 or 1 in a margin, against ±0.2 a pixel: trains in minutes, no download", PUBLISHED["uniform-watermarked-mnist-0.4"][0]),
}  # fmt: skip


def _experiment(config: BudgetsConfig, description: str, published: BudgetsConfig) -> Experiment:
    return Experiment(config, train, problems, steps, "contextual_budgets", description, published)


EXPERIMENTS = {
    **{name: _experiment(config, description, config) for name, (config, description) in PUBLISHED.items()},
    **{f"{name}-compact": _experiment(replace(PUBLISHED[name][0], **changes), f"{PUBLISHED[name][1]}: {how}", PUBLISHED[name][0]) for name, (changes, how) in COMPACT.items()},
    **{name: _experiment(*each) for name, each in OWN.items()},
}  # fmt: skip
