"""Devices in and out of the admin as CSV, through django-import-export. The rules are those of the command.

No secret and no id has a column; rows are for the one tenant that was chosen, whatever the file says.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from import_export import fields, resources
from import_export.formats.base_formats import CSV
from import_export.forms import ConfirmImportForm
from import_export.results import Error, Result, RowResult
from import_export.tmp_storages import BaseStorage

from inventory.device_csv import EXPORTED, write_cell
from inventory.errors import ImportRefused, Invalid
from inventory.models import Device, Tenant
from inventory.services import Change, ImportResult, import_devices

MAX_PREVIEW_DETECTED = 20  # devices that are looked at while somebody waits for the page
MAX_PREVIEW_ROWS = 2_000  # what a page can show; a longer file goes through the command
WAITS = 24 * 3600  # seconds for which an uploaded file waits for its confirmation
KINDS = {"added": RowResult.IMPORT_TYPE_NEW, "updated": RowResult.IMPORT_TYPE_UPDATE}


class DeviceCSV(CSV):
    """A CSV file as bytes: `inventory/device_csv.py` reads it, strictly."""

    def is_binary(self) -> bool:
        """So that nothing decodes it on the way."""
        return True

    def get_title(self) -> str:
        """What the form calls it."""
        return "csv"

    def create_dataset(self, in_stream: bytes) -> bytes:
        """The bytes themselves."""
        return in_stream

    def export_data(self, dataset: Any, **_: Any) -> bytes:
        """A byte order mark tells spreadsheets that it is UTF-8."""
        return ("\ufeff" + dataset.export("csv")).encode()


class Problem(Error):
    """A sentence without a traceback: it is the file's mistake, not ours."""

    traceback = ""

    def __init__(self, sentence: str) -> None:
        """Shown as it is."""
        super().__init__(sentence)


class WaitingFile(BaseStorage):
    """An uploaded file between preview and confirmation, under a name that cannot be guessed."""

    NAME = re.compile(r"[0-9a-f]{32}\Z")

    def save(self, data: bytes) -> None:
        """Keep it; what nobody confirmed in time goes."""
        place = self.place()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in place.iterdir():
            if old.stat().st_mtime < time.time() - WAITS:
                old.unlink(missing_ok=True)
        self.name = uuid4().hex
        self.path().write_bytes(data)

    def read(self) -> bytes:
        """Its bytes. Raises Invalid when it is gone."""
        try:
            return self.path().read_bytes()
        except FileNotFoundError as error:
            raise Invalid("The file is no longer there; upload it again.") from error

    def remove(self) -> None:
        """It was used."""
        self.path().unlink(missing_ok=True)

    def place(self) -> Path:
        """A directory of this installation, not the system's, in which others look."""
        return Path(settings.NETCAIRN_VAR) / "imports"

    def path(self) -> Path:
        """Only ever a file of ours."""
        if not self.NAME.match(self.name or ""):
            raise Invalid("The file is no longer there; upload it again.")
        return self.place() / self.name


class ConfirmDeviceImportForm(ConfirmImportForm):
    """What the preview was for."""

    tenant = forms.ModelChoiceField(Tenant.objects.none(), widget=forms.HiddenInput)


class DeviceResource(resources.ModelResource):
    """A device as a row of exactly the columns that the import takes."""

    tenant = fields.Field(attribute="tenant__name", column_name="tenant")
    credential = fields.Field(attribute="credential__name", column_name="credential")
    jump_host = fields.Field(attribute="jump_host__name", column_name="jump_host")
    tags = fields.Field(column_name="tags")
    enabled = fields.Field(column_name="enabled")

    class Meta:
        model = Device
        fields = EXPORTED
        export_order = EXPORTED
        name = "Devices"

    def __init__(self, tenant: Tenant | None = None, **kwargs: Any) -> None:
        """The tenant is needed for an import only."""
        super().__init__(**kwargs)
        self.tenant = tenant

    def dehydrate_tags(self, device: Device) -> str:
        """As the import reads them."""
        return " ".join(device.tags)

    def dehydrate_enabled(self, device: Device) -> str:
        """As the import reads it."""
        return "yes" if device.enabled else "no"

    def export_field(self, field: Any, instance: Device, **kwargs: Any) -> str:
        """Every cell is safe to open in a spreadsheet."""
        return write_cell(str(super().export_field(field, instance, **kwargs)))

    def import_data(self, dataset: bytes, dry_run: bool = False, **_: Any) -> Result:
        """The command's import, told in the page's words."""
        if self.tenant is None:
            return refused(["Choose the tenant whose devices the file holds."])
        try:
            outcome = import_devices(
                self.tenant,
                dataset,
                dry_run=dry_run,
                max_rows=MAX_PREVIEW_ROWS,
                max_detected=MAX_PREVIEW_DETECTED,
            )
        except ImportRefused as error:
            return refused(error.problems)
        return told(outcome)


def refused(problems: list[str]) -> Result:
    """A result that only says why."""
    result = Result()
    for problem in problems:
        result.append_base_error(Problem(problem))
    return result


def told(outcome: ImportResult) -> Result:
    """What came of the rows; those that change nothing are counted, not shown."""
    result = Result()
    result.diff_headers = ["name", "address", "port", "platform", "credential", "site", "tags", "enabled", "changes"]
    result.total_rows = len(outcome.changes)
    for change in outcome.changes:
        row = row_result(change)
        result.append_row_result(row)
        result.increment_row_result_total(row)
    return result


def row_result(change: Change) -> RowResult:
    """One row of the preview; the page escapes its cells."""
    device, row = change.device, RowResult()
    row.import_type = KINDS.get(change.kind, RowResult.IMPORT_TYPE_SKIP)
    row.object_id, row.object_repr, row.instance = device.pk, str(device), device
    differing = ", ".join(name.removesuffix("_id") for name in change.fields)
    cells = (device.name, device.address, device.port, device.platform, device.credential or "", device.site)
    row.diff = [*map(str, cells), " ".join(device.tags), "yes" if device.enabled else "no", differing]
    return row
