import re

from bijepa_book.controls.company import PLACES, CompanyDesk
from bijepa_book.evidence.second.recording import load
from bijepa_book.evidence.stable.choice import AS_IN_THE_PAPER
from bijepa_book.evidence.stable.company import ALIKE
from bijepa_book.evidence.stable.digits import complete
from bijepa_book.evidence.stable.selection import recorded
from bijepa_book.evidence.stable.standing import everybody, over


def test_every_place_and_reading_can_be_asked() -> None:
    desk = CompanyDesk(complete(recorded(), load()))
    for place, (_, _, readings) in PLACES.items():
        desk.place.value = place
        for reading in readings:
            desk.reading.value = reading
            for name, rival in desk.rival.options:
                desk.rival.value = rival
                assert f"{name} " in desk.said.value
            assert "expressive  " in desk.said.value


def test_the_desk_says_what_the_records_say_and_the_best_first() -> None:
    records = recorded()
    desk = CompanyDesk(records)
    desk.place.value, desk.reading.value = "Lorenz", "past"
    rival = next(one for one in everybody(records, "lorenz") if one.called == "VICReg")
    desk.rival.value = rival.label
    found = over(records, "lorenz", AS_IN_THE_PAPER.label, "past", rival=rival.label)
    assert str(found) in desk.said.value
    shown = [float(value) for value in re.findall(r"([\d.]+) \[", desk.said.value)]
    assert len(shown) > len(ALIKE)
    assert shown == sorted(shown)
