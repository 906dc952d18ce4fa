"""Uploading files as a checkpoint, in the words of the page that asks."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from checkpoints import uploads
from checkpoints.checkpoint_actions import CheckpointForm, by
from checkpoints.errors import CheckpointError
from checkpoints.find import find_checkpoint
from checkpoints.uploading import upload_checkpoint
from inventory.confirmation import Plan
from inventory.device_actions import number_of

MAX_ARCHIVE = 64 * 1024 * 1024  # bytes, packed


class UploadForm(CheckpointForm):
    """An archive, and which checkpoint it is a branch of."""

    devices = None  # type: ignore[assignment]  # the archive names them
    parent = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="The checkpoint that it comes after: an id or the name of a ref. Empty: HEAD.",
    )
    archive = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text=f"A .zip or .tar of at most {MAX_ARCHIVE >> 20} MB with DEVICE/FILE in it, as an export has.",
    )
    field_order = ("tenant", "message", "tags", "parent", "archive")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """With the files of the request."""
        super().__init__(*args, **kwargs)
        self.files = self.request.FILES

    def clean_archive(self) -> uploads.Brought:
        """Its files, read and checked; nothing is written yet."""
        archive: UploadedFile = self.cleaned_data["archive"]
        if archive.file is None or archive.size is None or archive.size > MAX_ARCHIVE:
            raise ValidationError(f"The archive has more than {MAX_ARCHIVE >> 20} MB.")
        try:
            return uploads.read_archive(cast(BinaryIO, archive.file), archive.name or "")
        except CheckpointError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """The parent is one of the tenant's."""
        answers = forms.Form.clean(self) or {}
        if (tenant := answers.get("tenant")) and answers.get("parent"):
            try:
                answers["parent"] = find_checkpoint(answers["parent"], tenant)
            except CheckpointError as error:
                raise ValidationError({"parent": str(error)}) from error
        return answers


def plan_to_upload(_page: Any, _request: HttpRequest, _rows: QuerySet) -> Plan:
    """What it becomes, and what it does not."""
    told = [
        "The files become a checkpoint of their own, a branch that HEAD does not follow.",
        "It is marked as uploaded everywhere: no device has said these files.",
        "Nothing is sent to a device; the record stays as it is.",
    ]
    return Plan("Make a checkpoint of files that you bring?", told, button="Upload")


def upload(request: HttpRequest, answers: dict[str, Any]) -> str:
    """All of them or none."""
    made = upload_checkpoint(
        answers["tenant"],
        answers["archive"],
        message=answers["message"],
        author=by(request),
        tags=answers["tags"],
        parent=answers["parent"] or None,
        now=timezone.now(),
    )
    return f"Made checkpoint {made.short_id} of uploaded files of {number_of(made.device_count)}: {made}"
