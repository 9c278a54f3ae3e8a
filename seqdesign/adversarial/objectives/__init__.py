"""What generator and critic minimise; one published objective per file."""
