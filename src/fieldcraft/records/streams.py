"""Named random streams: one seed for each (seed, purpose, name, step), so that one draw never moves another."""

from hashlib import blake2b


def stream_seed(seed: int, purpose: str, name: str = "", step: int = 0) -> int:
    """A 63-bit seed that depends on all four and on nothing else.

    `purpose` says what is drawn ("init", "order", "augment", "dropout", "split", ...), `name` for whom (a rung, a
    tip), `step` when. Two runs that differ in one purpose share all the others.
    """
    digest = blake2b(f"{seed}\x1f{purpose}\x1f{name}\x1f{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
