"""The smallest model that has every component."""

TINY = {"height": 16, "width": 16, "latent_dim": 6, "localization_widths": [8, 4], "transformers": 2}
