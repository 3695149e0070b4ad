"""Settings, Secrets Manager -> where more API keys stand; or a line that says why they cannot be read."""

from __future__ import annotations

from iraas.errors import ConfigurationError
from iraas.fleet.ec2_calls import Answer, Refused, Service
from iraas.queues.sqs_errors import DENIED, EXPIRED, NO_CREDENTIALS, UNKNOWN_KEY, UNREACHABLE
from iraas.settings import Settings
from iraas.wiring.keys import KeySecret

NOWHERE = {"ResourceNotFoundException", "InvalidRequestException"}  # the latter: it is marked for deletion


def key_secret(settings: Settings, secrets: Service) -> KeySecret:
    """The secret of `api_keys_secret`."""
    arn = settings.api_keys_secret

    def read_now() -> str:
        try:
            return _text(secrets.ask("GetSecretValue", SecretId=arn))
        except Refused as refused:
            raise ConfigurationError(f"IRAAS_API_KEYS_SECRET: {_line(refused.code, arn)}") from None

    async def read() -> str:
        return _text(await secrets.call("GetSecretValue", SecretId=arn))

    return KeySecret(read_now=read_now, read=read, own=settings.api_keys)


def _text(answer: Answer) -> str:
    """Raises `ValueError`."""
    try:
        return str(answer["SecretString"])
    except KeyError:
        raise ValueError("the secret has no text; put NAME:sha256 entries into it, with commas") from None


def _line(code: str, arn: str) -> str:
    if code in NOWHERE:
        return f"there is no secret {arn} ({code}); make it, or correct the ARN and IRAAS_REGION"
    if code in DENIED:
        return f"secretsmanager:GetSecretValue on {arn} is denied ({code}); allow it in the role's policy"
    if code in NO_CREDENTIALS:
        return f"no AWS credentials were found ({code}); run where there is a role, or set AWS_PROFILE"
    if code in EXPIRED | UNKNOWN_KEY:
        return f"AWS does not accept these credentials ({code}); renew them, and check this machine's clock"
    if code in UNREACHABLE:
        return f"Secrets Manager cannot be reached ({code}); check the network and its endpoints"
    return f"Secrets Manager answers {code}; try again later"
