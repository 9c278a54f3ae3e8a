"""What members of an ensemble are made of: networks and closed forms, side by side."""
