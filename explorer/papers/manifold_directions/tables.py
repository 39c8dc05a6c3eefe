"""Tables 1 and 2 and Figures 1 to 3 of the paper, and what is measured of them."""

from explorer.papers.base import Item, Paper

MODEL = "needs the classifiers and the class-conditional VAEs, not implemented yet"
THEORY = "needs the eigenvalue spectra, not implemented yet"

MANIFOLD_DIRECTIONS = Paper(
    "Manifold directions",
    "Disentangling adversarial robustness in directions of the data manifold. Submitted to ICLR 2021.",
    (
        Item("table", 1, "test accuracy under attacks and defences, MNIST and CIFAR-10", MODEL),
        Item("table", 2, "trade-off between attacks", MODEL),
        Item("figure", 1, "directions of regular and of generative attacks", THEORY),
        Item("figure", 2, "eigenvalues of two classes of MNIST", THEORY),
        Item("figure", 3, "eigenvalues of all classes of MNIST", THEORY),
    ),
)
