-- Access of partners as people maintain it, and what was removed of it.

CREATE OR REPLACE FUNCTION dpor.described_access(held dpor.access) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT format('%s of %s at %s%s', held.role, held.principal, held.scope,
                CASE WHEN coalesce(held.condition, '') <> '' THEN ' if ' || held.condition
                     ELSE '' END)
$$;

CREATE OR REPLACE FUNCTION dpor.record_access(
  action text, held dpor.access, subscription_id text, provenance text
) RETURNS void
LANGUAGE sql AS $$
  SELECT dpor.record(action, jsonb_build_object(
    'subscription_id',
    coalesce(subscription_id, nullif(regexp_replace(held.scope, '^.*/', ''), '')),
    'partner_id', held.partner_id,
    'detail', dpor.described_access(held)), provenance)
$$;

CREATE OR REPLACE FUNCTION dpor.insert_access(
  action text, held dpor.access, subscription_id text, provenance text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  held.id := gen_random_uuid();
  held.granted_by := session_user;
  held.granted_at := clock_timestamp();
  INSERT INTO dpor.access VALUES (held.*) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    PERFORM dpor.invalid(dpor.described_access(held) || ' is noted already');
  END IF;
  PERFORM dpor.record_access(action, held, subscription_id, provenance);
  RETURN to_jsonb(held);
END
$$;

CREATE OR REPLACE FUNCTION dpor.add_access(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  held dpor.access := jsonb_populate_record(NULL::dpor.access, arguments);
BEGIN
  PERFORM dpor.require_scope(held.scope);
  IF held.principal IS NULL OR held.role IS NULL OR held.partner_id IS NULL THEN
    PERFORM dpor.invalid('an access needs a scope, a principal, a role and a partner_id');
  END IF;
  RETURN dpor.insert_access('access-add', held, NULL, provenance);
END
$$;

CREATE OR REPLACE FUNCTION dpor.remove_access(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  held dpor.access;
BEGIN
  DELETE FROM dpor.access AS row
  WHERE row.scope = arguments ->> 'scope'
    AND row.principal = arguments ->> 'principal'
    AND row.role = arguments ->> 'role'
  RETURNING * INTO held;
  IF NOT FOUND THEN
    PERFORM dpor.invalid(format('%s holds no %s at %s; see: dpor access list',
      arguments ->> 'principal', arguments ->> 'role', arguments ->> 'scope'));
  END IF;
  PERFORM dpor.record_access('access-remove', held, NULL, provenance);
  RETURN to_jsonb(held);
END
$$;

CREATE OR REPLACE FUNCTION dpor.revoke_access(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  held dpor.access;
  revoked jsonb := '[]';
BEGIN
  FOR held IN
    SELECT * FROM dpor.access AS row
    WHERE row.scope = '/subscriptions/' || (arguments ->> 'subscription_id')
      AND arguments -> 'ids' ? row.id
    ORDER BY row.scope, row.principal, row.role
  LOOP
    INSERT INTO dpor.removed_access (
      id, subscription_id, scope, principal, role, partner_id, condition, granted_by, granted_at,
      removed_by, removed_at)
    VALUES (
      held.id, arguments ->> 'subscription_id', held.scope, held.principal, held.role,
      held.partner_id, held.condition, held.granted_by, held.granted_at,
      session_user, clock_timestamp());
    DELETE FROM dpor.access AS row WHERE row.id = held.id;
    PERFORM dpor.record_access(
      'access-revoke', held, arguments ->> 'subscription_id', provenance);
    revoked := revoked || to_jsonb(held);
  END LOOP;
  RETURN revoked;
END
$$;

CREATE OR REPLACE FUNCTION dpor.restore_access(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  removed dpor.removed_access;
  restored jsonb := '[]';
BEGIN
  -- What came back by hand and was revoked again is there more than once; the last counts.
  FOR removed IN
    SELECT DISTINCT ON (row.principal, row.role) * FROM dpor.removed_access AS row
    WHERE row.restored_at IS NULL
      AND row.subscription_id = arguments ->> 'subscription_id'
      AND (arguments ->> 'principal' IS NULL OR row.principal = arguments ->> 'principal')
    ORDER BY row.principal, row.role, row.removed_at DESC, row.id DESC
  LOOP
    restored := restored || dpor.insert_access(
      'access-restore',
      jsonb_populate_record(NULL::dpor.access, to_jsonb(removed)),
      arguments ->> 'subscription_id',
      provenance);
  END LOOP;
  IF restored = '[]' THEN
    PERFORM dpor.invalid(format(
      'nothing was revoked at subscription %s%s; see: dpor access list --removed',
      arguments ->> 'subscription_id', coalesce(' of ' || (arguments ->> 'principal'), '')));
  END IF;
  UPDATE dpor.removed_access AS row SET restored_at = clock_timestamp()
  WHERE row.restored_at IS NULL
    AND row.subscription_id = arguments ->> 'subscription_id'
    AND (arguments ->> 'principal' IS NULL OR row.principal = arguments ->> 'principal');
  RETURN restored;
END
$$;
