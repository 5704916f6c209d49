"""What is trained for: one step of a method in each file."""
