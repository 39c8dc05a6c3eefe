"""Image-to-image networks whose weights AdA perturbs (AdA, §3 and Appendix E.6). All take and give images in [0, 1], of any size that
their strides allow; outputs can leave [0, 1] a little."""

from .completion import CompletionUNet, UNetConfig, completion_unet
from .compressive import CaeConfig, CompressiveAutoencoder, compressive_autoencoder
from .spatial import AffineConfig, AffineWarp, affine_warp
from .super_resolution import Edsr, EdsrConfig, edsr
from .vector_quantised import VqVae, VqVaeConfig, vq_vae

__all__ = [
    "AffineConfig", "AffineWarp", "CaeConfig", "CompletionUNet", "CompressiveAutoencoder", "Edsr", "EdsrConfig", "UNetConfig", "VqVae", "VqVaeConfig",
    "affine_warp", "completion_unet", "compressive_autoencoder", "edsr", "vq_vae",
]  # fmt: skip
