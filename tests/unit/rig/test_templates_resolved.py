"""tests.rig.template: a CloudFormation template with its parameters, as the stack that it makes.

The examples are those of the pages of the AWS CloudFormation User Guide, "Intrinsic function reference".
"""

from __future__ import annotations

import base64

import pytest
from tests.rig.template import read, resolve

TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Kind: {Type: String, Default: small, AllowedValues: [small, large]}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>", Default: ""}
  Count: {Type: Number, Default: 2}
Mappings:
  Sizes:
    small: {Type: t3.micro, Zones: [a, b]}
    large: {Type: m5.large, Zones: [c]}
Conditions:
  Large: !Equals [!Ref Kind, large]
  Small: !Not [!Condition Large]
  Both: !And [!Condition Large, !Condition Small]
  Either: !Or [!Condition Large, !Condition Small]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-requests"
      Delay: !If [Large, 5, !Ref "AWS::NoValue"]
      Tags: [!If [Large, {Key: a}, !Ref "AWS::NoValue"], {Key: b}]
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    DependsOn: Queue
    Properties:
      Size: !Ref Count
      Subnets: !Ref Subnets
      InstanceType: !FindInMap [Sizes, !Ref Kind, Type]
      Arn: !GetAtt Queue.Arn
      Url: !Ref Queue
      Text: !Join [":", [a, !Ref Kind, !Ref Count]]
      Second: !Select [1, !Split [",", "x,y,z"]]
      Zone: !Select [0, !GetAZs ""]
      UserData:
        Fn::Base64: !Sub
          - |
            echo ${Queue} ${Queue.QueueName} ${What} ${!HOME} $(date)
          - What: !Ref Kind
      Policy: {Version: 2012-10-17, Condition: {Bool: {"aws:SecureTransport": false}}}
  OnlyLarge:
    Type: AWS::SNS::Topic
    Condition: Large
Outputs:
  Url: {Value: !Ref Queue}
  Topic: {Condition: Large, Value: !Ref OnlyLarge}
"""


def stack(text=TEMPLATE, **parameters):
    """What it makes."""
    return resolve(
        read(text),
        names=lambda name, attribute: f"physical-{name}" + (f"/{attribute}" if attribute else ""),
        parameters=parameters,
        pseudo={"AWS::StackName": "pictures"},
        zones=("eu-west-1a", "eu-west-1b"),
    )


def group(**parameters):
    return stack(**parameters).resources["Group"].properties


def test_references_become_what_they_name():
    """Parameters, pseudo parameters, and resources by the names that the caller gives them."""
    made = stack()
    assert made.resources["Queue"].properties["QueueName"] == "pictures-requests"
    assert (group()["Arn"], group()["Url"]) == ("physical-Queue/Arn", "physical-Queue")
    assert made.resources["Group"].whole["DependsOn"] == "Queue"
    assert made.outputs == {"Url": "physical-Queue"}
    assert set(made.of("AWS::SQS::Queue")) == {"Queue"}


def test_parameters_have_their_types():
    """A list is split at its commas, an empty one is empty; a number is text, as in CloudFormation."""
    assert (group()["Subnets"], group()["Size"]) == ([], "2")
    assert group(Subnets="subnet-1, subnet-2")["Subnets"] == ["subnet-1", "subnet-2"]


def test_conditions_choose():
    """Resources, outputs, values; and what is AWS::NoValue is not there at all."""
    small, large = stack(), stack(Kind="large")
    assert small.conditions == {"Large": False, "Small": True, "Both": False, "Either": True}
    assert "OnlyLarge" not in small.resources
    assert "OnlyLarge" in large.resources
    assert large.outputs["Topic"] == "physical-OnlyLarge"
    assert small.resources["Queue"].properties["Tags"] == [{"Key": "b"}]
    assert "Delay" not in small.resources["Queue"].properties
    assert large.resources["Queue"].properties["Delay"] == 5
    assert large.resources["Queue"].properties["Tags"] == [{"Key": "a"}, {"Key": "b"}]


def test_functions_of_texts_and_lists():
    """Join, Split, Select, GetAZs and FindInMap."""
    made = group(Kind="large")
    assert made["InstanceType"] == "m5.large"
    assert made["Text"] == "a:large:2"
    assert made["Second"] == "y"
    assert made["Zone"] == "eu-west-1a"


def test_user_data_is_a_script_in_base64():
    """Sub takes its own names first; a ! keeps the braces for the shell."""
    script = base64.b64decode(group()["UserData"]).decode()
    assert script == "echo physical-Queue physical-Queue/QueueName small ${HOME} $(date)\n"


def test_a_date_is_text_and_a_policys_condition_is_no_intrinsic():
    """CloudFormation knows no dates; `Condition` with a table in it is what IAM means by it."""
    assert group()["Policy"] == {
        "Version": "2012-10-17",
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    assert read(TEMPLATE)["AWSTemplateFormatVersion"] == "2010-09-09"


def test_the_long_form_is_the_same():
    """As a program writes it."""
    text = """
    Resources:
      Q: {Type: T, Properties: {A: {"Fn::Sub": "${AWS::StackName}"}, B: {"Fn::GetAtt": [Q, Arn]}, C: {Ref: Q}}}
    """
    assert stack(text).resources["Q"].properties == {
        "A": "pictures",
        "B": "physical-Q/Arn",
        "C": "physical-Q",
    }


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("!ImportValue x", "Fn::ImportValue: this intrinsic is not known to the rig"),
        ("!Cidr [a, 1, 2]", "Fn::Cidr: this intrinsic is not known"),
        ("!Ref Nobody", "there is no parameter, pseudo parameter or resource Nobody"),
        ("!GetAtt Nobody.Arn", "there is no resource Nobody"),
        ('!Sub "${Nobody}"', "there is no parameter, pseudo parameter or resource Nobody"),
        ("!If [Nobody, 1, 2]", "there is no Nobody among Conditions"),
        ("!FindInMap [Sizes, huge, Type]", "there is no huge among small, large"),
        ("!Select [3, [a, b]]", "there is no element 3 among 2"),
        ("!Join [',', [!Ref Subnets]]", "Fn::Join: .* is no text"),
    ],
)
def test_what_it_does_not_know_is_an_error_that_names_it(value, says):
    """Nothing passes for resolved that is not."""
    text = TEMPLATE.replace(
        "Type: AWS::SNS::Topic\n    Condition: Large", f"Type: T\n    Properties: {{A: {value}}}"
    )
    assert text != TEMPLATE
    with pytest.raises(ValueError, match=says):
        stack(text.replace("Topic: {Condition: Large, Value: !Ref OnlyLarge}", ""))


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"Kind": "huge"}, "Kind is 'huge', and must be one of small, large"),
        ({"Sort": "small"}, "the template has no Sort"),
    ],
)
def test_a_wrong_parameter_is_refused(parameters, says):
    """As CloudFormation does."""
    with pytest.raises(ValueError, match=says):
        stack(**parameters)


def test_a_parameter_without_default_must_be_given():
    """The error says which."""
    text = TEMPLATE.replace("  Count: {Type: Number, Default: 2}", "  Count: {Type: Number}")
    with pytest.raises(ValueError, match="Count has no default; give one"):
        stack(text)
    assert stack(text, Count="7").resources["Group"].properties["Size"] == "7"
