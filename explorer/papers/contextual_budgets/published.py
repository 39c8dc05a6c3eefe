"""The numbers that the paper prints, in percent, and the experiments that they are of."""

from dataclasses import dataclass

Printed = tuple[float | None, ...]


@dataclass(frozen=True)
class Line:
    """A row of a table: the experiment it is of, ε0 of the test, and what the paper prints. `generator` names the experiment whose
    budgets stand in the column of learned ones, where the model has none of its own."""

    label: str
    experiment: str
    volume: float
    printed: Printed
    generator: str | None = None


BROKEN = (None, None, None, None, None)  # "-": training fails, as every pixel can become 0.5
TABLE_1 = (  # clean, Liu et al., uniform, learned; Appendix C: uniform ±0.3
    Line("ε0 0.4: uniform 0.4", "uniform-mnist-0.4", 0.4, (2.17, 5.88, 12.06, 100.0, None), "budgets-mnist-0.4"),
    Line("ε0 0.4: learned 0.4", "budgets-mnist-0.4", 0.4, (1.41, 7.97, 58.10, 7.81, None)),
    Line("ε0 0.6: uniform 0.4", "uniform-mnist-0.4", 0.6, (2.17, 100.0, 100.0, 100.0, None), "budgets-mnist-0.6"),
    Line("ε0 0.6: uniform 0.6", "uniform-mnist-0.6", 0.6, BROKEN),
    Line("ε0 0.6: learned 0.6", "budgets-mnist-0.6", 0.6, (2.95, 14.13, 100.0, 13.93, 11.22)),
    Line("ε0 0.8: uniform 0.4", "uniform-mnist-0.4", 0.8, (2.17, 100.0, 100.0, 100.0, None), "budgets-mnist-0.8"),
    Line("ε0 0.8: uniform 0.8", "uniform-mnist-0.8", 0.8, BROKEN),
    Line("ε0 0.8: learned 0.8", "budgets-mnist-0.8", 0.8, (12.15, 25.77, 100.0, 26.37, None)),
    Line("Appendix C: learned 0.5, α 0.6", "budgets-mnist-0.5-alpha-0.6", 0.5, (None, None, None, 10.46, 9.96)),
    Line("Appendix C: uniform 0.3, DM-small", "uniform-mnist-0.3", 0.3, (None, None, None, None, 9.40)),
)
TABLE_2 = (
    Line("ε0 8/255: uniform 8/255", "uniform-cifar10-8", 8 / 255, (54.02, 64.11, 67.11, 67.75), "budgets-cifar10-8"),
    Line("ε0 8/255: learned 8/255", "budgets-cifar10-8", 8 / 255, (49.34, 65.99, 86.42, 60.72)),
    Line("ε0 32/255: uniform 8/255", "uniform-cifar10-8", 32 / 255, (54.02, 83.83, 99.57, 99.96), "budgets-cifar10-32"),
    Line("ε0 32/255: uniform 32/255", "uniform-cifar10-32", 32 / 255, (80.63, 84.73, 85.03, 85.11), "budgets-cifar10-32"),
    Line("ε0 32/255: learned 32/255", "budgets-cifar10-32", 32 / 255, (63.34, 82.0, 98.56, 69.31)),
)
TABLE_3 = (  # clean, verified with the budgets of the training
    Line("ε0 0.3: uniform", "uniform-watermarked-mnist-0.3", 0.3, (50.90, 55.54)),
    Line("ε0 0.3: learned", "budgets-watermarked-mnist-0.3", 0.3, (1.99, 11.00)),
    Line("ε0 0.4: uniform", "uniform-watermarked-mnist-0.4", 0.4, (51.75, 59.29)),
    Line("ε0 0.4: learned", "budgets-watermarked-mnist-0.4", 0.4, (3.48, 19.04)),
)
TABLE_4 = (
    Line("uniform", "uniform-doubled-cifar10-16", 16 / 255, (73.16, 81.29)),
    Line("learned", "budgets-doubled-cifar10-16", 16 / 255, (56.11, 63.24)),
)
APPENDIX_B = (
    Line("uniform", "uniform-organamnist-16", 16 / 255, (28.0, 57.5)),
    Line("learned", "budgets-organamnist-16", 16 / 255, (21.8, 50.6)),
)
UNIFORM_CONTROL = 0.3  # Appendix C's radius
FIGURES = {  # the models whose budgets are drawn
    2: "budgets-mnist-0.6",
    3: "budgets-cifar10-16",
    4: "budgets-watermarked-mnist-0.4",
    5: "budgets-doubled-cifar10-16",
    6: "budgets-organamnist-16",
}
