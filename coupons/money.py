"""Yuan for people, fen for the portal: the exact way from the one to the other, for words everywhere. No floats."""

FEN_PER_YUAN = 100


def yuan(fen: int) -> str:
    """Fen as yuan, without idle zeros: 1000 is 10, 1050 is 10.50."""
    whole, rest = divmod(fen, FEN_PER_YUAN)
    return f"{whole}.{rest:02}" if rest else str(whole)
