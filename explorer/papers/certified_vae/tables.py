"""Condessa & Kolter, Provably robust deep generative models, 2020: its tables and figures."""

from explorer.papers.base import Item, Paper

MODEL = "needs the VAE trained on interval bounds, not implemented yet"

CERTIFIED_VAE = Paper(
    "proVAE",
    "Filipe Condessa and J. Zico Kolter. Provably robust deep generative models. 2020.",
    (
        Item("table", 1, "ELBO and its lower bound over the training radius, MNIST and CIFAR-10", MODEL),
        Item("figure", 1, "adversarial examples on MNIST", MODEL),
        Item("figure", 2, "reconstructions of clean and of attacked images", MODEL),
        Item("figure", 3, "ELBO under attack over the attack's radius", MODEL),
        Item("figure", 4, "samples of robust models", MODEL),
    ),
)
