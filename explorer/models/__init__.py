"""Networks by name. `build_model(name, {})` is the paper's size."""

from .build import ModelEntry, build_model, model_config
from .cvae import ConditionalVAE, RtsConfig, rts_cvae
from .gaussian import BoundedLogVar, Gaussian, kl_divergence

__all__ = ["MODELS", "BoundedLogVar", "ConditionalVAE", "Gaussian", "ModelEntry", "build_model", "kl_divergence", "model_config"]

MODELS = {
    "rts_cvae": ModelEntry(RtsConfig, rts_cvae, "Perturbation sets, Appendix D: five spatial transformers"),
}
