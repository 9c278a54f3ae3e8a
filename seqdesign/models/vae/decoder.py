"""Autoregressive decoders D(x | z) over letters and END, given a latent code.

They start from START and read the letter before. ``RecurrentDecoder`` sees z in its initial state and at
every step, ``TransformerDecoder`` at every place in a way of the place's own.
Shapes: N codes, d latent dimensions, V letters, T positions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.devices.arithmetic import in_32_bits, run_recurrent
from seqdesign.language.layers import Block, Grown
from seqdesign.models.vae.config import HEADS, LAYERS, WINDOW, VAEOptions, transformer_width
from seqdesign.models.vae.places import Places
from seqdesign.sequences.encoders import Vocabulary

State = tuple[Tensor, ...]


class LetterDecoder(nn.Module):
    """What all decoders share: tokens, the rules of START and END, teacher-forced scores.

    A ``seqdesign.decoding.protocol.AutoregressiveDecoder``; logits are (N, V+1), of the letters and END. The
    state is a tuple of tensors with the batch first, so that beam search can reorder it.
    """

    bounds: Tensor
    output: nn.Linear

    def __init__(self, vocabulary: Vocabulary, embedding: int, max_length: int) -> None:
        super().__init__()
        self.start, self.unknown, self.pad = vocabulary.start, vocabulary.unknown, vocabulary.pad
        self.num_outputs = vocabulary.end + 1
        self.end = vocabulary.end
        self.max_length = max_length
        self.embed = nn.Embedding(vocabulary.size, embedding)
        # Where in the sequence we are: an aligned library differs in where, not in what went before.
        self.position = nn.Embedding(max_length + 1, embedding)
        # Rows: no END at the first position, free, only END after max_length letters. So the probabilities of
        # all strings of 1 .. max_length letters sum to one.
        bounds = torch.zeros(3, self.num_outputs)
        bounds[0, self.end] = -torch.inf
        bounds[2, : self.end] = -torch.inf
        self.register_buffer("bounds", bounds, persistent=False)

    def initial_state(self, z: Tensor) -> State:
        """Latent codes (N, d) -> the state before the first letter."""
        raise NotImplementedError

    def step(self, state: State, previous: Tensor, t: int) -> tuple[Tensor, State]:
        """Logits (N, V+1) of position ``t`` given the tokens (N,) at ``t - 1``, and the next state."""
        raise NotImplementedError

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Teacher-forced logits (N, T, V+1) for inputs (N, T)."""
        raise NotImplementedError

    def bounds_at(self, t: int) -> Tensor:
        """(V+1,): what is added to the logits of position ``t``."""
        return self.bounds[min(t, 1) + (t == self.max_length)]

    def bounds_up_to(self, steps: int) -> Tensor:
        """(steps, V+1): the same for the first positions."""
        t = torch.arange(steps, device=self.bounds.device)
        return self.bounds[t.clamp(max=1) + (t == self.max_length)]

    def inputs(self, tokens: Tensor) -> Tensor:
        """Teacher-forcing inputs (N, L+1): START, then the letters."""
        start = torch.full_like(tokens[:, :1], self.start)
        return torch.cat([start, tokens], dim=1)

    def targets(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Targets (N, L+1): the letters, END at each sequence's end, PAD after it."""
        target = F.pad(tokens, (0, 1), value=self.pad)
        return target.scatter(1, lengths[:, None], self.end)

    def log_prob(self, z: Tensor, tokens: Tensor, lengths: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Score strings: log p(x | z) in nats (N,), END included; PAD and UNKNOWN positions contribute 0."""
        logits = self(z, self.inputs(tokens) if inputs is None else inputs)
        target = self.targets(tokens, lengths)
        known = target < self.num_outputs
        # As one long batch: with letters as a second axis CUDA's gradient adds up in any order.
        nll = F.cross_entropy(logits.flatten(0, 1), target.where(known, 0).flatten(), reduction="none")
        nll = nll.view_as(target)
        # masked_fill, not a product: an impossible letter after the end has an infinite cost.
        return -nll.masked_fill(~known, 0.0).sum(1)


class RecurrentDecoder(LetterDecoder):
    """One recurrent layer, GRU or LSTM."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        latent_dim: int,
        hidden: int,
        embedding: int,
        max_length: int,
        *,
        cell: str = "gru",
    ) -> None:
        super().__init__(vocabulary, embedding, max_length)
        self.lstm = cell == "lstm"
        self.net: nn.GRU | nn.LSTM = (nn.LSTM if self.lstm else nn.GRU)(embedding, hidden, batch_first=True)
        self.initial = nn.Linear(latent_dim, hidden)
        self.context = nn.Linear(latent_dim, embedding, bias=False)
        self.output = nn.Linear(hidden, self.num_outputs)

    def _memory(self, z: Tensor) -> tuple[Tensor, ...]:
        """What the network remembers before the first letter, each (N, H)."""
        h = torch.tanh(self.initial(z))
        return (h, torch.zeros_like(h)) if self.lstm else (h,)

    def initial_state(self, z: Tensor) -> State:
        """Latent codes (N, d) -> the state before the first letter."""
        memory, context = self._memory(z), self.context(z)
        if self._by_gates(z):
            w_in, _, b_in, _ = self.net.all_weights[0]
            return (*memory, F.linear(context, w_in, b_in))
        return (*memory, context)

    def step(self, state: State, previous: Tensor, t: int) -> tuple[Tensor, State]:
        """Logits (N, V+1) of position ``t`` given the tokens (N,) at ``t - 1``, and the next state."""
        if self._by_gates(state[0]):
            after = self._step_by_gates(state, previous, t)
        else:
            x = self.embed(previous) + self.position.weight[t] + state[-1]
            # One cell, not the network over one step: the same numbers at half the overhead for few rows.
            weights: list[Tensor] = list(self.net.all_weights[0])
            if self.lstm:
                memory: State = in_32_bits(lambda x, *m: torch.lstm_cell(x, m, *weights), x, *state[:2])
            else:
                memory = (in_32_bits(lambda x, h: torch.gru_cell(x, h, *weights), x, state[0]),)
            after = (*memory, state[-1])
        return self.output(after[0]) + self.bounds_at(t), after

    def _by_gates(self, x: Tensor) -> bool:
        """Whether steps use ``_step_by_gates``. GPUs have a kernel for a whole cell."""
        return x.device.type == "cpu" and not self.lstm

    def _step_by_gates(self, state: State, previous: Tensor, t: int) -> State:
        """A GRU's step, from h (N, H) and what the code adds to the gates (N, 3H).

        What a letter adds is looked up. Numbers differ from the network's in their last bits.
        """
        h, of_code = state
        w_in, w_hidden, _, b_hidden = self.net.all_weights[0]
        n = h.shape[1]
        of_input = F.embedding(previous, F.linear(self.embed.weight + self.position.weight[t], w_in))
        of_input += of_code
        of_memory = F.linear(h, w_hidden, b_hidden)
        reset, update = torch.sigmoid(of_input[:, : 2 * n] + of_memory[:, : 2 * n]).split(n, 1)
        x = torch.addcmul(of_input[:, 2 * n :], reset, of_memory[:, 2 * n :])
        # tanh(x), which takes a CPU five times as long: h = n + update (h - n), n = 2 sigmoid(2x) - 1.
        new = torch.sigmoid(x + x)
        return torch.lerp(torch.add(new, new).sub_(1.0), h, update), of_code

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Teacher-forced logits (N, T, V+1) for inputs (N, T)."""
        steps = inputs.shape[1]
        x = self.embed(inputs) + self.position.weight[:steps] + self.context(z).unsqueeze(1)
        memory = tuple(s.unsqueeze(0) for s in self._memory(z))
        out, _ = run_recurrent(self.net, x, memory if self.lstm else memory[0])
        return self.output(out) + self.bounds_up_to(steps)


class TransformerDecoder(LetterDecoder):
    """Blocks of convolution, causal attention and dense layers over letters, each with the code as its place
    sees it.

    In training all positions are computed at once; a step needs the keys and values of those before.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        latent_dim: int,
        width: int,
        max_length: int,
        *,
        layers: int,
        heads: int,
        window: int,
    ) -> None:
        super().__init__(vocabulary, width, max_length)
        self.context = Places(latent_dim, width, max_length + 1)
        self.blocks = nn.ModuleList(
            Block(width, heads, window, layers, 0.0, max_length + 1, causal=True, mixing=False)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, self.num_outputs)

    def initial_state(self, z: Tensor) -> State:
        """Latent codes (N, d) -> the code itself, and three empty memories of each block."""
        state = [z]
        for block in self.blocks:
            assert isinstance(block, Block)
            none = z.new_zeros(len(z), block.heads, 0, block.width // block.heads)
            state += [none, none, z.new_zeros(len(z), block.window - 1, block.width)]
        return tuple(state)

    def step(self, state: State, previous: Tensor, t: int) -> tuple[Tensor, State]:
        """Logits (N, V+1) of position ``t`` given the tokens (N,) at ``t - 1``, and the next state."""
        x = self.embed(previous) + self.position.weight[t] + self.context.at(state[0], t)
        after = [state[0]]
        for i, block in enumerate(self.blocks):
            cache = Grown((state[3 * i + 1], state[3 * i + 2], state[3 * i + 3]))
            x = block.step(x, cache, t)  # type: ignore[operator]
            after += cache.state
        return self.output(self.norm(x)) + self.bounds_at(t), tuple(after)

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Teacher-forced logits (N, T, V+1) for inputs (N, T)."""
        steps = inputs.shape[1]
        x = self.embed(inputs) + self.position.weight[:steps] + self.context(z, steps)
        for block in self.blocks:
            x = block(x, None)
        return self.output(self.norm(x)) + self.bounds_up_to(steps)


def make_decoder(options: VAEOptions, vocabulary: Vocabulary, max_length: int) -> Decoder:
    """The decoder that the (adapted) options name."""
    d = options.latent_dim
    assert isinstance(d, int), "adapt() the options first"
    if options.decoder == "transformer":
        width = transformer_width(options)
        return TransformerDecoder(vocabulary, d, width, max_length, layers=LAYERS, heads=HEADS, window=WINDOW)
    return RecurrentDecoder(
        vocabulary, d, options.hidden, options.embedding, max_length, cell=options.decoder
    )


Decoder = RecurrentDecoder | TransformerDecoder
