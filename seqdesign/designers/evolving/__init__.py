"""What `evolution` learns of one start from all its queries."""
