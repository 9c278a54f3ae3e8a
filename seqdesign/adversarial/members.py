"""The objectives that are there, by name. Imports no torch."""

from __future__ import annotations

from seqdesign.registry import Registry

OBJECTIVES = Registry("objective of GANs", "seqdesign.adversarial.objectives", "seqdesign.gan_objectives")
