"""a stack -> the settings that an operator's commands need to ask it."""

from __future__ import annotations

from iraas.deploy.stack import Stack
from iraas.errors import ConfigurationError

FROM_OUTPUTS = {
    "IRAAS_REQUEST_QUEUE_URL": "RequestQueueUrl",
    "IRAAS_DEAD_LETTER_QUEUE_URL": "DeadLetterQueueUrl",
    "IRAAS_INPUT_BUCKET": "InputBucket",
    "IRAAS_RESULT_BUCKET": "ResultBucket",
}


def environment(stack: Stack) -> dict[str, str]:
    """Lines of an environment file; nothing in it is a secret. Raises `ConfigurationError` for a stack without them."""
    state = stack.state()
    outputs = state.outputs if state else {}
    if not set(FROM_OUTPUTS.values()) <= set(outputs):
        raise ConfigurationError(
            f"there is no whole stack {stack.name} in {stack.account.region}; "
            f"say --region, or `iraas deploy {stack.name}`"
        )
    return {
        "IRAAS_BACKEND": "aws",
        "IRAAS_STACK": stack.name,
        "IRAAS_REGION": stack.account.region,
        **{setting: outputs[output] for setting, output in FROM_OUTPUTS.items()},
    }
