"""Numbers of things in sentences."""


def counted(n: int, noun: str) -> str:
    """Say how many: 1 cloud, 2 clouds, 3,000 clouds."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
