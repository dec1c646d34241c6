"""Asking models on Bedrock. Deployments and Converse are the stand-in's own: moto has neither."""

import pytest
from bedrock_stand_in import refusal
from wire import Fault, Response

from backends.errors import AnswerInvalid, ProviderRefused, Unreachable

BASE = "amazon.nova-micro-v1:0"
ASKED = [{"role": "system", "content": "Sort."}, {"role": "user", "content": [{"type": "text", "text": "ticket 1?"}]}]


def test_a_system_prompt_stands_apart_and_limits_are_passed_on(case):
    (answer,) = case.backend().predictor(BASE).predict_many([ASKED], max_tokens=4)
    assert case.stand_in.wire.seen[-1].json == {
        "messages": [{"role": "user", "content": [{"text": "ticket 1?"}]}],
        "system": [{"text": "Sort."}],
        "inferenceConfig": {"maxTokens": 4, "temperature": 0.0},
    }
    assert (answer.text[0], answer.finished, answer.completion_tokens) == ("Q", True, 2)


def test_cut_at_the_limit_it_is_not_finished(case):
    (answer,) = case.backend().predictor(BASE).predict_many([ASKED], max_tokens=1)
    assert not answer.finished


def test_many_keep_their_order(case):
    asked = [[{"role": "user", "content": f"ticket {number}?"}] for number in range(12)]
    predictor = case.backend().predictor(BASE)
    alone = [predictor.predict_many([each], max_tokens=4)[0].text for each in asked]
    assert [each.text for each in predictor.predict_many(asked, max_tokens=4)] == alone
    assert len(set(alone)) > 1


def test_a_tuned_model_that_nobody_deployed_cannot_answer_and_the_way_out_is_said(case):
    with pytest.raises(ProviderRefused) as caught:
        case.backend().predictor("arn:aws:bedrock:us-east-1:123456789012:custom-model/m")
    assert caught.value.provider_code == "not_deployed"
    assert "create-custom-model-deployment" in caught.value.remedy


def test_throttled_once_it_is_asked_again(case):
    throttled = refusal("ThrottlingException", "slow down", status=429)
    case.stand_in.wire.faults.append(Fault(method="POST", path="/converse", instead=throttled))
    (answer,) = case.backend().predictor(BASE).predict_many([ASKED], max_tokens=4)
    assert answer.finished
    assert case.stand_in.wire.count("POST", "/converse") == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(body=b'{"stopReason": "end_turn"}'), AnswerInvalid),
        (Response(body=b"<html>"), AnswerInvalid),
        (refusal("AccessDeniedException", "no", status=403), ProviderRefused),
    ],
    ids=["no message", "html", "denied"],
)
def test_what_is_no_answer_is_an_error(case, answer, error):
    case.stand_in.wire.faults.append(Fault(method="POST", path="/converse", instead=answer))
    with pytest.raises(error):
        case.backend().predictor(BASE).predict_many([ASKED], max_tokens=4)


def test_nobody_answering_is_unreachable(case):
    predictor = case.backend().predictor(BASE)
    with case.stand_in.wire.cut_off(), pytest.raises(Unreachable):
        predictor.predict_many([ASKED], max_tokens=4)
