"""What an outcome is: a number, one of two values, a label, a number with limits; a task a file."""
