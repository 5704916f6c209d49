"""What stages read: results of the stages before, found, made or asked for, and clouds ahead of their turn."""
