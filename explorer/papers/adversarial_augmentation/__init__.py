"""Calian et al., Defending against image corruptions through adversarial augmentations, ICLR 2022: its tables and figures."""

from explorer.papers.base import Item, Paper

from .backbone_tables import figure_2, figure_3, table_4
from .cost_table import table_3
from .tables import figure_4, table_1, table_6, table_7, table_8
from .tables_imagenet import table_2, table_9

ADVERSARIAL_AUGMENTATION = Paper(
    "AdA",
    "Dan A. Calian et al. Defending against image corruptions through adversarial augmentations. ICLR 2022.",
    (
        Item("table", 1, "CIFAR-10: corruptions, attacks and generalisation", fill=table_1),
        Item("table", 2, "ImageNet: corruptions, attacks and generalisation", fill=table_2),
        Item("table", 3, "cost of one training step", fill=table_3),
        Item("table", 4, "random perturbations of the classifier's parameters", fill=table_4),
        Item("table", 5, "comparison with perceptual adversarial training", "needs classifiers of perceptual adversarial training, which their authors have trained; its two lines of AdA are those of Table 8"),
        Item("table", 6, "number of inner steps", fill=table_6),
        Item("table", 7, "perturbation radius", fill=table_7),
        Item("table", 8, "CIFAR-10: every corruption", fill=table_8),
        Item("table", 9, "ImageNet: every corruption", fill=table_9),
        Item("figure", 1, "adversarial examples of two networks", "needs no numbers: the page Adversarial augmentation draws them for any image, network and classifier"),
        Item("figure", 2, "SSIM between clean and adversarial images", fill=figure_2),
        Item("figure", 3, "corruptions reconstructed by two networks", fill=figure_3),
        Item("figure", 4, "accuracy on corruptions through training", fill=figure_4),
    ),
)
