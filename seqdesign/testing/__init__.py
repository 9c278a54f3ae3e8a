"""For tests, of ours and of plug-ins: models and landscapes whose every answer is known."""
