"""Networks by name. `build_model(name, {})` is the paper's size."""

from .budget_generator import BudgetedClassifier, BudgetedClassifierConfig, BudgetGenerator, budgeted_classifier
from .build import ModelEntry, build_model, model_config
from .class_cvae import ClassCnnConfig, ClassConditionalVAE, ClassMlpConfig, class_cnn_cvae, class_mlp_cvae
from .classifiers import Classifier, DmLargeConfig, DmMediumConfig, DmSmallConfig, dm_large, dm_medium, dm_small
from .corruption_networks import (
    AffineConfig,
    CaeConfig,
    EdsrConfig,
    UNetConfig,
    VqVaeConfig,
    affine_warp,
    completion_unet,
    compressive_autoencoder,
    edsr,
    vq_vae,
)  # fmt: skip
from .cvae import ConditionalVAE, RtsConfig, rts_cvae
from .gaussian import BoundedLogVar, Gaussian, kl_divergence
from .linf_cvae import LinfConvConfig, LinfFcConfig, linf_conv_cvae, linf_fc_cvae
from .onnx.graph import OnnxConfig, onnx_classifier
from .residual import LeNetConfig, PreActResNetConfig, ResNet32Config, ResNet50Config, WideResNetConfig, lenet5, pre_activation, resnet32, resnet50
from .segmentation import SegmentationConfig, segmentation_unet
from .unet_cvae import UNetCvaeConfig, unet_cvae
from .residual_cvae import ResidualConfig, residual_cvae
from .vae import VAE, VaeConfig, convolutional_vae, elbo

__all__ = [
    "MODELS", "VAE", "BoundedLogVar", "BudgetGenerator", "BudgetedClassifier", "ClassConditionalVAE", "Classifier", "ConditionalVAE", "Gaussian", "ModelEntry",
    "build_model", "elbo", "kl_divergence", "model_config",
]  # fmt: skip

MODELS = {
    "rts_cvae": ModelEntry(RtsConfig, rts_cvae, "Perturbation sets, Appendix D: five spatial transformers"),
    "linf_fc_cvae": ModelEntry(LinfFcConfig, linf_fc_cvae, "Perturbation sets, Appendix D: fully connected, for ℓ∞ noise"),
    "linf_conv_cvae": ModelEntry(LinfConvConfig, linf_conv_cvae, "Perturbation sets, Appendix D: convolutional, for ℓ∞ noise"),
    "unet_cvae": ModelEntry(UNetCvaeConfig, unet_cvae, "Perturbation sets, Appendix F: a U-Net with latents in every skip connection, for lighting"),
    "segmentation_unet": ModelEntry(SegmentationConfig, segmentation_unet, "Perturbation sets, Appendix F: a U-Net that names the material of every pixel"),
    "residual_cvae": ModelEntry(ResidualConfig, residual_cvae, "Perturbation sets, Appendix E: residual blocks at full size, for corruptions of colour images"),
    "vae": ModelEntry(VaeConfig, convolutional_vae, "proVAE, §4: a variational autoencoder of images, whose ELBO can be bounded"),
    "dm_small": ModelEntry(DmSmallConfig, dm_small, "Budgets, Appendix A: a classifier of two convolutions"),
    "dm_medium": ModelEntry(DmMediumConfig, dm_medium, "Gowal et al., 2018: a classifier of four convolutions"),
    "dm_large": ModelEntry(DmLargeConfig, dm_large, "Budgets, Appendix A: a classifier of five convolutions"),
    "class_mlp_cvae": ModelEntry(ClassMlpConfig, class_mlp_cvae, "Manifold directions, Appendix B.1: digits given their class"),
    "class_cnn_cvae": ModelEntry(ClassCnnConfig, class_cnn_cvae, "Manifold directions, Appendix B.2: colour images given their class"),
    "lenet5": ModelEntry(LeNetConfig, lenet5, "Manifold directions, Appendix B.1: the classifier of MNIST"),
    "resnet32": ModelEntry(ResNet32Config, resnet32, "Manifold directions, Appendix B.2: the classifier of CIFAR-10"),
    "resnet50": ModelEntry(ResNet50Config, resnet50, "AdA, §5: the classifier of ImageNet (He et al., 2016a)"),
    "preact_resnet": ModelEntry(PreActResNetConfig, pre_activation, "He et al., 2016b: ResNet-18 and ResNet-50 with pre-activation"),
    "wide_resnet": ModelEntry(WideResNetConfig, pre_activation, "Perturbation sets, §5.1: WRN-28-10 for CIFAR-10"),
    "onnx_graph": ModelEntry(OnnxConfig, onnx_classifier, "a classifier imported from an ONNX file, as the list of its operations"),
    "completion_unet": ModelEntry(UNetConfig, completion_unet, "AdA, Appendix E.6: a U-Net that fills in missing pixels"),
    "edsr": ModelEntry(EdsrConfig, edsr, "AdA, Appendix E.6: super-resolution, averaged back to the image's size"),
    "compressive_autoencoder": ModelEntry(CaeConfig, compressive_autoencoder, "AdA, Appendix E.6: an autoencoder with binary codes"),
    "vq_vae": ModelEntry(VqVaeConfig, vq_vae, "AdA, Appendix E.6: an autoencoder with a codebook"),
    "affine_warp": ModelEntry(AffineConfig, affine_warp, "AdA, Appendix A.1: a single spatial transformer"),
    "budgeted_classifier": ModelEntry(BudgetedClassifierConfig, budgeted_classifier, "Budgets, §3: one of these with a generator of budgets"),
}
