from bijepa_book import records
from bijepa_book.evidence.stable import live


def test_a_short_record_has_the_form_of_the_stored_one_and_finite_numbers() -> None:
    short, stored = live.record((0, 1), steps=5), records.load("relatives")
    assert short["seeds"] == stored["seeds"][:2]
    assert records.disagreements(short["missed"], stored["missed"], 1e9) == []


def test_a_mean_over_seeds_is_told_by_what_is_asked() -> None:
    measures = {name: [1.0, 3.0] for name in live.ASKED}
    assert set(live.missed(measures).values()) == {2.0}
