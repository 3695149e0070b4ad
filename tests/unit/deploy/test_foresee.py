"""Conditions and functions of a template come to what CloudFormation would make of them."""

from __future__ import annotations

import pytest

from iraas.deploy.foresee import Foreseen

TEMPLATE = {
    "Conditions": {
        "HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Key"}, ""]}]},
        "Both": {"Fn::And": [{"Condition": "HasKey"}, {"Fn::Equals": [{"Ref": "Number"}, 2]}]},
        "Either": {"Fn::Or": [{"Condition": "HasKey"}, {"Condition": "Both"}]},
    },
    "Mappings": {"Types": {"arm64": {"App": ["c7g.large", "m7g.large"]}}},
    "Resources": {"Always": {"Type": "A"}, "Sometimes": {"Type": "B", "Condition": "Both"}},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Number"}, "2"),
        ({"Ref": "Queue"}, {"Ref": "Queue"}),
        ({"Fn::If": ["HasKey", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Both", {"Ref": "Number"}, "no"]}, "2"),
        ({"Fn::Select": [1, {"Fn::FindInMap": ["Types", {"Ref": "Architecture"}, "App"]}]}, "m7g.large"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Key"}]]}, "a-k"),
        ({"Fn::Join": ["", {"Ref": "List"}]}, "ab"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::GetAtt": ["Queue", "Arn"]}),
        ([{"Ref": "Key"}, {"a": {"Ref": "Number"}}], ["k", {"a": "2"}]),
    ],
)
def test_an_expression_comes_to_its_value(expression, value):
    """What only AWS knows stays as it stands."""
    known = {"Number": "2", "Key": "k", "Architecture": "arm64", "List": "a,b"}
    assert Foreseen(TEMPLATE, known).value(expression) == value


@pytest.mark.parametrize(
    ("known", "there"),
    [
        ({"Key": "k", "Number": "2"}, {"Always", "Sometimes"}),
        ({"Key": "", "Number": "2"}, {"Always"}),
        ({"Key": "k", "Number": "3"}, {"Always"}),
    ],
)
def test_a_resource_is_there_when_its_condition_holds(known, there):
    """And always without one."""
    assert set(Foreseen(TEMPLATE, known).resources()) == there
