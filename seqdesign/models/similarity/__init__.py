"""A learned similarity of two sequences: exp(-L1 distance) of what one recurrent reader makes of them."""
