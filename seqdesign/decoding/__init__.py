"""From codes to strings: greedy, beam search, sampling and adaptive decoding, in batches, for any decoder."""
