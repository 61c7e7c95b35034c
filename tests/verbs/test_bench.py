"""What trials of one pair share: what one of them made, the others find."""

import pytest

from fieldcraft.verbs.bench import KEPT, Recent


def test_the_last_few_are_kept_and_what_was_asked_for_longest_ago_goes() -> None:
    made: list[int] = []
    recent = Recent[int]()

    def asked(key: int) -> int:
        return recent.of(key, lambda: made.append(key) or key)  # type: ignore[func-returns-value]

    keys = list(range(KEPT))
    assert [asked(key) for key in keys] == keys == made
    asked(0)
    asked(KEPT)
    assert made == [*keys, KEPT]
    asked(0)
    assert made == [*keys, KEPT]
    asked(1)
    assert made == [*keys, KEPT, 1]


def test_what_cannot_be_made_is_not_kept() -> None:
    recent = Recent[int]()
    with pytest.raises(ZeroDivisionError):
        recent.of("key", lambda: 1 // 0)
    assert recent.of("key", lambda: 1) == 1
