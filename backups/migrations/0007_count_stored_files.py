from django.db import migrations

# What is kept already counts as if it had been charged when it came. After the table is made, not with it: PostgreSQL
# does not alter a table that rows were just written to.
COUNT = """
    INSERT INTO backups_storedfile (tenant_id, blob, size)
    SELECT s.tenant_id, f.value->>'blob', max((f.value->>'size')::bigint)
    FROM backups_snapshot s, jsonb_each(s.files) f GROUP BY 1, 2;
    UPDATE backups_repository r SET stored_bytes =
        coalesce((SELECT sum(size) FROM backups_storedfile f WHERE f.tenant_id = r.tenant_id), 0);
"""


class Migration(migrations.Migration):
    dependencies = [("backups", "0006_stored_files")]
    operations = [migrations.RunSQL(COUNT, migrations.RunSQL.noop)]
