"""What changes training clouds at random: objects put among others."""
