-- Who may do what: the principal is the login that the server authenticated, `session_user`, which
-- neither SET ROLE nor a function of another owner changes.

CREATE OR REPLACE FUNCTION dpor.holds_role(scope text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM dpor.grants AS held
    WHERE held.principal = session_user
      AND (held.role = 'Global Administrator'
           OR held.role IN ('Owner', 'Contributor') AND held.scope IN ('/', holds_role.scope))
  )
$$;

CREATE OR REPLACE FUNCTION dpor.require_role(subscription_id text, attempt text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT dpor.holds_role('/subscriptions/' || subscription_id) THEN
    PERFORM dpor.refuse(format(
      '%s may not %s: it holds none of Global Administrator, Owner and Contributor at or above'
      ' subscription %s; ask a Global Administrator to run: dpor registry grant %s Owner'
      ' --scope /subscriptions/%s',
      session_user, attempt, subscription_id, dpor.shell_quoted(session_user), subscription_id));
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION dpor.require_global_administrator(attempt text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM dpor.grants AS held
    WHERE held.principal = session_user AND held.role = 'Global Administrator'
  ) THEN
    PERFORM dpor.refuse(format(
      '%s may not %s: only a Global Administrator may; see who is one with: dpor registry show',
      session_user, attempt));
  END IF;
END
$$;

-- A login reads the registry and calls `perform`; it writes no table. The registry's owner calls
-- this from psql, and what others left in a schema of its search_path must not answer for it.
CREATE OR REPLACE FUNCTION dpor.admit(principal text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF principal = (
    SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'dpor'
  ) THEN
    RETURN;
  END IF;
  PERFORM id FROM dpor.registry FOR UPDATE;
  EXECUTE format('GRANT USAGE ON SCHEMA dpor TO %I', principal);
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA dpor TO %I', principal);
  EXECUTE format('REVOKE ALL ON dpor.replies FROM %I', principal);
  EXECUTE format('GRANT EXECUTE ON FUNCTION dpor.perform TO %I', principal);
END
$$;

CREATE OR REPLACE FUNCTION dpor.described_grant(arguments jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT format('%s at %s to %s',
                arguments ->> 'role', arguments ->> 'scope', arguments ->> 'principal')
$$;

CREATE OR REPLACE FUNCTION dpor.grant_role(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  wanted dpor.grants := jsonb_populate_record(NULL::dpor.grants, arguments);
BEGIN
  PERFORM dpor.require_scope(wanted.scope);
  IF coalesce(wanted.role NOT IN ('Global Administrator', 'Owner', 'Contributor'), true) THEN
    PERFORM dpor.invalid(coalesce(to_json(wanted.role)::text, 'null')
      || ' is none of Global Administrator, Owner, Contributor');
  END IF;
  IF wanted.role = 'Global Administrator' AND wanted.scope <> '/' THEN
    PERFORM dpor.invalid('Global Administrator has no scope below /; grant Owner there instead');
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.principal AND rolcanlogin) THEN
    PERFORM dpor.invalid(coalesce(wanted.principal, 'null')
      || ' is no login of this server; have its administrator make one first: CREATE ROLE '
      || coalesce(quote_ident(wanted.principal), '…') || ' LOGIN');
  END IF;
  INSERT INTO dpor.grants VALUES (wanted.*) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    PERFORM dpor.invalid(dpor.described_grant(arguments) || ' is granted already');
  END IF;
  PERFORM dpor.admit(wanted.principal);
  PERFORM dpor.record(
    'grant', jsonb_build_object('detail', dpor.described_grant(arguments)), provenance);
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION dpor.ungrant_role(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM dpor.grants AS held
  WHERE held.principal = arguments ->> 'principal'
    AND held.role = arguments ->> 'role'
    AND held.scope = arguments ->> 'scope';
  IF NOT FOUND THEN
    PERFORM dpor.invalid(
      dpor.described_grant(arguments) || ' is not granted; see: dpor registry show');
  END IF;
  IF NOT EXISTS (SELECT FROM dpor.grants WHERE role = 'Global Administrator') THEN
    PERFORM dpor.refuse('the last Global Administrator cannot be removed; grant the role to'
      ' somebody else first');
  END IF;
  PERFORM dpor.record(
    'ungrant', jsonb_build_object('detail', dpor.described_grant(arguments)), provenance);
  RETURN NULL;
END
$$;
