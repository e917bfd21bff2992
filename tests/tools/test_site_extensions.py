"""The site's own Sphinx extensions, apart from Sphinx where that is possible."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from docutils import nodes
from docutils.utils import new_document

ROOT = Path(__file__).parents[2]


def tool(name: str) -> dict[str, Any]:
    """The names in one of the tools."""
    return runpy.run_path(str(ROOT / "tools" / f"{name}.py"))


def transformed(document: nodes.document, transform: type) -> nodes.document:
    """The document after a transform, which changes it in place."""
    transform(document).apply()
    return document


def quoting(*parts: nodes.Node) -> nodes.document:
    """A document with one block quote of one paragraph."""
    document = new_document("page")
    document += nodes.block_quote("", nodes.paragraph("", "", *parts))
    return document


def bold(text: str) -> nodes.strong:
    """Bold text."""
    return nodes.strong("", text)


def test_a_note_on_paper_and_script_is_marked_and_no_other_quote() -> None:
    notes = tool("script_notes")
    lead = notes["LEAD"]
    for parts, marked in (
        # an empty text in front is what the Markdown parser leaves there
        ([nodes.Text(""), bold(lead), nodes.Text(" They do.")], True),
        ([nodes.Text(f"{lead} Not bold.")], False),
        ([bold("Goals."), nodes.Text(f" See {lead.lower()}")], False),
        ([nodes.Text("First this. "), bold(lead)], False),
    ):
        (quote,) = transformed(quoting(*parts), notes["ScriptNotes"]).children
        assert isinstance(quote, nodes.block_quote)
        assert ("script-note" in quote["classes"]) is marked, quote.astext()


def test_printed_sentences_may_wrap_and_printed_tables_may_not() -> None:
    for printed, wraps in (
        ("yes  a sentence that is longer than a phone\nno   another one", True),
        ("one, two three", True),
        ("            error\n----------  -----\nclassic     0.015", False),
    ):
        document = new_document("page")
        document += nodes.literal_block(printed, printed, classes=["output", "stream"])
        (block,) = transformed(document, tool("printed")["Printed"]).children
        assert isinstance(block, nodes.literal_block)
        assert ("sentences" in block["classes"]) is wraps, printed


def test_in_the_dark_paper_turns_and_a_picture_stays() -> None:
    """White paper, black ink, an orange line, and a dark picture with a white spot."""
    figure = np.ones((100, 100, 3))
    figure[80, 80] = 0
    figure[90, :] = 0.84, 0.37, 0
    figure[10:60, 10:60] = 0
    figure[30:40, 30:40] = 1
    dark = tool("photographs")["in_the_dark"](figure)
    np.testing.assert_array_equal(dark[10:60, 10:60], figure[10:60, 10:60])
    np.testing.assert_allclose(dark[70, 70], 0.07, atol=1e-6)  # #121212, the page's
    np.testing.assert_allclose(dark[80, 80], 0.93, atol=1e-6)
    red, green, blue = dark[90, 50]
    assert red > green > blue  # still orange


@pytest.mark.parametrize(
    ("equation", "wrapped"),
    [
        (r"\begin{aligned} a &= b \\ &= c \end{aligned} \tag{8}", True),
        (r"a = b \tag{8}", False),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", False),
    ],
)
def test_only_equations_of_several_lines_with_a_number_are_wrapped(
    equation: str, wrapped: bool
) -> None:
    document = new_document("page")
    document += nodes.math_block(equation, equation, nowrap=False)
    (block,) = transformed(document, tool("tagged_math")["TaggedMath"]).children
    assert isinstance(block, nodes.math_block)
    assert block["nowrap"] is wrapped
    assert block.astext().startswith(r"\begin{equation*}") is wrapped
    assert equation in block.astext()


def test_a_description_ends_with_a_sentence_or_a_word() -> None:
    shorten = tool("descriptions")["shorten"]
    assert shorten("Short  and\nwhole.") == "Short and whole."
    sentence = "A sentence of some forty letters, or so. "
    assert shorten(sentence * 9, 100) == (sentence * 2).strip()
    cut = shorten("word, " * 60, 50)
    assert len(cut) <= 50
    assert cut.endswith("word ...")


def test_a_page_is_described_by_its_first_paragraph_and_not_by_a_quote() -> None:
    document = new_document("page")
    quote = nodes.block_quote("", nodes.paragraph("", "Goals."))
    document += nodes.section("", nodes.title("", "T"), quote, nodes.paragraph("", "The lead."))
    assert tool("descriptions")["first_paragraph"](document) == "The lead."


def test_the_published_address_reaches_what_needs_it() -> None:
    config = SimpleNamespace(html_baseurl="https://somebody.github.io/some-book/")
    tool("published_address")["pass_on"](None, config)
    assert config.ogp_site_url == config.html_baseurl
    assert config.notfound_urls_prefix == "/some-book/"


def test_the_card_has_the_size_it_says_and_names_the_address(tmp_path: Path) -> None:
    card = tool("social_card")
    figure = card["draw"]("https://somebody.github.io/some-book/")
    figure.savefig(tmp_path / "card.png")
    height, width = plt.imread(tmp_path / "card.png").shape[:2]
    assert (width, height) == card["SIZE"]
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "somebody.github.io/some-book" in texts
    for text in figure.axes[0].texts:
        assert text.get_window_extent().x0 >= 20, text
        assert text.get_window_extent().x1 <= width - 20, text


def test_times_are_told_in_the_unit_a_reader_wants() -> None:
    told = {0.2: "1 s", 7.4: "7 s", 89: "89 s", 95: "2 min", 600: "10 min"}
    assert {seconds: tool("running_times")["spoken"](seconds) for seconds in told} == told


def test_the_table_of_times_has_a_row_a_chapter_and_their_sum() -> None:
    times = {"02-b": {"smoke": 5, "paper": 120}, "01-a": {"smoke": 6, "paper": 60}}
    table = tool("running_times")["table"](times)
    rows = [
        [cell.astext() for cell in row.findall(nodes.entry)] for row in table.findall(nodes.row)
    ]
    assert rows == [
        ["Chapter", "smoke", "paper"],
        ["01-a", "6 s", "60 s"],
        ["02-b", "5 s", "2 min"],
        ["All", "11 s", "3 min"],
    ]


def test_a_name_of_this_package_must_exist() -> None:
    exists = tool("api_reference")["exists"]
    assert exists("bijepa_core.model.BiJEPA.forecast")
    assert exists("bijepa_core.experiments.EXPERIMENTS")
    assert not exists("bijepa_core.model.BiJEPB")
    assert not exists("bijepa_core.modell")


def test_unknown_names_stay_errors() -> None:
    shown = {
        "torch.Tensor": True,
        "EXPERIMENTS": True,
        "bijepa_core.seeds.M": True,
        "NOTHING": False,
        "NDArray": True,
        "bijepa_core.experiments.NOTHING": False,
    }
    place = {"refdomain": "py", "py:module": "bijepa_core.experiments"}
    show_as_code = tool("api_reference")["show_as_code"]
    answers = {name: show_as_code(None, None, place | {"reftarget": name}, "it") for name in shown}
    assert {name: answer == "it" for name, answer in answers.items()} == shown


def test_a_package_is_documented_module_by_module(tmp_path: Path) -> None:
    """In alphabetical order, private ones left out."""
    package = tmp_path / "shelf"
    package.mkdir()
    for name in ("__init__", "b_second", "a_first", "_private"):
        (package / f"{name}.py").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        modules = tool("api_reference")["public_modules"]("shelf")
    assert modules == ["shelf.a_first", "shelf.b_second"]


def test_the_hardware_is_told_from_what_the_system_says(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor : 0\nmodel name\t: A Fast One\nmodel name\t: A Fast One\n")
    assert "(A Fast One)" in tool("timings")["hardware"](told)
    assert "CPU cores" in tool("timings")["hardware"](tmp_path / "missing")


def test_a_demo_follows_the_quote_that_announces_it() -> None:
    demos = tool("demos")
    assert demos["DEMOS"]
    for lead, demo in demos["DEMOS"].items():
        document = quoting(nodes.Text(""), bold(lead), nodes.Text(" Press Train."))
        document.settings.env = SimpleNamespace(docname="page", metadata={"page": {}})
        quote, place = transformed(document, demos["Places"]).children
        assert isinstance(quote, nodes.block_quote), lead
        text = place.astext()
        for part in (f'id="{demo.anchor}"', f'data-demo="{demo.name}"', 'class="demo-still"'):
            assert part in text, lead
        assert (demos["STILLS"] / f"still-{demo.name}.png").is_file(), lead
        assert document.settings.env.metadata["page"]["demo"] == demo.name, lead


def test_other_quotes_announce_no_demo() -> None:
    document = transformed(quoting(bold("Goals."), nodes.Text(" Some.")), tool("demos")["Places"])
    assert len(document.children) == 1


def test_a_page_without_a_demo_loads_none() -> None:
    add_loader = tool("demos")["add_loader"]
    app = SimpleNamespace(env=SimpleNamespace(metadata={"with": {"demo": "lorenz"}, "without": {}}))
    pages: dict[str, dict[str, Any]] = {}
    for page in ("with", "without"):
        pages[page] = {"pathto": lambda *_: "", "metatags": ""}
        add_loader(app, page, "", pages[page], new_document("page"))
    assert "interactive/loader.js" in pages["with"]["metatags"]
    assert "interactive/demos.css" in pages["with"]["metatags"]
    assert pages["without"]["metatags"] == ""


def test_the_lock_file_of_the_demos_names_no_host() -> None:
    assert "://" not in (ROOT / "book/interactive/package-lock.json").read_text("utf-8")


def test_a_fold_says_whether_it_is_a_solution() -> None:
    solution, check = (
        nodes.container(classes=["cell", tag], prompt_show="Show", prompt_hide="Hide")
        for tag in ("tag_hide-cell", "tag_hide-input")
    )
    plain = nodes.container(classes=["cell"])
    document = new_document("page")
    document += [solution, check, plain]
    tool("fold_labels")["label"](None, document)
    assert solution["prompt_show"] == "Solution (show)"
    assert check["prompt_hide"] == "Code behind this (hide)"
    assert "prompt_show" not in plain.attributes
