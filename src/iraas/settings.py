"""Environment and iraas.toml -> Settings. Read once, by the composition root; the rest takes plain values."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from iraas.errors import ConfigurationError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ON_AWS = ("request_queue_url", "dead_letter_queue_url", "input_bucket", "result_bucket")  # needed there
MOST_WORKERS = 256  # processes of one machine
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}:[0-9a-f]{64}")


def usable_cores() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """Every setting. Each is `IRAAS_` + its name in capitals, or its name in `iraas.toml`."""

    model_config = SettingsConfigDict(
        env_prefix="IRAAS_", toml_file="iraas.toml", extra="forbid", frozen=True
    )

    # which backend
    backend: Literal["embedded", "aws"] = Field(
        "embedded", description="what stands behind the tiers: a folder of this machine, or SQS and S3"
    )
    stack: str = Field(
        "iraas",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="name of the deployment on AWS; its response queues begin with it",
    )
    request_queue_url: str = Field("", description="URL of the SQS queue of jobs")
    dead_letter_queue_url: str = Field(
        "", description="URL of the SQS queue of jobs that nobody could finish"
    )
    input_bucket: str = Field("", description="S3 bucket of the images")
    result_bucket: str = Field("", description="S3 bucket of the answers")
    region: str = Field("", description="AWS region; empty: as the SDK finds it (AWS_REGION, profile)")
    sqs_endpoint: str = Field(
        "", description="where SQS is; empty: as the SDK finds it (AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL)"
    )
    s3_endpoint: str = Field(
        "", description="where S3 is; empty: as the SDK finds it (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL)"
    )
    sqs_wait_seconds: float = Field(
        10.0, ge=1, le=20, description="seconds of a long poll; a drain waits for the one under way"
    )
    s3_encryption: Literal["", "AES256", "aws:kms"] = Field(
        "", description="server-side encryption asked for with each object; empty: the bucket's own"
    )
    s3_kms_key: str = Field("", description="key of aws:kms; empty: the account's own for S3")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="port of a lone worker's numbers on 127.0.0.1; 0: none"
    )

    # one instance of a deployment, and its tier's group
    app_group: str = Field(
        "",
        description="Auto Scaling group of the app tier; web processes then publish how many instances it lacks",
    )
    workers_per_instance: int = Field(
        1, ge=1, le=MOST_WORKERS, description="worker processes of one instance of the app tier"
    )
    publish_every: float = Field(
        10.0, gt=0, description="seconds between two readings that a web process publishes to CloudWatch"
    )
    api_keys_secret: str = Field(
        "", description="ARN of the Secrets Manager secret whose text is more of `api_keys`"
    )
    instance_tier: Literal["web", "app"] = Field("app", description="which tier an instance belongs to")
    instance_group: str = Field("", description="Auto Scaling group of an instance")
    instance_hook: str = Field("", description="lifecycle hook of that group, for instances that are to end")
    instance_signal: str = Field(
        "",
        description="CloudFormation resource of `stack` that is told once when an instance serves; empty: none",
    )
    instance_folder: Path = Field(
        Path("/run/iraas"),
        description="where an instance's services tell each other to leave, and that they left",
    )
    instance_look_every: float = Field(
        5.0, gt=0, description="seconds between two looks at an instance's metadata and workers"
    )
    instance_protect_every: float = Field(
        60.0, gt=0, description="least seconds between two changes of an instance's protection from scale-in"
    )
    instance_linger: float = Field(
        0.0, ge=0, description="seconds that a leaving instance goes on serving, until its balancer knows"
    )
    instance_drain: float = Field(
        120.0, gt=0, description="seconds that an instance's services may take to leave"
    )
    log_group: str = Field(
        "", description="CloudWatch log group that an instance's journal is sent to; empty: nowhere"
    )

    # where, and with what
    data: Path = Field(Path(".iraas"), description="folder of the embedded queue and stores")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    model: str = Field("default", description="fast, default, accurate, or a model folder")
    engine: Literal["openvino", "onnxruntime"] = Field("openvino", description="what runs the model")
    onnx_providers: str = Field(
        "CPUExecutionProvider", description="ONNX Runtime's providers, in order, with commas"
    )
    workers: int = Field(default_factory=usable_cores, ge=1, le=MOST_WORKERS, description="worker processes")
    min_workers: int | None = Field(
        None,
        ge=0,
        le=MOST_WORKERS,
        description="workers that there always are; 0: none while there is nothing to do",
    )
    max_workers: int | None = Field(None, ge=1, le=MOST_WORKERS, description="workers that there are at most")
    policy: str = Field(
        "", description="TOML file of the scaling policy (`iraas scaling recommend` writes one); empty: ours"
    )
    durability: Literal["process", "power"] = Field(
        "process",
        description="what an accepted picture survives: every crash of a process, or a power loss too",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug says a line for each refusal too"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="auto: text on a terminal, else JSON"
    )

    # who may ask
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="NAME:sha256 of each key, with commas (`iraas keys new NAME` prints one)"
    )
    no_auth: bool = Field(False, description="listen beyond this machine without keys")

    # limits of a picture
    max_image_bytes: int = Field(10_000_000, ge=1, description="bytes of an image")
    max_pixels: int = Field(25_000_000, ge=1, description="pixels of an image, by its header")
    max_side: int = Field(12_000, ge=1, description="pixels of an image's longer side")
    max_chunks_before_data: int = Field(4_096, ge=1, description="PNG chunks before the first IDAT")
    max_chunks: int = Field(65_536, ge=1, description="PNG chunks in all")

    # limits of a request
    body_first_byte_seconds: float = Field(5.0, gt=0, description="until a body's first byte")
    body_bytes_per_second: int = Field(16_000, ge=1, description="least rate of a body, averaged over 10 s")
    body_max_seconds: float = Field(120.0, gt=0, description="for a whole body")
    head_max_bytes: int = Field(16_384, ge=1_024, description="bytes of a request's head")
    head_max_seconds: float = Field(10.0, gt=0, description="for a request's head")
    max_bodies_bytes: int = Field(256_000_000, ge=1, description="bytes of bodies in memory at once")
    max_connections: int = Field(1_024, ge=1, description="connections at once")

    # the queue
    visibility_timeout: float = Field(30.0, gt=0, description="seconds a job is hidden while worked on")
    heartbeat: float = Field(10.0, gt=0, description="seconds between two extensions of what a worker holds")
    max_receives: int = Field(20, ge=3, description="deliveries of a job before it is a dead letter")
    max_backlog_seconds: float = Field(
        30.0, gt=0, description="estimated wait beyond which images are refused"
    )

    # room and retention
    max_store_bytes: int = Field(20_000_000_000, ge=1, description="bytes of the embedded stores")
    inputs_days: float = Field(7.0, gt=0, description="days an image is kept")
    answers_days: float = Field(9.0, gt=0, description="days an answer is kept")
    queue_days: float = Field(4.0, gt=0, description="days a message is kept")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes them by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over iraas.toml; nothing else is read."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _parts(value) if isinstance(value, str) else value

    @field_validator("api_keys")
    @classmethod
    def _are_hashed(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        return _hashed(keys)

    @model_validator(mode="after")
    def _is_coherent(self) -> Settings:
        known = self.api_keys or self.api_keys_secret
        if self.host not in LOOPBACK and not known and not self.no_auth:
            raise ValueError(
                f"host {self.host} is reachable from elsewhere: set IRAAS_API_KEYS (`iraas keys new NAME`), "
                "or say --no-auth to serve everyone"
            )
        least, most = self.min_workers, self.max_workers
        if least is not None and most is not None and least > most:
            raise ValueError(
                f"min_workers is {least} and max_workers {most}: lower the one (--min) or raise the other (--max)"
            )
        missing = [name for name in ON_AWS if self.backend == "aws" and not getattr(self, name)]
        if missing:
            raise ValueError(
                "the aws backend needs "
                + ", ".join(f"IRAAS_{name.upper()}" for name in missing)
                + "; docs/aws.md says how to make what they name"
            )
        if self.heartbeat * 2 > self.visibility_timeout:
            raise ValueError(
                "heartbeat must be at most half of visibility_timeout, or one lost beat loses the job"
            )
        if not self.queue_days < self.inputs_days < self.answers_days:
            raise ValueError("retention must be ordered: queue_days < inputs_days < answers_days")
        return self

    def environment(self) -> dict[str, str]:
        """These settings as `IRAAS_*` variables, for a child process."""
        values = self.model_dump(mode="json")
        values["api_keys"] = ",".join(self.api_keys)
        values["data"] = str(self.data.absolute())
        return {f"IRAAS_{name.upper()}": str(value) for name, value in values.items() if value is not None}


def key_entries(text: str) -> tuple[str, ...]:
    """NAME:sha256 entries of a text, with commas or lines between them. Raises `ValueError` that names one."""
    return _hashed(_parts(text.replace("\n", ",")))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _hashed(keys: tuple[str, ...]) -> tuple[str, ...]:
    for key in keys:
        if not _KEY.fullmatch(key):
            name = key.split(":", 1)[0]  # never the rest: it may be the key itself
            raise ValueError(f"the entry {name!r} is not NAME:sha256; `iraas keys new {name}` prints one")
    return keys


def load_settings(**flags: Any) -> Settings:
    """Settings from flags (None: not given), environment and iraas.toml. Raises `ConfigurationError`."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise ConfigurationError("; ".join(_in_words(line) for line in error.errors())) from error


def _in_words(line: Any) -> str:
    name = ".".join(str(part) for part in line["loc"])
    message = str(line["msg"]).removeprefix("Value error, ")
    if not name:
        return message
    if line["type"] == "extra_forbidden":
        return f"{name} is not a setting; `iraas up --help` and docs/settings.md list them"
    shown = "" if name == "api_keys" else f" (it is {line['input']!r})"
    return f"IRAAS_{name.upper()}: {message}{shown}"
