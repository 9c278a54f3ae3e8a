"""Autoregressive GRU or LSTM over letters and END, with or without a latent code.

``D(x | z)`` starts from START, reads the letter before, and sees z in its initial state and at every step.
The same network without a code (``latent_dim=0``) is the language model p(x) that scores naturalness.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.sequences.encoders import Vocabulary

State = tuple[Tensor, ...]


class RecurrentDecoder(nn.Module):
    """One recurrent layer; logits (N, V+1) over the letters and END.

    ``state`` is a tuple of tensors with the batch first, so that beam search can reorder it.
    """

    bounds: Tensor

    def __init__(
        self,
        vocabulary: Vocabulary,
        latent_dim: int,
        hidden: int,
        embedding: int,
        max_length: int,
        *,
        cell: str = "gru",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.start, self.unknown, self.pad = vocabulary.start, vocabulary.unknown, vocabulary.pad
        self.num_outputs = vocabulary.end + 1
        self.end = vocabulary.end
        self.max_length = max_length
        self.lstm = cell == "lstm"
        self.embed = nn.Embedding(vocabulary.size, embedding)
        # Where in the sequence we are: an aligned library differs in where, not in what went before.
        self.position = nn.Embedding(max_length + 1, embedding)
        self.net: nn.GRU | nn.LSTM = (nn.LSTM if self.lstm else nn.GRU)(embedding, hidden, batch_first=True)
        self.initial = nn.Linear(latent_dim, hidden) if latent_dim else None
        self.context = nn.Linear(latent_dim, embedding, bias=False) if latent_dim else None
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, self.num_outputs)
        # Rows: no END at the first position, free, only END after max_length letters. So the probabilities of
        # all strings of 1 .. max_length letters sum to one.
        bounds = torch.zeros(3, self.num_outputs)
        bounds[0, self.end] = -torch.inf
        bounds[2, : self.end] = -torch.inf
        self.register_buffer("bounds", bounds, persistent=False)

    def initial_state(self, z: Tensor) -> State:
        """Latent codes (N, d), or (N, 0) without a latent -> the state before the first letter."""
        hidden = self.net.hidden_size
        if self.initial is None or self.context is None:
            h, context = z.new_zeros(len(z), hidden), z.new_zeros(len(z), self.embed.embedding_dim)
        else:
            h, context = torch.tanh(self.initial(z)), self.context(z)
        return (h, torch.zeros_like(h), context) if self.lstm else (h, context)

    def step(self, state: State, previous: Tensor, t: int) -> tuple[Tensor, State]:
        """Logits (N, V+1) of position ``t`` given the tokens (N,) at ``t - 1``, and the next state."""
        x = self.embed(previous) + self.position.weight[t] + state[-1]
        # One cell instead of the network over one step: the same numbers at half the overhead for few rows.
        weights: list[Tensor] = list(self.net.all_weights[0])
        if self.lstm:
            after: State = torch.lstm_cell(x, list(state[:2]), *weights)
        else:
            after = (torch.gru_cell(x, state[0], *weights),)
        read = self.dropout(after[0]) if self.training else after[0]
        logits = self.output(read) + self.bounds[min(t, 1) + (t == self.max_length)]
        return logits, (*after, state[-1])

    def inputs(self, tokens: Tensor) -> Tensor:
        """Teacher-forcing inputs (N, L+1): START, then the letters."""
        start = torch.full_like(tokens[:, :1], self.start)
        return torch.cat([start, tokens], dim=1)

    def targets(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Targets (N, L+1): the letters, END at each sequence's end, PAD after it."""
        target = F.pad(tokens, (0, 1), value=self.pad)
        return target.scatter(1, lengths[:, None], self.end)

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Teacher-forced logits (N, T, V+1) for inputs (N, T)."""
        state = self.initial_state(z)
        x = self.embed(inputs) + self.position.weight[: inputs.shape[1]] + state[-1].unsqueeze(1)
        memory = tuple(s.unsqueeze(0) for s in state[:-1])
        out, _ = self.net(x, memory if self.lstm else memory[0])
        t = torch.arange(inputs.shape[1], device=inputs.device)
        return self.output(self.dropout(out)) + self.bounds[t.clamp(max=1) + (t == self.max_length)]

    def log_prob(self, z: Tensor, tokens: Tensor, lengths: Tensor, inputs: Tensor | None = None) -> Tensor:
        """Score strings: log p(x | z) in nats (N,), END included; PAD and UNKNOWN positions contribute 0."""
        logits = self(z, self.inputs(tokens) if inputs is None else inputs)
        target = self.targets(tokens, lengths)
        known = target < self.num_outputs
        nll = F.cross_entropy(logits.transpose(1, 2), target.where(known, 0), reduction="none")
        # masked_fill, not a product: an impossible letter after the end has an infinite cost.
        return -nll.masked_fill(~known, 0.0).sum(1)
