"""What scores sequences or latent points: models, programs, tables, and closed forms with known optima."""
