"""What sampling from a GAN costs beyond the generator's own forward pass; one thread, CPU seconds.

    python benchmarks/gan_sampling.py [--num 100000] [--lengths 50 200] [--turns 3]

An untrained model of the default size stands for a trained one: its arithmetic is the same. For each length:

forward     the generator's bare forward pass of as many codes, at the best of several batch sizes
sample-gan  the command end to end: load, draw, write FASTA to a file
ratio       goal: at most 1.5
parts       microseconds a sequence of noise, forward pass (in the blocks that the command uses), letters, and
            text; no part may take longer than the forward pass

Everything is measured in turns and the best turn counts, since other programs may run beside. Then one step of
critic and generator is compared with the sum of its matrix products and convolutions measured alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from seqdesign.commands.sample_gan import SampleGANConfig, sample_gan
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.vae.model import Batch
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import decode
from seqdesign.training.gan_sampling import BLOCK, _inverse_cdf, _noise
from seqdesign.training.gan_store import GANRecord, save_gan

DNA = get_alphabet("dna")
BATCHES = (32, 64, 128, 256, 512)
PRODUCTS = ("aten::mkldnn_convolution", "aten::convolution_backward", "aten::addmm", "aten::mm", "aten::bmm")
