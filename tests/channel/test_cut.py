"""Where messages are cut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from otel_stream.channel.cut import Cutter, Piece

Cut = Callable[..., list[Piece]]
FAMILY = "👨‍👩‍👧‍👦"


def texts(pieces: list[Piece]) -> list[str]:
    """What is sent."""
    return [piece.text for piece in pieces]


def test_a_paragraph_is_ready_when_it_ends() -> None:
    """A message is given out with the second line break, not with the next paragraph."""
    cutter = Cutter()
    found = [texts(cutter.feed(delta)) for delta in ("Hello", " you.\n", "\n", "And", "\n \n")]

    assert found == [[], [], ["Hello you."], [], ["And"]]
    assert cutter.finish() == []


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Silva and Sra. Souza came.",
        "It is 3.14, e.g. here, i.e. now.",
        "S.A. and J. Smith agree, cf. No. 5.",
        "1. Open the door. 2. Close it.",
        "See [the page. There](https://example.com) first.",
        "See [the [new] page. There](https://example.com) first.",
        "Use `a. B` there.",
        "Wait... what? no! yes.",
        "Av. Paulista, p.ex. Tel. 5.",
    ],
)
def test_what_is_no_end_of_a_sentence(cut: Cut, text: str) -> None:
    """Abbreviations, initials, numbers, lists, links and inline code are not cut as sentences."""
    ends = {"1. Open the door. 2. Close it.": ["1. Open the door.", "2. Close it."]}

    assert texts(cut(text, 3, sentences=True)) == ends.get(text, [text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes. No! Why? So…  Then.", ["Yes.", "No!", "Why?", "So…", "Then."]),
        ('"Stop." He did. (She too.) End', ['"Stop."', "He did.", "(She too.)", "End"]),
        ("**Bold.** Next", ["**Bold.**", "Next"]),
        ("See https://a.b/c. Next", ["See https://a.b/c.", "Next"]),
        ("(https://a.b/c_(d)). Next", ["(https://a.b/c_(d)).", "Next"]),
        ("こんにちは。元気？はい。", ["こんにちは。", "元気？", "はい。"]),  # noqa: RUF001
        ("In 2024. Then", ["In 2024.", "Then"]),
        ("Done.\nNext", ["Done.", "Next"]),
    ],
)
def test_ends_of_sentences(cut: Cut, text: str, expected: list[str]) -> None:
    """Each sentence is a message, where that is asked for."""
    assert texts(cut(text, 1, sentences=True)) == expected


def test_target(cut: Cut) -> None:
    """From its size on a paragraph is cut at the next end of a sentence."""
    assert texts(cut("One two. Three. Four five. Six.", 2, target=12)) == [
        "One two. Three.",
        "Four five. Six.",
    ]


def test_too_long_is_cut_at_the_best_place(cut: Cut) -> None:
    """The end of a line is better than that of a sentence, that better than a space."""
    assert texts(cut("aaaa bb. Cc\ndd ee ff", limit=14)) == ["aaaa bb. Cc", "dd ee ff"]
    assert texts(cut("aaaa bbbb. Cc dd ee", limit=14)) == ["aaaa bbbb.", "Cc dd ee"]
    assert texts(cut("aaaa bbbb cc dd ee ff", limit=14)) == ["aaaa bbbb cc", "dd ee ff"]
    assert texts(cut("a" * 40, limit=16)) == ["a" * 16, "a" * 16, "a" * 8]


def test_a_list_is_cut_between_its_items(cut: Cut) -> None:
    """Lines of a list stay whole."""
    items = [f"{n}. item number {n}" for n in range(1, 20)]
    found = texts(cut("\n".join(items), 4, limit=60))

    assert [line for text in found for line in text.split("\n")] == items


def test_limit_counts_utf_16(cut: Cut) -> None:
    """An emoji beyond the basic plane counts two, as WhatsApp may count it."""
    assert texts(cut("😀" * 5000)) == ["😀" * 2048, "😀" * 2048, "😀" * 904]


@pytest.mark.parametrize("cluster", [FAMILY, "🇧🇷", "👍🏽", "e\u0301\u0323", "क्षि", "ന്ത്ര", "각"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_clusters_stay_whole(cut: Cut, cluster: str, size: int) -> None:
    """What a reader sees as one character is never divided."""
    found = texts(cut("x" + cluster * 40 + "y", size, limit=30))

    assert "".join(found) == "x" + cluster * 40 + "y"
    assert [text for text in found if len(text.strip("xy")) % len(cluster)] == []


def test_half_an_emoji() -> None:
    """A surrogate pair that two deltas share is one character; a half alone is replaced."""
    cutter = Cutter()
    found = [*cutter.feed("a\ud83d"), *cutter.feed("\ude00b\ude00c\ud83d"), *cutter.finish()]

    assert texts(found) == ["a😀b\ufffdc\ufffd"]
    assert cutter.fed == 6


def test_a_link_is_not_cut(cut: Cut) -> None:
    """A link goes into the next message whole, with its bracket."""
    text = f"please look there (https://example.com/{'a' * 20}) now"

    assert texts(cut(text, 1, limit=50)) == [
        "please look there",
        f"(https://example.com/{'a' * 20}) now",
    ]


def test_brackets_in_the_words_of_a_link(cut: Cut) -> None:
    """They are no reason to cut the words."""
    link = "[the [new] page](https://example.com)"

    assert texts(cut(f"please look at {link} now", 1, limit=44)) == [
        "please look at",
        f"{link} now",
    ]


def test_a_link_that_is_too_long_is_cut(cut: Cut) -> None:
    """The limit holds for links too."""
    link = "https://example.com/" + "a" * 100

    assert "".join(texts(cut(f"see {link}", limit=40))) == f"see{link}"


CODE = "```py\n" + "x = 1\n" * 9 + "```"


def test_code_stays_together(cut: Cut) -> None:
    """A fence that fits is one message with what is around it, blank lines in it too."""
    text = "So:\n```py\na\n\n\nb. C\n```\nDone."

    assert texts(cut(text, 1, sentences=True)) == [text]


def test_text_before_code_is_cut_from_it(cut: Cut) -> None:
    """If both do not fit, the code goes into a message of its own."""
    assert texts(cut(f"So it is:\n{CODE}\n", 2, limit=70)) == ["So it is:", CODE]


def test_long_code_is_fenced_again(cut: Cut) -> None:
    """Code that does not fit is cut at the ends of lines, and each piece is code."""
    found = cut(CODE, 2, limit=40)

    assert texts(found) == [
        "```py\n" + "x = 1\n" * 5 + "```",
        "```py\n" + "x = 1\n" * 4 + "```",
    ]
    assert "".join(piece.source for piece in found) == CODE


def test_indentation_of_cut_code_stays(cut: Cut) -> None:
    """White space in code means something: none of it is lost."""
    code = "```\n" + "    deep = 1\n\n" * 6 + "```"

    assert "".join(piece.source for piece in cut(code, 3, limit=50)) == code


def test_code_within_a_line(cut: Cut) -> None:
    """WhatsApp's fences within a line are fences too."""
    text = "Run ```a\n\nb``` now"

    assert texts(cut(text, 1)) == [text]


def test_longer_fences(cut: Cut) -> None:
    """A fence of four backticks is not ended by one of three."""
    text = "````md\n```\n\n```\n````"

    assert texts(cut(text, 1)) == [text]


def test_tildes_fence_code_too(cut: Cut) -> None:
    """Code between them is not cut at its blank lines, and fenced again with what it had."""
    code = "So:\n~~~py\na\n\n```\n\nb. C\n~~~"

    assert texts(cut(f"{code}\n\nDone.", 1)) == [code, "Done."]
    assert texts(cut(CODE.replace("`", "~"), 2, limit=40)) == [
        "~~~py\n" + "x = 1\n" * 5 + "~~~",
        "~~~py\n" + "x = 1\n" * 4 + "~~~",
    ]


def test_tildes_that_are_no_fence(cut: Cut) -> None:
    """Within a line, or on both sides of words, they are an ornament."""
    assert texts(cut("Thanks ~~~\n\n~~~ Hello ~~~\n\nWorld", 1)) == [
        "Thanks ~~~",
        "~~~ Hello ~~~",
        "World",
    ]


def test_nothing_but_white_space(cut: Cut) -> None:
    """White space alone is no message."""
    assert cut(" \n\n \t\n" * 50, 1) == []


def test_memory_is_bounded() -> None:
    """However long a paragraph is, no more than a message and a little is kept."""
    cutter = Cutter(100)
    kept = 0
    for _ in range(3000):
        cutter.feed("abc ")
        kept = max(kept, cutter.waiting)

    assert kept <= 100 + 20


def test_limits_that_cannot_be_meant() -> None:
    """A limit in which not every character fits is refused."""
    with pytest.raises(ValueError, match="at least 2"):
        Cutter(1)


def test_without_its_library() -> None:
    """Without `regex` the error says what to install."""
    code = (
        "import sys; sys.modules['regex'] = None\n"
        "from otel_stream.channel import Cutter\n"
        "try: Cutter()\n"
        "except ImportError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "pip install 'otel-stream[channel]'" in run.stdout
