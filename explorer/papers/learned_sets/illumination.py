"""Learned sets of lighting: the paper's at three resolutions, each going on from the one before, and a compact one of rendered scenes
(Perturbation sets, §5.2 and Appendix F.1)."""

from dataclasses import replace

from explorer.models.residual_cvae import LOG_VAR_BOUNDS

from .config import LearnedSetConfig

MIP5 = LearnedSetConfig(  # 125 × 187
    dataset="multi_illumination-mip5",
    pairs="lights",
    model="unet_cvae",
    log_var_bounds=LOG_VAR_BOUNDS,  # "a scaled Tanh activation"
    likelihood="gaussian",
    epochs=1000,
    batch_size=64,
    learning_rate=((0.0, 1e-4), (400.0, 1e-3), (1000.0, 0.0)),
    beta=((0.0, 0.0), (400.0, 1.0), (1000.0, 1.0)),
    weight_decay=5e-7,
    crop_and_flip=True,
    crop_padding=10,
)
MIP4 = replace(  # 250 × 375: "the same learning rate schedule scaled down by a factor of 4"; batch sizes are those of the published configurations
    MIP5, dataset="multi_illumination-mip4", begin_with="mi-mip5", epochs=100, batch_size=32, crop_padding=20,
    learning_rate=((0.0, 2.5e-5), (40.0, 2.5e-4), (100.0, 0.0)), beta=((0.0, 1.0), (100.0, 1.0)),
)  # fmt: skip
MIP3 = replace(  # 500 × 750: "scaled down by 40", "we also increase the β weight"; the published configuration scales by 50
    MIP5, dataset="multi_illumination-mip3", begin_with="mi-mip4", epochs=25, batch_size=16, crop_padding=40,
    learning_rate=((0.0, 2.5e-6), (10.0, 2.5e-5), (25.0, 0.0)), beta=((0.0, 10.0), (25.0, 10.0)),
)  # fmt: skip
SCENES = replace(  # narrower, no component dropped
    MIP5, dataset="lit_scenes", level_widths=(8, 16, 24, 32, 32), skip_channels=8, pooled=((16, 16), (16, 16), (16, 16), (8, 8), (4, 4)), latent_dims=(16, 8, 8, 4, 4),
    epochs=8, passes=10, batch_size=16, crop_padding=5, learning_rate=((0.0, 5e-4), (3.0, 3e-3), (8.0, 0.0)), beta=((0.0, 0.0), (3.0, 1.0), (8.0, 1.0)),
)  # fmt: skip

LIGHTING: dict[str, tuple[LearnedSetConfig, str, LearnedSetConfig]] = {
    "mi-mip5": (MIP5, "multi-illumination scenes of 125×187: the paper's settings", MIP5),
    "mi-mip4": (MIP4, "the same at 250×375, going on from mi-mip5", MIP4),
    "mi-mip3": (MIP3, "the same at 500×750, going on from mi-mip4", MIP3),
    "scenes-lighting": (SCENES, "rendered scenes of 64×64 under 25 lights, compact: trains in minutes, no download", MIP5),
}
LATENT_NORMS: dict[str, tuple[float, ...]] = {  # Table 11: β, mean, deviation, quartiles and the largest
    "mi-mip5": (1, 7.42, 2.14, 5.93, 7.35, 8.81, 16.63),
    "mi-mip4": (1, 10.88, 3.18, 8.69, 10.75, 12.95, 24.69),
    "mi-mip3": (10, 9.11, 2.72, 7.14, 9.00, 10.97, 20.65),
    "scenes-lighting": (),
}
