"""What messages must and must not say; templates and their slots; readability."""

from __future__ import annotations

import pytest

from gameday.communication.content import REQUIRED, MessagePhase, Vocabulary, check_message
from gameday.communication.readability import readability
from gameday.communication.templates import (
    DEFAULT_TEMPLATES,
    SLOTS,
    MissingSlotError,
    problems,
    render,
    slots_in,
    template_for,
)

VALUES = {
    "service": "Checkout",
    "region": "eu-1",
    "started": "14:05 UTC",
    "impact": "about 30% of requests fail",
    "cause": "a failed network link",
    "action": "moving traffic to eu-2",
    "next_update": "14:35 UTC",
    "ended": "15:10 UTC",
    "data_loss": "No data was lost.",
}
NAMES = Vocabulary(components=("checkout",), regions=("eu-1",), people=("Ana",))
PHASES: tuple[MessagePhase, ...] = ("investigating", "identified", "monitoring", "resolved")


@pytest.mark.parametrize("phase", PHASES)
def test_every_default_template_says_what_its_phase_must_say(phase: MessagePhase) -> None:
    report = check_message(phase, render(template_for(phase), VALUES), NAMES, lost_ratio=0.3)
    assert (report.missing, report.forbidden, report.warnings, report.score) == ((), (), (), 1.0)


@pytest.mark.parametrize("phase", PHASES)
def test_a_message_that_says_nothing_has_nothing_of_what_its_phase_needs(phase: MessagePhase) -> None:
    assert check_message(phase, "We will tell you more.", NAMES).present == ()


def test_a_template_is_filled_and_its_sentences_begin_with_capitals() -> None:
    assert render("{service} is down. {impact}.", VALUES) == "Checkout is down. About 30% of requests fail."


def test_every_missing_or_empty_slot_is_named() -> None:
    with pytest.raises(MissingSlotError) as refused:
        render("{service} in {region} since {started}", {"service": "Checkout", "region": " "})
    assert refused.value.slots == ("region", "started")
    assert "{region} (where)" in str(refused.value)


def test_a_template_of_the_scenario_goes_before_the_default_one() -> None:
    assert template_for("resolved", {"resolved": "Over."}) == "Over."
    assert template_for("identified", {"resolved": "Over."}) == DEFAULT_TEMPLATES["identified"]


def test_unknown_slots_and_broken_braces_are_found() -> None:
    found = problems({"investigating": "{servise} is down", "resolved": "over {", "identified": "{service}"})
    assert [(problem.field, problem.suggestion) for problem in found] == [
        ("communication.templates.investigating", "service"),
        ("communication.templates.resolved", None),
    ]


def test_every_known_slot_is_used_by_some_default_template() -> None:
    assert {slot for text in DEFAULT_TEMPLATES.values() for slot in slots_in(text)} == set(SLOTS)


@pytest.mark.parametrize(
    ("phase", "text", "missing"),
    [
        ("investigating", "Checkout has errors since 14:05 UTC. Next update in 20 minutes.", ()),
        ("investigating", "Checkout has errors since 14:05. Next update in 20 minutes.", ("started",)),
        ("investigating", "We have errors since 14:05 UTC. Next update soon.", ("affected", "next_update")),
        (
            "identified",
            "Checkout in eu-1 fails for some users due to a bad release. We rolled back. We will post an update by 15:00 UTC.",
            (),
        ),
        ("identified", "Checkout fails. Further update within 1 hour.", ("region", "cause", "action")),
        ("resolved", "Checkout has recovered at 15:10 UTC. All orders are intact. A post-incident review follows.", ()),
        ("resolved", "Checkout is resolved.", ("ended", "data_loss", "review")),
    ],
)
def test_messages_written_by_hand_are_read_for_what_they_say(phase: MessagePhase, text: str, missing: tuple[str, ...]) -> None:
    report = check_message(phase, text, NAMES)
    assert report.missing == missing
    assert report.score == pytest.approx(1 - len(missing) / len(REQUIRED[phase]))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("human_error", "The cause was human error."),
        ("human_error", "This was operator error during the deploy."),
        ("counterfactual", "The alert should have fired."),
        ("counterfactual", "We could not have known."),
        ("counterfactual", "They shouldn't have deployed."),
        ("counterfactual", "If only the replica had been healthy."),
        ("blame", "Ana misconfigured the router."),
        ("blame", "The provider is to blame."),
        ("promise", "The ETA is one hour."),
        ("promise", "Checkout will be back by 15:00 UTC."),
        ("promise", "Service should be fully restored within 30 minutes."),
        ("promise", "We expect everything to be fixed soon."),
        ("overstatement", "There is an outage of checkout."),
    ],
)
def test_forbidden_phrases_are_found_where_they_stand(kind: str, text: str) -> None:
    report = check_message("investigating", text, NAMES, lost_ratio=0.3)
    assert [finding.kind for finding in report.forbidden] == [kind]
    (finding,) = report.forbidden
    assert text[finding.start : finding.end] == finding.phrase


@pytest.mark.parametrize(
    "text",
    [
        "Next update by 15:00 UTC.",
        "We will post an update within 30 minutes.",
        "Ana is incident commander.",
        "Traffic was moved back to eu-1 at 15:00 UTC.",
        "Checkout has been restored at 15:10 UTC.",
        "We expect more load in the evening.",
        "The beta feature is off.",
    ],
)
def test_harmless_sentences_are_not_forbidden(text: str) -> None:
    assert check_message("investigating", text, NAMES, lost_ratio=0.3).forbidden == ()


def test_a_total_loss_may_be_called_an_outage() -> None:
    assert check_message("investigating", "An outage.", NAMES, lost_ratio=1.0).forbidden == ()
    assert check_message("investigating", "An outage.", NAMES).forbidden == ()


def test_forbidden_phrases_cost_and_the_score_does_not_fall_below_zero() -> None:
    text = render(template_for("resolved"), VALUES)
    assert check_message("resolved", text + " It was human error.", NAMES).score == pytest.approx(0.75)
    assert check_message("resolved", text + " Human error." * 9, NAMES).score == 0.0


def test_a_component_is_found_as_a_word_only() -> None:
    names = Vocabulary(components=("api",))
    assert "affected" in check_message("investigating", "The api-gateway is slow.", names).missing
    assert "affected" in check_message("investigating", "The API is slow.", names).present


def test_readability_follows_its_formulas() -> None:
    # 9 words, 2 sentences, 30 letters; "sleeping" is the only long word.
    measures = readability("The cat sat on the mat. It was sleeping.")
    assert (measures.words, measures.sentences) == (9, 2)
    assert measures.lix == pytest.approx(4.5 + 100 / 9)
    assert measures.ari == pytest.approx(4.71 * 30 / 9 + 0.5 * 4.5 - 21.43)


def test_a_text_without_words_has_no_readability() -> None:
    assert readability(" ... ").words == 0


def test_long_sentences_only_warn() -> None:
    text = (
        "Checkout has errors since 14:05 UTC and "
        + "we look into many different possible reasons and " * 4
        + "more. Next update in 20 minutes."
    )
    report = check_message("investigating", text, NAMES)
    assert report.warnings
    assert report.score == 1.0


def test_the_check_finds_what_people_find() -> None:
    """Floors below what is published in docs/reference/message-check.md: a pattern that breaks falls through them."""
    from gameday.communication.judged_check import NAMES, labelled_messages, quality

    found = quality(labelled_messages(), NAMES)
    floors = {"all elements": (0.95, 0.9), "all forbidden phrases": (0.95, 0.9)}
    for name, (precision, recall) in floors.items():
        one = found[name]
        assert (one.precision or 0.0) >= precision, one
        assert (one.recall or 0.0) >= recall, one


def test_quality_counts_what_is_missed_and_what_is_too_much() -> None:
    from gameday.communication.judged_check import NAMES, quality

    messages = [
        {"phase": "investigating", "text": "ETA is soon.", "has": ["affected"], "forbidden": []},
        {"phase": "investigating", "text": "Checkout fails.", "has": ["affected"], "forbidden": ["blame"]},
    ]
    found = quality(messages, NAMES)
    assert (found["promise"].precision, found["promise"].recall) == (0.0, None)
    assert (found["blame"].precision, found["blame"].recall) == (None, 0.0)
    assert found["affected"].recall == 0.5
