"""A claim's card shows every answer, with a dot a seed where its margin is."""

import re

from bijepa_book.evidence.claims import on_sine
from bijepa_book.evidence.second.claims import Claim
from bijepa_book.evidence.second.verdicts import judge
from bijepa_book.figures.claims import WIDTH, ClaimCards, reach_of, strip

RECORDS = {
    "sine-a-paper": {"seeds": [64, 65, 66], "measures": {"e": [0.5, 0.4, 2.0]}},
    "sine-b-paper": {"seeds": [64, 65, 66], "measures": {"e": [1.0, 1.0, 1.0]}},
}
ASK = on_sine("e", "a", "lower", "b", 4.0)
MISSING = on_sine("e", "a", "lower", "c")
CLAIM = Claim(
    "it", "here", "words & more", "4.2", "It is so.", (ASK,), {"also so": (MISSING,)}, "", "All."
)


def test_dots_lie_right_of_the_middle_where_a_seed_is_as_claimed() -> None:
    (verdict,) = judge(RECORDS, [CLAIM])
    (answer,) = verdict.answers
    places = [float(x) for x in re.findall(r'cx="([\d.]+)"', strip(answer, 1.0))]
    assert [x > WIDTH / 2 for x in places] == [True, True, False]
    assert 0.9 < reach_of([answer], difference=False) < 0.92  # log 2.5, the farthest seed
    assert reach_of([], difference=True) == 1.0


def test_a_card_has_everything_about_its_claim() -> None:
    verdicts = judge(RECORDS, [CLAIM])
    cards = ClaimCards(verdicts, {"it": verdicts[0]}, {"it": "not decidable"})
    page = cards._repr_html_()
    assert '<section class="claim" id="it"><h3>it</h3>' in page
    for said in ("words &amp; more", "section 4.2", "also so", "no record of", "not decidable"):
        assert said in page, said
    assert page.count("<svg") == 1
    assert "first edition: not decidable" in repr(cards)
