"""Let PostgreSQL number and chain the entries of the audit log, and refuse to change or delete one."""

from django.db import migrations

CHAIN = """
CREATE FUNCTION netcairn_audit_digest(e inventory_auditentry) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(e.previous || convert_to(jsonb_build_array(
        e.tenant_id, e.number, extract(epoch FROM e.at), e.by, e.action, e.about, e.detail)::text, 'UTF8'))
$$;

CREATE FUNCTION netcairn_audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last inventory_auditentry;
BEGIN
    -- One entry of a chain after the other: the next one waits here until this transaction has ended.
    PERFORM pg_advisory_xact_lock(x'6E630003'::int, hashtext(coalesce(NEW.tenant_id::text, '')));
    SELECT * INTO last FROM inventory_auditentry
        WHERE tenant_id IS NOT DISTINCT FROM NEW.tenant_id ORDER BY number DESC LIMIT 1;
    NEW.number := coalesce(last.number, 0) + 1;
    NEW.previous := coalesce(last.digest, decode(repeat('00', 32), 'hex'));
    NEW.digest := netcairn_audit_digest(NEW);
    RETURN NEW;
END $$;

CREATE TRIGGER audit_chain BEFORE INSERT ON inventory_auditentry
    FOR EACH ROW EXECUTE FUNCTION netcairn_audit_chain();
"""

# The setting exists for the test suite, which empties every table after a test that commits.
GUARD = """
CREATE FUNCTION netcairn_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_setting('netcairn.audit_may_be_emptied', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The audit log can only be added to; % is refused.', TG_OP;
END $$;

CREATE TRIGGER audit_rows_stay BEFORE UPDATE OR DELETE ON inventory_auditentry
    FOR EACH ROW EXECUTE FUNCTION netcairn_audit_guard();
CREATE TRIGGER audit_table_stays BEFORE TRUNCATE ON inventory_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION netcairn_audit_guard();
"""

AWAY = """
DROP TRIGGER audit_table_stays ON inventory_auditentry;
DROP TRIGGER audit_rows_stay ON inventory_auditentry;
DROP FUNCTION netcairn_audit_guard();
DROP TRIGGER audit_chain ON inventory_auditentry;
DROP FUNCTION netcairn_audit_chain();
DROP FUNCTION netcairn_audit_digest(inventory_auditentry);
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0005_audit_and_notices")]
    operations = [migrations.RunSQL(CHAIN + GUARD, AWAY)]
