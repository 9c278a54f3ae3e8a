"""What depends on the device alone: how much fits at once, random numbers, arithmetic and threads."""
