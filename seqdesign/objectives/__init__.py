"""What is maximised: predicted outcomes (N,) in the user's units -> scores (N,), larger is better."""
