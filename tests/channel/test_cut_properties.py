"""What holds for any text, any deltas and any limit."""

from __future__ import annotations

import regex
from hypothesis import example, given
from hypothesis import strategies as st

from otel_stream.channel.cut import Cutter, Piece
from otel_stream.channel.grapheme import units, whole

CLUSTERS = [
    "👨‍👩‍👧‍👦", "🏳️‍🌈",
    "🇧🇷", "🇵🇹", "👍🏽", "e\u0301", "क्षि", "ന്ത്ര", "각", "\r\n", "\u0600१", "नि", "❤️",
    "\U0001f468\u200d", "a\u0308\u0323", "\u1100\u1161", "கோ", "\ud83d", "\ude00",
]  # fmt: skip
WORDS = [
    "a", "Word", "Dr.", "end.", "3.14", "S.A.", "e.g.", "1.", "Why?", "ok!", "…", "。",
    "「はい。」", "-", "https://example.com/a(b)?c=d.e", "(http://x.y/z).",
    "[the words](https://e.org/1)", "[the [new] words. Yes](https://e.org/2)", "[1]", "[", "]",
    "`x`", "`", "**bold.**", "\"Yes.\"",
]  # fmt: skip
SPACES = [" ", "  ", "\n", "\n\n", "\n \n", "\t", "\u00a0", "\u3000", "", "", "\r\n\r\n"]
CODE = [
    "```", "```py\nx = 1\n```", "```\n\na\n\nb\n```", "\n```\n", "````md\n```\n````",
    "~~~", "\n~~~\n", "~~~py\n```\n\nx\n~~~~\n",
]  # fmt: skip
PIECES = st.sampled_from([*CLUSTERS, *WORDS, *SPACES, *CODE]) | st.text(max_size=8)
TEXTS = st.lists(PIECES, max_size=60).map("".join)
LIMITS = st.integers(2, 40) | st.integers(41, 300)
TARGETS = st.none() | st.integers(0, 60)


def fed(text: str, sizes: list[int], cutter: Cutter) -> list[Piece]:
    """The messages of *text*, fed in deltas of these *sizes*, over and over."""
    ready, at, turn = [], 0, 0
    while at < len(text):
        step = sizes[turn % len(sizes)]
        ready += cutter.feed(text[at : at + step])
        at, turn = at + step, turn + 1
    return [*ready, *cutter.finish()]


def places(text: str, pieces: list[Piece]) -> list[tuple[int, int]]:
    """Where each piece stands in *text*. Fails if anything but white space lies between them."""
    found, at = [], 0
    for piece in pieces:
        start = at
        while not text.startswith(piece.source, start):
            assert text[start : start + 1].isspace(), (text, piece, at)
            start += 1
        at = start + len(piece.source)
        found.append((start, at))
    assert not text[at:].strip(), (text, at)
    return found


@given(TEXTS, st.lists(st.integers(1, 30), min_size=1, max_size=5), LIMITS, TARGETS)
def test_everything_comes_out_once(
    text: str, sizes: list[int], limit: int, target: int | None
) -> None:
    """All that was fed comes out once and in order, but for white space; no message is too long."""
    cutter = Cutter(limit, target=target)
    pieces = fed(text, sizes, cutter)
    repaired = whole(text)

    places(repaired, pieces)
    assert len(repaired) == cutter.fed
    assert cutter.fed == sum(len(piece.source) for piece in pieces) + cutter.dropped
    assert [piece for piece in pieces if units(piece.text) > limit] == []
    assert [piece for piece in pieces if not piece.text.strip()] == []


@given(TEXTS, st.lists(st.integers(1, 30), min_size=1, max_size=5), LIMITS, TARGETS)
@example("a" + "e\u0301" * 30, [1], 16, None)
def test_no_cluster_is_cut(text: str, sizes: list[int], limit: int, target: int | None) -> None:
    """Messages begin and end between grapheme clusters, if none alone is too long."""
    text = whole(text)
    clusters = [found.span() for found in regex.finditer(r"\X", text)]
    pieces = fed(text, sizes, Cutter(limit, target=target))
    bounds = {0, *(end for _, end in clusters)}
    longest = max((units(text[start:end]) for start, end in clusters), default=0)

    if longest <= limit // 4:
        cuts = {place for span in places(text, pieces) for place in span}
        assert cuts - bounds == set()


@given(TEXTS, st.integers(1, 7), LIMITS, TARGETS)
def test_deltas_do_not_matter(text: str, size: int, limit: int, target: int | None) -> None:
    """The messages are the same however the text is divided into deltas."""
    one = fed(text, [1], Cutter(limit, target=target))

    assert fed(text, [size], Cutter(limit, target=target)) == one
    assert fed(text, [len(text) or 1], Cutter(limit, target=target)) == one


LINKS = st.sampled_from(
    [
        "https://example.com/a/b?c=d.e&f=(g)",
        "http://x.org",
        "[some words](https://x.org/a)",
        "[some [new] words. More](https://x.org/b)",
    ]
)
AROUND = st.sampled_from(
    ["{}", "({})", "see {}.", "“{}”", "{}!", "<{}>", "w{}", "请看{}。好的", "*{}*"]
)
SENTENCES = st.lists(
    st.tuples(AROUND, LINKS).map(lambda pair: pair[0].format(pair[1]))
    | st.sampled_from(["Word. Another", "lots of words here", "x" * 30]),
    max_size=12,
).map(" ".join)


@given(SENTENCES, st.integers(1, 20), st.integers(48, 120), TARGETS)
def test_no_link_is_cut(text: str, size: int, limit: int, target: int | None) -> None:
    """A link that fits into a message stands whole in one."""
    pieces = fed(text, [size], Cutter(limit, target=target))
    links = [
        m.span()
        for m in regex.finditer(
            r"\[some( \[new\])? words(\. More)?\]\(https\S+?\)|https?://[\w./?=&]+", text
        )
    ]

    for start, end in links:
        assert any(a <= start and end <= b for a, b in places(text, pieces)), text[start:end]


@given(
    st.lists(st.text("ab \n", max_size=20), max_size=10).map("\n".join),
    st.text("xyz. \n", max_size=50),
    st.integers(1, 20),
    st.integers(24, 200),
    st.sampled_from(["```", "~~~"]),
)
def test_code_is_fenced_in_each_piece(
    code: str, before: str, size: int, limit: int, bare: str
) -> None:
    """Each message has its code fences in pairs, and code that fits is not cut."""
    fence = f"{bare}py\n{code}\n{bare}"
    text = f"{before}\n{fence}\n\nThe end."
    pieces = fed(text, [size], Cutter(limit))

    assert [piece.text for piece in pieces if piece.text.count(bare) % 2] == []
    assert units(fence) > limit or any(fence in piece.text for piece in pieces)
