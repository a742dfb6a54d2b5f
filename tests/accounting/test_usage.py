"""Whose count of tokens to believe."""

import pytest

from gateway.accounting.usage import settle
from gateway.wire.delta import Usage

OURS = Usage(input_tokens=400, output_tokens=150, estimated=True)


def test_a_plausible_report_is_taken_as_it_is() -> None:
    reported = Usage(input_tokens=412, cached_tokens=128, cache_write_tokens=64, output_tokens=180, reasoning_tokens=90)
    assert settle(reported, OURS) == reported


def test_without_a_report_our_count_is_used_and_marked() -> None:
    assert settle(None, Usage(400, output_tokens=150)) == OURS


def test_no_output_for_what_was_delivered_is_not_believed_however_little_it_was() -> None:
    ours = Usage(input_tokens=400, output_tokens=3, estimated=True)
    assert settle(Usage(412, output_tokens=0), ours) == Usage(412, output_tokens=3, estimated=True)
    assert settle(Usage(412, output_tokens=1), ours) == Usage(412, output_tokens=1)


def test_a_report_of_nothing_but_zeros_counts_as_missing() -> None:
    assert settle(Usage(), OURS) == OURS


def test_zero_used_is_believed_when_we_counted_nothing_either() -> None:
    assert settle(Usage(), Usage(estimated=True)) == Usage()


@pytest.mark.parametrize(
    ("reported", "settled"),
    [
        (Usage(-5, output_tokens=180), Usage(400, output_tokens=180, estimated=True)),
        (Usage(412, output_tokens=-1), Usage(412, output_tokens=150, estimated=True)),
        (Usage(2**63, output_tokens=180), Usage(400, output_tokens=180, estimated=True)),
        (Usage(412, output_tokens=10**12), Usage(412, output_tokens=150, estimated=True)),
        (Usage(0, output_tokens=180), Usage(400, output_tokens=180, estimated=True)),
        (Usage(412, cached_tokens=500, output_tokens=180), Usage(412, 412, 0, 180, estimated=True)),
        (Usage(412, cached_tokens=-1, output_tokens=180), Usage(412, 0, 0, 180, estimated=True)),
        (Usage(412, 400, 100, 180), Usage(412, 400, 12, 180, estimated=True)),
        (Usage(412, 0, 0, 180, reasoning_tokens=200), Usage(412, 0, 0, 180, 180, estimated=True)),
        (Usage(412, output_tokens=1), Usage(412, output_tokens=150, estimated=True)),
    ],
    ids=[
        "negative input",
        "negative output",
        "input beyond 64 bits",
        "absurd output",
        "no input",
        "more cached than input",
        "negative cached",
        "cached and written exceed input",
        "more reasoning than output",
        "less output than was delivered",
    ],
)
def test_a_figure_that_cannot_be_true_is_replaced_or_clamped(reported: Usage, settled: Usage) -> None:
    assert settle(reported, OURS) == settled


def test_hidden_reasoning_far_beyond_the_delivered_text_is_plausible() -> None:
    reported = Usage(412, output_tokens=60_000, reasoning_tokens=59_900)
    assert settle(reported, OURS) == reported


def test_a_report_marked_as_estimated_stays_marked() -> None:
    assert settle(Usage(412, output_tokens=180, estimated=True), OURS).estimated


def test_an_estimate_that_is_itself_wrong_never_credits_anything() -> None:
    assert settle(None, Usage(-3, 7, -1, -9, 4)) == Usage(estimated=True)


def test_a_count_from_the_beginning_of_an_answer_that_broke_off_is_not_what_came() -> None:
    ours = Usage(400, output_tokens=12, estimated=True)
    assert settle(Usage(412, output_tokens=1), ours, is_whole=False) == Usage(412, output_tokens=12, estimated=True)
    assert settle(Usage(412, output_tokens=8), ours, is_whole=False) == Usage(412, output_tokens=8)
