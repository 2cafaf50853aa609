-- The one function that a deployer may call. It runs with the rights of the registry's owner, for
-- the login that the server authenticated.

-- What each call was answered, so that one that is repeated after a lost connection, when nobody
-- can tell whether it was committed, is answered again and not carried out twice.
CREATE TABLE IF NOT EXISTS dpor.replies (
  request uuid NOT NULL,
  principal text NOT NULL,
  reply jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (request, principal)
);
CREATE INDEX IF NOT EXISTS ix_replies_at ON dpor.replies (at);

CREATE OR REPLACE FUNCTION dpor.attempt(operation text, arguments jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE operation
    WHEN 'designate' THEN format('designate %s for subscription %s',
      arguments ->> 'partner_id', arguments ->> 'subscription_id')
    WHEN 'adopt' THEN 'adopt the designation of subscription ' || (arguments ->> 'subscription_id')
    WHEN 'withdraw' THEN
      'withdraw the designation of subscription ' || (arguments ->> 'subscription_id')
    WHEN 'release' THEN
      'release the designation of subscription ' || (arguments ->> 'subscription_id')
    WHEN 'confirm' THEN 'confirm subscription ' || (arguments ->> 'subscription_id')
    WHEN 'observe' THEN 'import observations'
    WHEN 'add-access' THEN 'add ' || dpor.described_access(
      jsonb_populate_record(NULL::dpor.access, arguments))
    WHEN 'remove-access' THEN format('remove %s of %s at %s',
      arguments ->> 'role', arguments ->> 'principal', arguments ->> 'scope')
    WHEN 'revoke-access' THEN 'revoke access'
    WHEN 'restore-access' THEN 'restore access'
    WHEN 'grant' THEN 'grant ' || dpor.described_grant(arguments)
    WHEN 'ungrant' THEN 'ungrant ' || dpor.described_grant(arguments)
    WHEN 'add-partner' THEN 'add partner ' || (arguments ->> 'id')
    WHEN 'rename-partner' THEN 'rename partner ' || (arguments ->> 'partner_id')
    WHEN 'retire-partner' THEN 'retire partner ' || (arguments ->> 'partner_id')
    WHEN 'renumber-partner' THEN 'renumber partner ' || (arguments ->> 'partner_id')
    WHEN 'agree-with-partner' THEN
      'change the agreement with ' || (arguments ->> 'partner_id')
  END
$$;

CREATE OR REPLACE FUNCTION dpor.dispatch(
  operation text, arguments jsonb, subscription_id text, provenance text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  attempt text := dpor.attempt(operation, arguments);
BEGIN
  PERFORM dpor.require_printable(jsonb_build_array(arguments, provenance));
  IF attempt IS NULL THEN
    PERFORM dpor.invalid('this registry knows no such operation, or it lacks an argument');
  END IF;
  IF subscription_id IS NULL THEN
    PERFORM dpor.require_global_administrator(attempt);
  ELSE
    PERFORM dpor.require_subscription(subscription_id);
    PERFORM dpor.require_role(subscription_id, attempt);
  END IF;
  RETURN CASE operation
    WHEN 'designate' THEN dpor.designate(arguments, provenance)
    WHEN 'adopt' THEN dpor.adopt(arguments, provenance)
    WHEN 'withdraw' THEN dpor.withdraw(arguments, provenance)
    WHEN 'release' THEN dpor.release(arguments, provenance)
    WHEN 'confirm' THEN dpor.confirm(arguments, provenance)
    WHEN 'observe' THEN dpor.observe(arguments, provenance)
    WHEN 'add-access' THEN dpor.add_access(arguments, provenance)
    WHEN 'remove-access' THEN dpor.remove_access(arguments, provenance)
    WHEN 'revoke-access' THEN dpor.revoke_access(arguments, provenance)
    WHEN 'restore-access' THEN dpor.restore_access(arguments, provenance)
    WHEN 'grant' THEN dpor.grant_role(arguments, provenance)
    WHEN 'ungrant' THEN dpor.ungrant_role(arguments, provenance)
    WHEN 'add-partner' THEN dpor.add_partner(arguments, provenance)
    WHEN 'rename-partner' THEN dpor.rename_partner(arguments, provenance)
    WHEN 'retire-partner' THEN dpor.retire_partner(arguments, provenance)
    WHEN 'renumber-partner' THEN dpor.renumber_partner(arguments, provenance)
    WHEN 'agree-with-partner' THEN dpor.agree_with_partner(arguments, provenance)
  END;
END
$$;

CREATE OR REPLACE FUNCTION dpor.perform(
  operation text, arguments jsonb, request uuid, provenance text, known_schema text
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '30s'
AS $$
DECLARE
  reply jsonb;
  found_schema text;
  -- What needs a role at one subscription names it; all else needs a Global Administrator.
  subscription_id text := CASE
    WHEN operation IN ('designate', 'adopt', 'withdraw', 'release', 'confirm', 'revoke-access',
                       'restore-access')
      THEN coalesce(arguments ->> 'subscription_id', '')
    WHEN operation IN ('add-access', 'remove-access') AND arguments ->> 'scope' <> '/'
      THEN regexp_replace(arguments ->> 'scope', '^.*/', '')
  END;
BEGIN
  -- One writer at a time, so that the log has one end. Readers do not wait.
  PERFORM id FROM dpor.registry FOR UPDATE;
  SELECT version_num INTO found_schema FROM dpor.alembic_version;
  IF found_schema IS DISTINCT FROM known_schema THEN
    RETURN jsonb_build_object('schema', found_schema);
  END IF;
  SELECT given.reply INTO reply FROM dpor.replies AS given
  WHERE given.request = perform.request AND given.principal = session_user;
  IF FOUND THEN
    RETURN reply;
  END IF;
  BEGIN
    reply := jsonb_build_object(
      'done', dpor.dispatch(operation, arguments, subscription_id, provenance));
  EXCEPTION
    WHEN SQLSTATE 'DPREF' THEN
      reply := jsonb_build_object('refused', SQLERRM);
      PERFORM dpor.record('refuse', jsonb_build_object(
        'subscription_id', subscription_id,
        'detail', format('%s: %s', dpor.attempt(operation, arguments), SQLERRM)), provenance);
    WHEN SQLSTATE 'DPCON' THEN
      reply := jsonb_build_object('conflict', SQLERRM);
    WHEN SQLSTATE 'DPINV' THEN
      reply := jsonb_build_object('invalid', SQLERRM);
  END;
  INSERT INTO dpor.replies VALUES (request, session_user, reply);
  DELETE FROM dpor.replies AS old WHERE old.at < clock_timestamp() - interval '1 hour';
  RETURN reply;
END
$$;

-- Nothing else is anybody's; who may call `perform` is granted by `admit`.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA dpor FROM PUBLIC;
SELECT dpor.admit(principal)
FROM (SELECT DISTINCT principal FROM dpor.grants) AS held
JOIN pg_catalog.pg_roles ON rolname = principal
WHERE principal <> current_user;
