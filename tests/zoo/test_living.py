"""The picture on Home: what is kept is what the network computes."""

from __future__ import annotations

import pytest

from cnnlab.zoo import living


@pytest.mark.slow
def test_the_picture_on_home_is_what_the_network_computes() -> None:
    kept, computed = living.moments(), living.computed()
    assert [moment.title for moment in kept] == [moment.title for moment in computed]
    for one, other in zip(kept, computed, strict=True):
        assert set(one.at_work.faces) == set(other.at_work.faces)
        for told, asked in zip(one.at_work.answers, other.at_work.answers, strict=True):
            assert [name for name, _ in told.classes] == [name for name, _ in asked.classes]
            assert [share for _, share in told.classes] == pytest.approx(
                [share for _, share in asked.classes], abs=1e-3
            )


def test_it_is_drawn_from_what_is_kept_without_tensorflow() -> None:
    drawn = living.drawings()
    assert len(drawn["moments"]) == len(living.PICTURES)
    text = str(drawn["moments"][0]["drawing"])
    assert text.count("data:image/png") == len(living.moments()[0].at_work.faces)
    assert "cat" in text
