"""a stack's name -> nothing of it is left: `iraas destroy`."""

from __future__ import annotations

from typing import Annotated

import typer

from iraas.cli.deploy import Name, Region, Yes
from iraas.cli.deploy_watch import Watch
from iraas.errors import IraasError


class DestroyWatch(Watch):
    """The watcher of an end."""

    def draining(self, left: int) -> None:
        """Instances that have not left yet."""
        self.moved(f"instances of {self.name}", 0, 0, f"{left} left; they finish what they hold")

    def emptying(self, bucket: str, removed: int) -> None:
        """Objects removed so far."""
        self.moved(f"bucket {bucket}", 0, 0, f"{removed:,} objects removed")


def destroy(
    name: Name = "iraas",
    region: Region = "",
    empty_buckets: Annotated[
        bool, typer.Option("--empty-buckets", help="Remove pictures and answers, for good.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove the service from AWS, and look whether anything is left.

    Says what there is and asks first. While pictures or answers are stored, nothing is removed without
    --empty-buckets. What an earlier call did not finish, the next one does.

    Exit code 1: something is left; what is printed says what, and why.
    """
    from iraas.deploy.account import Account
    from iraas.deploy.destroy import destroy as remove
    from iraas.deploy.destroy import find, refuse_full_buckets
    from iraas.deploy.options import check_name
    from iraas.deploy.stack import Stack

    check_name(name)
    stack = Stack(Account(region), name)
    with DestroyWatch(name, yes=yes, as_json=False) as watch:
        found = find(stack)
        if found.is_nothing:
            typer.echo(f"There is no stack {name} in {stack.account.region}, and nothing that it left.")
            return
        for line in found.in_words():
            watch.says(line)
        refuse_full_buckets(found, empty_buckets=empty_buckets)
        if not watch.asks("Remove all of this, for good?"):
            typer.echo("Nothing was removed.")
            raise typer.Exit(1)
        try:
            left = remove(stack, found, watch, empty_buckets=empty_buckets)
        except KeyboardInterrupt:
            watch.says(
                f"Stopped here. AWS goes on with what has begun; `iraas destroy {name}` does the rest."
            )
            raise typer.Exit(130) from None
        except IraasError:
            watch.says(f"Not all is removed. `iraas destroy {name}` goes on from here.")
            raise
    if left:
        typer.echo("Left:\n" + "\n".join(f"  {line}" for line in left))
        raise typer.Exit(1)
    typer.echo(f"Nothing that is called {name} is left in {stack.account.region}.")
