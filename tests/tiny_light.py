"""A U-Net of few channels for pictures of 16 × 24, as a CVAE and as a segmenter."""

TINY_UNET = {"height": 16, "width": 24, "level_widths": [4, 6, 8], "skip_channels": 2, "pooled": [[4, 6], [4, 6], [2, 3]], "latent_dims": [3, 2, 1]}
TINY_SEGMENTER = {"height": 16, "width": 24, "widths": [4, 6, 8], "classes": 5}
