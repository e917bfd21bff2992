from bijepa_book.controls.stable import HuntDesk
from bijepa_book.evidence.stable.kinds import KINDS
from bijepa_book.evidence.stable.selection import recorded


def test_every_kind_and_strength_can_be_asked() -> None:
    desk = HuntDesk(recorded())
    for kind in KINDS:
        desk.kind.value = kind
        for strength in KINDS[kind].strengths:
            desk.strength.value = strength
            assert "errors over the better one" in desk.said.value


def test_the_desk_says_what_the_records_say() -> None:
    desk = HuntDesk(recorded())
    desk.kind.value, desk.strength.value = "whitened-falling", 0.2
    assert "Lorenz 0.86" in desk.said.value
    assert "; settled." in desk.said.value
    desk.kind.value, desk.strength.value = "whitened", 0.2
    assert "not settled" in desk.said.value
    desk.strength.value = 1.0
    assert "not trained ten times" in desk.said.value
