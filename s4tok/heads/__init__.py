"""Heads: what tells points or clouds apart by a transformer's tokens, trained with labels."""
