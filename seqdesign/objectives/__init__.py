"""What is maximised: predictions (M, N, K) -> scores (N,), larger is better.

A file is a goal, which ``--objective`` names; ``_`` files weigh goals, ensemble members and risk.
"""
