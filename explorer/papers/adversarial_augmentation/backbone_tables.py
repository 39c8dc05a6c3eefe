"""Table 4 and Figures 2 and 3 of the paper, and what is measured of them."""

from explorer.data.corruptions import STANDARD
from explorer.papers.base import Filled, Row
from explorer.papers.results import Results

from .finding import differences as of_training
from .parameter_noise import DRAWS, NOISE_KIND, NoiseTable
from .reconstruction import IMAGES, LEARNING_RATE, PENALTY, RECONSTRUCTION_KIND, STEPS, ReconstructionTable
from .similarity import FIGURE_2, SIMILARITY_KIND, SimilarityTable

NAMES = {"edsr": "EDSR", "compressive_autoencoder": "CAE"}
TABLE_4 = {  # AdA with AugMix on CIFAR-10: clean error, mCE, and each corruption, in percent
    0.0: (3.74, 8.80, 16.4, 12.8, 14.4, 5.7, 10.9, 7.5, 6.3, 7.7, 6.7, 6.6, 3.9, 4.7, 8.1, 11.9, 8.4),
    0.02: (3.76, 8.81, 16.5, 12.8, 14.5, 5.7, 10.9, 7.6, 6.4, 7.7, 6.7, 6.6, 3.9, 4.8, 8.1, 11.8, 8.3),
    0.04: (3.75, 9.21, 17.4, 13.4, 15.2, 6.2, 11.4, 8.2, 6.9, 7.9, 6.9, 6.8, 4.0, 5.6, 8.2, 11.7, 8.3),
    0.06: (4.28, 10.49, 19.5, 15.1, 17.2, 7.3, 12.8, 9.8, 8.5, 8.6, 7.7, 7.8, 4.4, 8.5, 9.0, 12.4, 8.9),
    0.08: (6.01, 14.56, 24.5, 19.4, 22.9, 11.2, 17.9, 14.7, 12.6, 11.6, 10.1, 11.3, 6.4, 15.8, 12.3, 16.2, 11.4),
    0.1: (17.75, 31.34, 40.7, 35.5, 44.5, 26.9, 40.9, 34.5, 30.2, 29.0, 22.2, 24.9, 19.2, 34.2, 28.2, 32.8, 26.2),
}
ORDER = ("gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression")
OVERALL = {"edsr": 0.91, "compressive_autoencoder": 0.84}  # mean SSIM of Figure 3; § 4


def table_4(results: Results) -> Filled:
    """Errors of AdA with AugMix under noise on its parameters."""
    columns = ("clean", "mCE", *(name.replace("_", " ") for name in ORDER))
    tables = results.of(NOISE_KIND)
    rows = []
    for level, printed in TABLE_4.items():
        row = Row(f"{100 * level:.0f} % noise", printed, command="python -m explorer.runs submit parameter_noise --checkpoint runs/ada-cifar10-edsr-augmix/ada-cifar10-edsr-augmix.safetensors")
        found = next(((table, path) for table, path in tables if level in table.levels and table.checkpoint == "ada-cifar10-edsr-augmix"), None)
        rows.append(_noise(row, *found, level) if found else row)
    own = [_noise(Row(f"{table.checkpoint}, {100 * level:.0f} % noise", (None,) * len(columns), own=True), table, path, level) for table, path in tables if table.checkpoint != "ada-cifar10-edsr-augmix" for level in table.levels]
    return Filled(columns, (*rows, *own), "Errors in percent, mean of the severities. Each image has its own draws of the noise, which its corrupted versions share.")


def figure_2(results: Results) -> Filled:
    """SSIM of the worst weights' images, which the paper draws as densities without numbers."""
    columns = ("mean SSIM", "deviation", "right, adversarial", "right, random")
    rows, used = [], set()
    for model, radii in FIGURE_2.items():
        for radius in radii:
            name = f"backbone-{'edsr' if model == 'edsr' else 'cae'}-cifar10"
            row = Row(f"{NAMES[model]}, ν = {radius:g}", (), command=f"python -m explorer.runs submit worst_weights --checkpoint runs/ada-cifar10-edsr/ada-cifar10-edsr.safetensors --backbones {name} --radii {radius:g}")
            fitting = [
                (table, path, place) for table, path in results.of(SIMILARITY_KIND) for place in range(len(table.radii))
                if (table.networks[place].removesuffix("-compact"), table.radii[place]) == (name, radius)
            ]  # fmt: skip
            found = min(fitting, key=lambda each: each[0].checkpoint.removesuffix("-compact") != "ada-cifar10-edsr", default=None)
            used |= {(found[1], found[2])} if found else set()
            rows.append(_similar(row, *found) if found else row)
    own = [
        _similar(Row(f"{table.networks[place]}, ν = {table.radii[place]:g}, {table.checkpoint}", (), own=True), table, path, place)
        for table, path in results.of(SIMILARITY_KIND) for place in range(len(table.radii)) if (path, place) not in used
    ]  # fmt: skip
    return Filled(columns, (*rows, *own), "SSIM before the guard; accuracies in percent, adversarial ones are what the search found. The paper draws densities.")


def figure_3(results: Results) -> Filled:
    """SSIM of imitated corruptions. Of the bars the paper gives the mean over all of them."""
    columns = ("over all", *(name.replace("_", " ") for name in STANDARD))
    rows, used = [], set()
    for model, overall in OVERALL.items():
        name = f"backbone-{'edsr' if model == 'edsr' else 'cae'}-cifar10"
        row = Row(NAMES[model], (overall, *(None,) * len(STANDARD)), command=f"python -m explorer.train {name} && python -m explorer.runs submit imitated_corruptions --checkpoint runs/{name}/{name}.safetensors")
        found = next(((table, path) for table, path in results.of(RECONSTRUCTION_KIND) if table.checkpoint.removesuffix("-compact") == name), None)
        used |= {found[1]} if found else set()
        rows.append(_imitated(row, *found) if found else row)
    own = [_imitated(Row(table.checkpoint, (None,) * len(columns), own=True), table, path) for table, path in results.of(RECONSTRUCTION_KIND) if path not in used]
    return Filled(columns, (*rows, *own), "SSIM between corrupted images and their imitations; the paper gives the means over all corruptions in its text.")


def _noise(row: Row, table: NoiseTable, path, level: float) -> Row:
    number = table.levels.index(level)
    found, mce = dict(zip(table.corruptions, table.errors[number])), table.mce(number)
    values = (100 * table.clean[number], None if mce is None else 100 * mce, *(None if name not in found else 100 * found[name] for name in ORDER))
    return _with(row, table, path, values, (*of_training(table, table.checkpoint), *_settings(table, draws=DRAWS)))


def _similar(row: Row, table: SimilarityTable, path, place: int) -> Row:
    values = (table.means[place], table.deviations[place], 100 * table.adversarial[place], 100 * table.random[place])
    return _with(row, table, path, values, (*_settings(table, steps=10), f"through {table.networks[place]}, trained here", f"classifier {table.checkpoint}"))


def _imitated(row: Row, table: ReconstructionTable, path) -> Row:
    found = dict(zip(table.corruptions, table.means))
    return _with(row, table, path, (table.overall, *(found.get(name) for name in STANDARD)), (*_settings(table, steps=STEPS, learning_rate=LEARNING_RATE, penalty=PENALTY, severities=[1, 2, 3, 4, 5]), f"through {table.checkpoint}, trained here"))


def _settings(table, **paper) -> tuple[str, ...]:
    wanted = IMAGES if isinstance(table, ReconstructionTable) else table.available
    few = (f"first {table.images} of {wanted} test images",) if table.images < wanted else ()
    return (*few, *(f"{name} {table.settings.get(name)} (paper {value})" for name, value in paper.items() if table.settings.get(name) != value), *((f"measured on {table.dataset}",) if table.dataset != "cifar10" else ()))


def _with(row: Row, table, path, values: tuple, differences: tuple[str, ...]) -> Row:
    return Row(row.label, row.paper, values, differences=tuple(dict.fromkeys(differences)), variant="" if row.own else table.checkpoint, source=f"{path.name}: {table.images:,} test images of {table.dataset[:40]}, {table.device[:60]}, revision {table.revision[:20]}", command=row.command, own=row.own)
