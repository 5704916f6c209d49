"""Numbers of things in sentences."""


def counted(n: int, noun: str, plural: str = "") -> str:
    """Say how many: 1 cloud, 2 clouds, 3,000 clouds; 1 box, 2 boxes where the plural is named."""
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"
