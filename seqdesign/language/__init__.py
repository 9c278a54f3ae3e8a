"""Language models of sequences: networks, likelihoods and their gradient; families train and store them."""
