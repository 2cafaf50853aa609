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
    WHEN 'add-demand' THEN 'demand tokens at ' || (arguments ->> 'scope')
    WHEN 'remove-demand' THEN 'remove the demand at ' || (arguments ->> 'scope')
    WHEN 'add-partner' THEN 'add partner ' || (arguments ->> 'id')
    WHEN 'rename-partner' THEN 'rename partner ' || (arguments ->> 'partner_id')
    WHEN 'retire-partner' THEN 'retire partner ' || (arguments ->> 'partner_id')
    WHEN 'renumber-partner' THEN 'renumber partner ' || (arguments ->> 'partner_id')
    WHEN 'agree-with-partner' THEN
      'change the agreement with ' || (arguments ->> 'partner_id')
    WHEN 'know-partner-by' THEN
      'change the principals of ' || (arguments ->> 'partner_id')
  END
$$;

CREATE OR REPLACE FUNCTION dpor.dispatch(
  operation text, arguments jsonb, subscription_id text, provenance text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  attempt text;
BEGIN
  PERFORM dpor.require_printable(arguments);
  PERFORM dpor.require_provenance(provenance);
  attempt := dpor.attempt(operation, arguments);
  IF attempt IS NULL THEN
    PERFORM dpor.invalid('this registry knows no such operation, or it lacks an argument');
  END IF;
  IF subscription_id IS NULL THEN
    PERFORM dpor.require_global_administrator(attempt);
  ELSE
    PERFORM dpor.require_subscription(subscription_id);
    PERFORM dpor.require_role(subscription_id, attempt);
    -- What a person saw needs no pipeline.
    IF operation <> 'confirm' THEN
      PERFORM dpor.require_demanded(
        subscription_id, attempt, provenance::jsonb, arguments ->> 'lacking');
    END IF;
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
    WHEN 'add-demand' THEN dpor.add_demand(arguments, provenance)
    WHEN 'remove-demand' THEN dpor.remove_demand(arguments, provenance)
    WHEN 'add-partner' THEN dpor.add_partner(arguments, provenance)
    WHEN 'rename-partner' THEN dpor.rename_partner(arguments, provenance)
    WHEN 'retire-partner' THEN dpor.retire_partner(arguments, provenance)
    WHEN 'renumber-partner' THEN dpor.renumber_partner(arguments, provenance)
    WHEN 'agree-with-partner' THEN dpor.agree_with_partner(arguments, provenance)
    WHEN 'know-partner-by' THEN dpor.know_partner_by(arguments, provenance)
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
  -- One writer at a time, so that the log has one end. Readers do not wait. It is written, not only
  -- locked: whoever waited for it with an older view of the tables is then told to begin again.
  UPDATE dpor.registry SET id = id;
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
    WHEN SQLSTATE 'DPDEM' THEN
      -- Nothing was decided: the client shows more, or says what it lacks.
      RETURN jsonb_build_object('demanded', SQLERRM::jsonb);
    WHEN SQLSTATE 'DPREF' THEN
      reply := jsonb_build_object('refused', SQLERRM);
      PERFORM dpor.record('refuse', jsonb_build_object(
        'subscription_id', subscription_id,
        'detail', format('%s: %s', dpor.attempt(operation, arguments), SQLERRM)), provenance);
    WHEN SQLSTATE 'DPCON' THEN
      reply := jsonb_build_object('conflict', SQLERRM);
    WHEN SQLSTATE 'DPINV' THEN
      reply := jsonb_build_object('invalid', SQLERRM);
    WHEN data_exception OR not_null_violation THEN
      reply := jsonb_build_object('invalid', 'an argument is not what it must be: ' || SQLERRM);
  END;
  INSERT INTO dpor.replies VALUES (request, session_user, reply);
  DELETE FROM dpor.replies AS old WHERE old.at < clock_timestamp() - interval '1 hour';
  RETURN reply;
END
$$;

-- Nothing else is anybody's, whatever the database's default privileges say.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA dpor FROM PUBLIC;
DO $$
DECLARE
  given record;
BEGIN
  FOR given IN
    SELECT privilege, what,
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS whose
    FROM (
      SELECT grantee, privilege_type AS privilege, format('TABLE dpor.%I', relname) AS what
      FROM pg_class CROSS JOIN aclexplode(relacl)
      WHERE relnamespace = 'dpor'::regnamespace AND grantee <> relowner
        AND (privilege_type <> 'SELECT' OR relname = 'replies')
      UNION ALL
      SELECT grantee, privilege_type, 'SCHEMA dpor'
      FROM pg_namespace CROSS JOIN aclexplode(nspacl)
      WHERE nspname = 'dpor' AND grantee <> nspowner AND privilege_type = 'CREATE'
    ) AS held
  LOOP
    EXECUTE format('REVOKE %s ON %s FROM %s CASCADE', given.privilege, given.what, given.whose);
  END LOOP;
END
$$;

-- Who was let in by `admit`, and not shut out since, may read what an upgrade adds.
SELECT dpor.admit(pg_get_userbyid(grantee))
FROM (
  SELECT grantee FROM pg_proc CROSS JOIN aclexplode(proacl)
  WHERE pronamespace = 'dpor'::regnamespace AND proname = 'perform'
  INTERSECT
  SELECT grantee FROM pg_namespace CROSS JOIN aclexplode(nspacl)
  WHERE nspname = 'dpor' AND privilege_type = 'USAGE'
) AS admitted
WHERE grantee <> 0;
