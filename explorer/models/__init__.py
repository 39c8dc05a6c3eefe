"""Networks by name. `build_model(name, {})` is the paper's size."""

from .build import ModelEntry, build_model, model_config
from .cvae import ConditionalVAE, RtsConfig, rts_cvae
from .gaussian import BoundedLogVar, Gaussian, kl_divergence
from .linf_cvae import LinfConvConfig, LinfFcConfig, linf_conv_cvae, linf_fc_cvae

__all__ = ["MODELS", "BoundedLogVar", "ConditionalVAE", "Gaussian", "ModelEntry", "build_model", "kl_divergence", "model_config"]

MODELS = {
    "rts_cvae": ModelEntry(RtsConfig, rts_cvae, "Perturbation sets, Appendix D: five spatial transformers"),
    "linf_fc_cvae": ModelEntry(LinfFcConfig, linf_fc_cvae, "Perturbation sets, Appendix D: fully connected, for ℓ∞ noise"),
    "linf_conv_cvae": ModelEntry(LinfConvConfig, linf_conv_cvae, "Perturbation sets, Appendix D: convolutional, for ℓ∞ noise"),
}
