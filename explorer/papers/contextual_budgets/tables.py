"""Learning contextual perturbation budgets for training robust neural networks, ICLR 2021 submission: its tables and figures."""

from explorer.papers.base import Item, Paper

MODEL = "needs the budget generator and its certified training, not implemented yet"
ARTIFICIAL = "needs the budget generator and this artificial data set, not implemented yet"

CONTEXTUAL_BUDGETS = Paper(
    "Budgets",
    "Learning contextual perturbation budgets for training robust neural networks. Submitted to ICLR 2021.",
    (
        Item("table", 1, "clean and verified error on MNIST, uniform and learned budgets", MODEL),
        Item("table", 2, "clean and verified error on CIFAR-10", MODEL),
        Item("table", 3, "Watermarked MNIST", ARTIFICIAL),
        Item("table", 4, "Doubled CIFAR-10", ARTIFICIAL),
        Item("figure", 1, "flow of the joint training", MODEL),
        Item("figure", 2, "learned budgets on MNIST", MODEL),
        Item("figure", 3, "learned budgets on CIFAR-10", MODEL),
        Item("figure", 4, "Watermarked MNIST and its budgets", ARTIFICIAL),
        Item("figure", 5, "Doubled CIFAR-10 and its budgets", ARTIFICIAL),
        Item("figure", 6, "learned budgets on OrganMNIST (axial)", ARTIFICIAL),
    ),
)
