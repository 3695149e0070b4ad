"""Endpoints -> a folder over the tree: what an instance of the rig has configured otherwise than Debian's image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# There is no console, no disk, no kernel of its own and nobody who logs in; and no mirror to fetch from.
MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "proc-sys-fs-binfmt_misc.automount",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-binfmt.service",
    "systemd-logind.service",
    "systemd-modules-load.service",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
    "systemd-random-seed.service",
    "systemd-sysctl.service",
    "systemd-udevd.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
)

# The data source and the user data's script are cloud-init's own. Left out are its modules for what is not here:
# disks (growpart, resizefs, mounts), a network card, SSH and its keys, people (users-groups, set-passwords),
# package mirrors (apt-*, ca-certs, package-update-upgrade-install), and those for other programs (snap, puppet ...).
CLOUD_CONFIG = """\
datasource_list: [ Ec2 ]
datasource:
  Ec2:
    metadata_urls: [ "http://169.254.169.254" ]
    strict_id: false
    timeout: 5
    max_wait: 10
network: { config: disabled }
cloud_init_modules: []
cloud_config_modules: []
cloud_final_modules: [ scripts-user ]
"""
# Each stage is a Python that starts anew, half a second. `init-local` is there to set up the network, which an
# instance of the rig has before it boots; `init` asks the metadata, `final` runs the user data.
STAGES_LEFT_OUT = ("cloud-init-local.service", "cloud-config.service", "cloud-init-hotplugd.socket")

HOSTS = "127.0.0.1 localhost\n"
JOURNAL = "[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitIntervalSec=0\n"


def write_layer(folder: Path, endpoints: Mapping[str, str]) -> None:
    """Write it. `endpoints` are URLs by the SDK's name of the service, such as "SQS"."""
    files = {
        "etc/cloud/cloud.cfg.d/90-rig.cfg": CLOUD_CONFIG,
        "etc/hostname": "",  # its data source says it
        "etc/hosts": HOSTS,
        "etc/resolv.conf": "",
        "etc/systemd/journald.conf.d/rig.conf": JOURNAL,
        "etc/iraas/endpoints.env": endpoint_lines(endpoints),
    }
    for place, text in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    links = {f"etc/systemd/system/{unit}": "/dev/null" for unit in (*MASKED, *STAGES_LEFT_OUT)}
    links["var/lib/dbus/machine-id"] = (
        "/etc/machine-id"  # else all would be the one machine that made the tree
    )
    for place, target in links.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


def endpoint_variables(endpoints: Mapping[str, str]) -> dict[str, str]:
    """As the AWS SDK looks for them: its reference's page "Service-specific endpoints"."""
    return {f"AWS_ENDPOINT_URL_{service}": url for service, url in endpoints.items()}


def endpoint_lines(endpoints: Mapping[str, str]) -> str:
    """The same as a file for systemd's EnvironmentFile."""
    return "".join(f"{name}={value}\n" for name, value in endpoint_variables(endpoints).items())
