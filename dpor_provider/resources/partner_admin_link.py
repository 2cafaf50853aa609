"""The resource `PartnerAdminLink`: its arguments and its whole lifecycle, without any framework.

Azure keeps one link per identity, without conditions on writes and without a place for a mark of
ours. So each write is preceded and followed by a read; what somebody else writes in between is
noticed by the second read or by the next preview, and is not prevented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dpor_provider.declaration.inputs import UNKNOWN, Failure, Inputs
from dpor_provider.errors import Conflict, DporError, Invalid, Refused, Unavailable
from dpor_provider.model import OnDelete
from dpor_provider.names import COMPARED_WITHOUT, same_name
from dpor_provider.partner_id import malformed
from dpor_provider.resources.results import Checked, Difference, Found

if TYPE_CHECKING:
    from dpor_provider.platforms.azure.identity import Identity
    from dpor_provider.platforms.azure.partner_link import Link, PartnerLinks

STATED = ("partner_id", "partner_name", "replaces_partner_id", "on_delete")
"""What a program states."""

IDENTITY = ("tenant_id", "object_id")
"""Whose link it is, which `check` adds to the inputs for good."""

INPUTS = (*STATED, *IDENTITY)

LASTS = "Azure takes some 15 seconds"


@dataclass(slots=True)
class LinkLifecycle:
    """Check, diff, create, read, update and delete, for the identity that is signed in.

    One instance serves one run.
    """

    links: PartnerLinks
    say: Callable[[str], None] = print
    """Takes a line for a person."""
    before_write: Callable[[], None] = lambda: None
    """Called before each write; it ends a process whose work nobody waits for any more."""
    _seen: tuple[Link | None] | None = field(default=None, init=False)
    """What `check` found, in a tuple of one; None before it."""
    _created: bool = field(default=False, init=False)

    # --- Before anything is written ------------------------------------------------------------

    def check(self, old: Inputs, new: Inputs) -> Checked:
        """Verify all that can be known beforehand, and show what is not as declared.

        Args:
            old: The inputs of the last deployment; empty for a new resource.
            new: The program's inputs; a value may be `UNKNOWN`.

        Returns:
            The inputs, with `tenant_id` and `object_id`, and with `drift` where there is any; or
            the failures.
        """
        inputs = {key: new[key] for key in STATED if new.get(key) is not None}
        failures = tuple(_malformed(inputs))
        try:
            identity = self.links.identity()
            if stranger := _stranger(old, identity):
                return Checked(inputs, (*failures, Failure("", stranger)))
            live = self.links.find()
        except DporError as error:
            return Checked(inputs, (*failures, Failure("", str(error))))
        inputs |= {"tenant_id": identity.tenant_id, "object_id": identity.object_id}
        failures = failures or tuple(_conflicts(old, inputs, live))
        if failures:
            return Checked(inputs, failures)
        self._seen = (live,)
        if drift := _drift(old, live):
            inputs["drift"] = drift
        return Checked(inputs)

    def diff(self, old_outputs: Inputs, new: Inputs) -> Difference:
        """Whether checked inputs ask for an update."""
        compared = ("partner_id", "replaces_partner_id", "on_delete")
        return Difference(
            "drift" in new
            or any(new.get(key) != old_outputs.get(key) for key in compared)
            or not _same(new.get("partner_name"), old_outputs.get("partner_name"))
        )

    # --- Writing -------------------------------------------------------------------------------

    def create(self, inputs: Inputs) -> dict[str, Any]:
        """Link, or adopt an identical link; returns the outputs.

        Raises:
            Refused: the identity is linked to another partner, which is not to be replaced.
            Conflict: somebody else changed the link meanwhile.
            Invalid: Azure refuses the ID, or calls the partner something else.
            Unavailable: Azure cannot be reached or read.
        """
        _require(inputs, self.links.identity())
        live = self.links.find()
        problems = [failure.reason for failure in _conflicts({}, inputs, live)]
        if problems:
            raise Refused("; ".join(problems))
        self._created = True
        if live is not None and live.partner_id == inputs["partner_id"]:
            return _outputs(inputs, live, written=live, adopted=True)
        written = self._write(live, inputs)
        return _outputs(inputs, written, written=written, adopted=False)

    def update(self, old_outputs: Inputs, inputs: Inputs) -> dict[str, Any]:
        """Bring the live link to what is declared; returns the outputs.

        Raises:
            Refused: it is another identity's.
            Conflict: the link changed after this run's check, or while it was written.
            Invalid: Azure refuses the ID, or calls the partner something else.
            Unavailable: Azure cannot be reached or read.
        """
        _require(old_outputs, self.links.identity())
        live = self.links.find()
        if live is not None and live.partner_id == inputs["partner_id"]:
            if wrong := _misnamed(live, inputs):
                raise Invalid(wrong)
            outputs = _outputs(inputs, live, written=live, adopted=True)
            if old_outputs.get("written_partner_id") == live.partner_id:
                kept = ("written_partner_id", "written_version", "adopted")
                outputs |= {key: old_outputs[key] for key in kept if key in old_outputs}
            return outputs
        if self._seen is not None and _mark(self._seen[0]) != _mark(live):
            raise Conflict(
                f"this identity's link changed during this run: it is to {live or 'no partner'}"
                " now; nothing was written, run it again"
            )
        written = self._write(live, inputs)
        return _outputs(inputs, written, written=written, adopted=False)

    def _write(self, before: Link | None, inputs: Inputs) -> Link:
        wanted = inputs["partner_id"]
        failed: DporError | None = None
        self.before_write()
        try:
            if before is None:
                self.say(f"linking this identity to partner {wanted}; {LASTS}")
                self.links.link(wanted)
            else:
                self.say(f"changing this identity's link from {before} to {wanted}; {LASTS}")
                self.links.change(wanted)
        except (Conflict, Unavailable) as error:
            # What did not arrive may be the answer alone.
            failed = error
        written = self.links.find()
        if written is None or written.partner_id != wanted:
            raise failed or Conflict(
                f"this identity was linked to partner {wanted}, and {written or 'no link'} is there"
                " now: somebody else changes it too; run it again"
            )
        self._seen = (written,)
        if wrong := _misnamed(written, inputs):
            self._take_back(before, written, wrong)
        if written.partner_name is None:
            self.say(
                f"Azure shows no name for partner {wanted}; compare it with"
                f" {inputs['partner_name']!r} in the portal (Link to a partner ID)"
            )
        return written

    def _take_back(self, before: Link | None, written: Link, wrong: str) -> None:
        """Undo a write that linked to a company of another name.

        Raises:
            Invalid: always, since that is what was declared.
            Unavailable: it could not be taken back; says what is there.
        """
        try:
            self.before_write()
            if before is None:
                self.say(f"ending this identity's link to {written}; {LASTS}")
                self._unlink(written.partner_id)
            else:
                self.say(f"changing this identity's link back to {before.partner_id}; {LASTS}")
                self.links.change(before.partner_id)
        except DporError as error:
            undo = (
                f"az managementpartner delete --partner-id {written.partner_id}"
                if before is None
                else f"az managementpartner update --partner-id {before.partner_id}"
            )
            raise Unavailable(
                f"{wrong}; the link to {written} was made and is still there, since it could not be"
                f" taken back ({error}); as this identity run: {undo}"
            ) from error
        was = "the link was taken back" if before is None else f"it is {before.partner_id} again"
        raise Invalid(f"{wrong}; {was}")

    def delete(self, outputs: Inputs) -> None:
        """End the link that this resource made, if it is still there; say so if not.

        Raises:
            Refused: it is another identity's.
            Unavailable: Azure cannot be reached or read.
        """
        _require(outputs, self.links.identity())
        live = self.links.find()
        if live is None:
            return
        if self._created:
            # A rename or a replacement: the new resource is made first, and has this link.
            self.say(f"this identity stays linked to {live}: another resource of this run has it")
            return
        if _mark(live) != (outputs["written_partner_id"], outputs.get("written_version")):
            self.say(f"this identity stays linked to {live}: it is not this resource's to end")
            return
        default = OnDelete.RETAIN if outputs.get("adopted") else OnDelete.WITHDRAW
        if OnDelete(outputs.get("on_delete") or default) is OnDelete.RETAIN:
            self.say(f"this identity stays linked to {live}, which is nobody's from now on")
            return
        self.before_write()
        self.say(f"ending this identity's link to {live}; {LASTS}")
        self._unlink(live.partner_id)

    def _unlink(self, partner_id: str) -> None:
        try:
            self.links.unlink(partner_id)
        except (Conflict, Unavailable):
            # What did not arrive may be the answer alone.
            live = self.links.find()
            if live is not None and live.partner_id == partner_id:
                raise

    # --- Reading -------------------------------------------------------------------------------

    def read(self, outputs: Inputs) -> Found | None:
        """What is live for a resource of the state; None if there is no link.

        Raises:
            Refused: it is another identity's, which only that one can read.
            Unavailable: Azure cannot be reached or read. What is unreadable is never reported as
                gone.
        """
        _require(outputs, self.links.identity())
        live = self.links.find()
        if live is None:
            return None
        read = {**outputs, **_recorded(live)}
        named = live.partner_name or outputs["partner_name"]
        if live.partner_id == outputs["partner_id"] and _same(named, outputs["partner_name"]):
            return Found(read)
        changed = {"partner_id": live.partner_id}
        if live.partner_name is not None:
            changed["partner_name"] = live.partner_name
        inputs = {key: outputs[key] for key in INPUTS if outputs.get(key) is not None}
        return Found({**read, **changed}, {**inputs, **changed})


def _malformed(inputs: Inputs) -> Iterator[Failure]:
    texts = {}
    for key in STATED:
        value = inputs.get(key)
        if value is UNKNOWN or (value is None and key not in ("partner_id", "partner_name")):
            continue
        if isinstance(value, str):
            texts[key] = value
            continue
        if value is None:
            yield Failure(key, f"{key} is missing")
        elif isinstance(value, float) and value.is_integer():
            meant = str(int(value))
            yield Failure(key, f"must be a string, not {meant}; write it in quotes: {meant!r}")
        else:
            yield Failure(key, f"must be a string, not {value!r}")
    if "partner_id" in texts and (problem := malformed(texts["partner_id"])):
        yield Failure(
            "partner_id", f"{texts['partner_id']!r} is no Partner ID: {problem} [DPOR101]"
        )
    if not texts.get("partner_name", "-").strip():
        yield Failure("partner_name", "it is empty; write the partner's name, to be compared")
    if texts.get("on_delete", OnDelete.RETAIN) not in tuple(OnDelete):
        yield Failure("on_delete", f"it is {' or '.join(OnDelete)}, not {texts['on_delete']!r}")


def _conflicts(old: Inputs, inputs: Inputs, live: Link | None) -> Iterator[Failure]:
    """Why the live link keeps a resource from being made, or kept."""
    wanted, replaces = inputs.get("partner_id"), inputs.get("replaces_partner_id")
    if live is None or wanted is UNKNOWN:
        return
    if live.partner_id == wanted:
        if wrong := _misnamed(live, inputs):
            yield Failure("partner_name", f"{wrong} [DPOR103]")
    elif not old and replaces is not UNKNOWN and live.partner_id != replaces:
        only = f", since only {replaces} may be" if replaces else ""
        yield Failure(
            "partner_id",
            f"this identity is linked to {live}, which is not replaced{only}; if it is to be, say"
            f" so with: replaces_partner_id {live.partner_id} [DPOR304]",
        )


def _misnamed(live: Link, inputs: Inputs) -> str | None:
    declared = inputs.get("partner_name")
    if live.partner_name is None or _same(live.partner_name, declared) or declared is UNKNOWN:
        return None
    return (
        f"Azure calls partner {live.partner_id} {live.partner_name!r}, not {declared!r}: correct"
        f" the ID or the name (compared without {COMPARED_WITHOUT})"
    )


def _drift(old: Inputs, live: Link | None) -> str | None:
    """What somebody else changed since the last deployment."""
    expected = old.get("partner_id")
    if expected is None or (live is not None and live.partner_id == expected):
        return None
    text = f"live is {live or 'no partner'}, not {expected}"
    # The same text as the one of a drift that was repaired would be invisible.
    return f"{text}, once more" if old.get("drift") == text else text


def _stranger(kept: Inputs, identity: Identity) -> str | None:
    """Why an identity must leave a resource of the state alone."""
    if all(kept.get(key) in (None, getattr(identity, key)) for key in IDENTITY):
        return None
    return (
        f"it is the link of the identity {kept.get('object_id')} in the tenant"
        f" {kept.get('tenant_id')}, and this run is {identity.object_id} ({identity.name}) in the"
        f" tenant {identity.tenant_id}, which can neither read nor change it; run as the former, or"
        " give the link up with: pulumi state delete"
    )


def _require(kept: Inputs, identity: Identity) -> None:
    if stranger := _stranger(kept, identity):
        raise Refused(stranger)


def _same(one: object, other: object) -> bool:
    return one == other or (
        isinstance(one, str) and isinstance(other, str) and same_name(one, other)
    )


def _mark(link: Link | None) -> tuple[str | None, int | None]:
    return (link.partner_id, link.version) if link else (None, None)


def _recorded(live: Link) -> dict[str, Any]:
    return {
        "version": live.version,
        "etag": live.etag,
        "state": live.state,
        "linked_at": live.changed_at.isoformat() if live.changed_at else None,
    }


def _outputs(inputs: Inputs, live: Link, *, written: Link, adopted: bool) -> dict[str, Any]:
    return {
        **{key: inputs[key] for key in INPUTS if key in inputs},
        "partner_name": live.partner_name or inputs["partner_name"],
        **_recorded(live),
        "written_partner_id": written.partner_id,
        "written_version": written.version,
        "adopted": adopted,
    }
