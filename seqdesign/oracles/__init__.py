"""Things that score sequences or latent points with a known answer: tables, grammars, closed forms."""
