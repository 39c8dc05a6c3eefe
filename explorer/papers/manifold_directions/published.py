"""The accuracies that the paper prints, in percent, and the experiments that they are of (Tables 1 and 2)."""

Printed = tuple[float | None, ...]

TABLE_1: dict[str, Printed] = {  # clean, FGSM, PGD, VAE
    "lenet-mnist-standard": (98.82, 47.43, 3.90, 42.40),
    "lenet-mnist-fgsm": (98.79, 91.08, 15.46, 46.94),
    "lenet-mnist-pgd": (98.73, 96.50, 95.51, 52.18),
    "lenet-mnist-vae": (98.28, 27.94, 1.23, 96.66),
    "resnet32-cifar10-standard": (92.14, 38.39, 7.40, 19.40),
    "resnet32-cifar10-fgsm": (87.03, 76.92, 75.14, 31.80),
    "resnet32-cifar10-pgd": (86.25, 77.34, 75.78, 26.31),
    "resnet32-cifar10-vae": (85.59, 34.50, 10.53, 40.18),
}
TABLE_2: dict[str, Printed] = {  # ℓ1, PGD in ℓ∞, VAE
    "lenet-mnist-l1": (78.50, 0.5, None),
    "lenet-mnist-pgd": (12.13, 95.51, 52.18),
    "lenet-mnist-l1-linf": (54.24, 78.81, None),
    "lenet-mnist-vae": (None, 1.23, 96.66),
    "lenet-mnist-joint": (None, 89.50, 90.28),
    "resnet32-cifar10-l1": (66.22, 52.8, None),
    "resnet32-cifar10-pgd": (16.41, 75.78, 26.31),
    "resnet32-cifar10-l1-linf": (60.23, 65.11, None),
    "resnet32-cifar10-vae": (None, 10.53, 40.18),
    "resnet32-cifar10-joint": (None, 74.22, 42.47),
}
FIGURES = {"pgd": "lenet-mnist-pgd", "vae": "lenet-mnist-vae"}  # whose attacks Figures 2 and 3 draw
