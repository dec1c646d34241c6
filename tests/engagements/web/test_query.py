"""What a route does not read from the address is refused, for every route of the API."""

import pytest
from litestar.routes import HTTPRoute

from engagements.web.problem import is_api


def routes(house):
    for route in house.client.app.routes:
        if isinstance(route, HTTPRoute) and is_api(route.path) and "GET" in route.route_handler_map:
            yield route.path_format


def test_a_parameter_that_no_route_has_is_refused_by_every_route(house):
    caller = house.api()
    asked = [path.replace("{number}", "1").replace("{", "").replace("}", "") for path in routes(house)]
    assert "/api/v1/clients" in asked
    for path in asked:
        answer = caller.get(f"{path}?no_such_thing=1")
        assert (answer.status_code, answer.json()["code"]) == (422, "query.invalid"), path


def test_a_misspelt_filter_is_named_with_the_one_that_was_meant(house):
    answer = house.api().get("/api/v1/clients?serach=nord")
    assert answer.json()["detail"] == "there is no parameter 'serach' here"
    assert answer.json()["remedy"] == "did you mean search?"


def test_who_may_not_ask_is_not_told_what_could_be_asked(house):
    assert house.nobody().get("/api/v1/clients?serach=nord").json()["code"] == "unauthenticated"


@pytest.mark.parametrize("query", ["limit=5", "search=nord&archived=true&limit=200"])
def test_what_a_route_has_is_taken(house, query):
    assert house.api().get(f"/api/v1/clients?{query}").status_code == 200


def test_a_page_for_people_takes_what_others_hang_on_its_address(house):
    assert house.nobody().get("/sign-in?utm_source=mail").status_code == 200
