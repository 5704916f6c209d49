"""What stages write for people and other programs: labels, points, pages, pictures."""
