"""Networks and their losses; no optimizer, device or file in here."""
