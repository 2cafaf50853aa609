-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA dpor;


ALTER SCHEMA dpor OWNER TO registry_owner;

CREATE FUNCTION dpor.add_access(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.add_access(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.add_partner(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  partner dpor.partners := jsonb_populate_record(NULL::dpor.partners, arguments);
  one text;
  other dpor.partners;
  ids text[];
BEGIN
  PERFORM dpor.require_readable(partner);
  ids := ARRAY(SELECT partner.id UNION ALL SELECT json_array_elements_text(partner.former_ids));
  FOREACH one IN ARRAY ids
  LOOP
    PERFORM dpor.require_free(one);
    IF cardinality(array_positions(ids, one)) > 1 THEN
      PERFORM dpor.invalid(format('Partner ID %s is named twice for %s', one, partner.name));
    END IF;
  END LOOP;
  SELECT shared.principal INTO one FROM (
    SELECT json_array_elements_text(partner.principals) AS principal
    INTERSECT
    SELECT json_array_elements_text(row.principals) FROM dpor.partners AS row
  ) AS shared ORDER BY 1 LIMIT 1;
  IF FOUND THEN
    SELECT * INTO other FROM dpor.partners AS row WHERE row.principals::jsonb ? one LIMIT 1;
    PERFORM dpor.invalid(format('principal %s is %s''s already', one, other.name));
  END IF;
  RETURN dpor.put_partner('partner-add', partner, provenance);
END
$$;


ALTER FUNCTION dpor.add_partner(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.admit(principal text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
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


ALTER FUNCTION dpor.admit(principal text) OWNER TO registry_owner;

CREATE FUNCTION dpor.adopt(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  former text;
  partner dpor.partners := dpor.designable(arguments ->> 'partner_id');
  live dpor.designations := dpor.live_designation(arguments ->> 'subscription_id');
  new dpor.designations := live;
  ours boolean := coalesce(live.claim IS NOT NULL AND live.partner_id = partner.id, false);
BEGIN
  IF arguments ->> 'managed_by' IS NULL THEN
    PERFORM dpor.invalid('who adopts a designation says for which resource');
  END IF;
  PERFORM dpor.require_seen(live, arguments);
  former := dpor.former_partner(arguments, live, partner.id, true);
  IF live.partner_id IS DISTINCT FROM partner.id THEN
    new.subscription_id := arguments ->> 'subscription_id';
    new.partner_id := partner.id;
    new.partner_name := partner.name;
    new.effective := true;
    new.designated_by := session_user;
    new.designated_at := clock_timestamp();
  END IF;
  new.managed_by := arguments ->> 'managed_by';
  new.claim := arguments ->> 'claim';
  new.written_partner_id := partner.id;
  new.adopted := CASE WHEN ours THEN live.adopted ELSE true END;
  new.former_partner_id := coalesce(former, live.former_partner_id);
  RETURN dpor.put_designation('adopt', live, new, former, provenance);
END
$$;


ALTER FUNCTION dpor.adopt(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.agree_with_partner(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
BEGIN
  partner.agreement := arguments ->> 'agreement';
  partner.agreement_expires := (arguments ->> 'agreement_expires')::date;
  RETURN dpor.put_partner('partner-agreement', partner, provenance);
END
$$;


ALTER FUNCTION dpor.agree_with_partner(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.attempt(operation text, arguments jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
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


ALTER FUNCTION dpor.attempt(operation text, arguments jsonb) OWNER TO registry_owner;

CREATE FUNCTION dpor.canonical(fields jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
  SELECT '{' || string_agg(to_json(field.key)::text || ':' || field.value::text, ','
                           ORDER BY field.key COLLATE "C") || '}'
  FROM jsonb_each(fields) AS field
  WHERE field.value <> 'null'
$$;


ALTER FUNCTION dpor.canonical(fields jsonb) OWNER TO registry_owner;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE dpor.designations (
    subscription_id character varying(36) NOT NULL,
    partner_id character varying(32),
    partner_name text,
    version integer NOT NULL,
    managed_by text,
    claim character varying(64),
    written_partner_id character varying(32),
    adopted boolean NOT NULL,
    effective boolean NOT NULL,
    designated_by text NOT NULL,
    designated_at timestamp with time zone NOT NULL,
    former_partner_id character varying(32)
);


ALTER TABLE dpor.designations OWNER TO registry_owner;

CREATE FUNCTION dpor.changed_meanwhile(live dpor.designations) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  SELECT CASE WHEN live.subscription_id IS NULL
    THEN 'the designation vanished from the registry; run pulumi preview again'
    ELSE (
      SELECT format(
        'subscription %s was changed meanwhile: it has %s now, by %s%s at %s UTC; nothing was'
        ' written, run pulumi preview again',
        live.subscription_id,
        coalesce(live.partner_id || ' (' || live.partner_name || ')', 'no partner'),
        entry.actor,
        coalesce(' for ' || live.managed_by, ''),
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
      FROM dpor.audit_log AS entry
      WHERE entry.subscription_id = live.subscription_id AND entry.version = live.version
      ORDER BY entry.sequence LIMIT 1
    ) END
$$;


ALTER FUNCTION dpor.changed_meanwhile(live dpor.designations) OWNER TO registry_owner;

CREATE FUNCTION dpor.confirm(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  live dpor.designations := dpor.live_designation(arguments ->> 'subscription_id');
BEGIN
  IF arguments ->> 'seen_version' IS NOT NULL
     AND live.version IS DISTINCT FROM (arguments ->> 'seen_version')::integer THEN
    PERFORM dpor.conflict(format(
      'subscription %s was changed meanwhile; nothing was confirmed, see what is designated now'
      ' with: dpor worklist', arguments ->> 'subscription_id'));
  END IF;
  UPDATE dpor.removed_access SET carried_out_at = clock_timestamp()
  WHERE subscription_id = arguments ->> 'subscription_id' AND carried_out_at IS NULL;
  RETURN to_jsonb(dpor.note_observation(
    'confirm', arguments ->> 'subscription_id', arguments ->> 'partner_id',
    arguments ->> 'partner_name', provenance));
END
$$;


ALTER FUNCTION dpor.confirm(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.conflict(message text) RETURNS void
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'DPCON'; END $$;


ALTER FUNCTION dpor.conflict(message text) OWNER TO registry_owner;

CREATE FUNCTION dpor.control() RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT E'[\\u0001-\\u001F\\u007F-\\u009F]' $$;


ALTER FUNCTION dpor.control() OWNER TO registry_owner;

CREATE FUNCTION dpor.current_partner_id(partner_id text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  SELECT coalesce(
    (SELECT id FROM dpor.partners WHERE id = partner_id),
    (SELECT id FROM dpor.partners WHERE former_ids::jsonb ? partner_id LIMIT 1),
    partner_id)
$$;


ALTER FUNCTION dpor.current_partner_id(partner_id text) OWNER TO registry_owner;

CREATE TABLE dpor.access (
    id character varying(36) NOT NULL,
    scope text NOT NULL,
    principal text NOT NULL,
    role text NOT NULL,
    partner_id character varying(32) NOT NULL,
    condition text,
    granted_by text NOT NULL,
    granted_at timestamp with time zone NOT NULL
);


ALTER TABLE dpor.access OWNER TO registry_owner;

CREATE FUNCTION dpor.described_access(held dpor.access) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
  SELECT format('%s of %s at %s%s', held.role, held.principal, held.scope,
                CASE WHEN coalesce(held.condition, '') <> '' THEN ' if ' || held.condition
                     ELSE '' END)
$$;


ALTER FUNCTION dpor.described_access(held dpor.access) OWNER TO registry_owner;

CREATE FUNCTION dpor.described_grant(arguments jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
  SELECT format('%s at %s to %s',
                arguments ->> 'role', arguments ->> 'scope', arguments ->> 'principal')
$$;


ALTER FUNCTION dpor.described_grant(arguments jsonb) OWNER TO registry_owner;

CREATE TABLE dpor.partners (
    id character varying(32) NOT NULL,
    name text NOT NULL,
    former_ids json NOT NULL,
    former_names json NOT NULL,
    status character varying(16) NOT NULL,
    replaced_by character varying(32),
    principals json NOT NULL,
    tenants json NOT NULL,
    agreement text,
    agreement_expires date
);


ALTER TABLE dpor.partners OWNER TO registry_owner;

CREATE FUNCTION dpor.designable(partner_id text) RETURNS dpor.partners
    LANGUAGE plpgsql
    AS $$
DECLARE
  partner dpor.partners;
BEGIN
  SELECT * INTO partner FROM dpor.partners WHERE id = designable.partner_id;
  IF NOT FOUND THEN
    SELECT * INTO partner FROM dpor.partners WHERE id = dpor.current_partner_id(partner_id);
    IF FOUND THEN
      PERFORM dpor.refuse(format(
        'Partner ID %s was renumbered: %s has %s now; designate that',
        partner_id, partner.name, partner.id));
    END IF;
    PERFORM dpor.refuse(format(
      'Partner ID %s is not in the directory; see: dpor registry partner list', partner_id));
  END IF;
  IF partner.status = 'retired' THEN
    PERFORM dpor.refuse(format(
      'partner %s (%s) is retired%s', partner.name, partner_id,
      CASE WHEN partner.replaced_by IS NOT NULL
           THEN '; its successor is ' || partner.replaced_by ELSE '' END));
  END IF;
  RETURN partner;
END
$$;


ALTER FUNCTION dpor.designable(partner_id text) OWNER TO registry_owner;

CREATE FUNCTION dpor.designate(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  action text := arguments ->> 'action';
  owner text := arguments ->> 'managed_by';
  former text;
  partner dpor.partners := dpor.designable(arguments ->> 'partner_id');
  live dpor.designations := dpor.live_designation(arguments ->> 'subscription_id');
  new dpor.designations := live;
BEGIN
  IF coalesce(action NOT IN ('designate', 'switch', 'repair'), true) THEN
    PERFORM dpor.invalid('a designation is recorded as designate, switch or repair');
  END IF;
  PERFORM dpor.require_seen(live, arguments);
  former := dpor.former_partner(arguments, live, partner.id, owner IS NOT NULL);
  new.subscription_id := arguments ->> 'subscription_id';
  new.partner_id := partner.id;
  new.partner_name := partner.name;
  new.managed_by := coalesce(owner, live.managed_by);
  new.claim := CASE WHEN owner IS NOT NULL THEN arguments ->> 'claim' END;
  new.written_partner_id :=
    CASE WHEN owner IS NOT NULL THEN partner.id ELSE live.written_partner_id END;
  new.adopted := false;
  new.effective := false;
  new.designated_by := session_user;
  new.designated_at := clock_timestamp();
  new.former_partner_id := coalesce(former, live.former_partner_id);
  RETURN dpor.put_designation(action, live, new, former, provenance);
END
$$;


ALTER FUNCTION dpor.designate(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.digest(text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
  SELECT encode(sha256(convert_to(E'dpor-audit-v1\n' || $1, 'UTF8')), 'hex')
$_$;


ALTER FUNCTION dpor.digest(text) OWNER TO registry_owner;

CREATE FUNCTION dpor.dispatch(operation text, arguments jsonb, subscription_id text, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.dispatch(operation text, arguments jsonb, subscription_id text, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.former_partner(arguments jsonb, live dpor.designations, partner_id text, by_deployment boolean) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
  claimed text := arguments ->> 'former_partner_id';
  -- Also where the registry has no designation yet.
  shown text := (
    SELECT seen.partner_id FROM dpor.observations AS seen
    WHERE seen.subscription_id = arguments ->> 'subscription_id'
  );
BEGIN
  IF claimed IS NOT NULL THEN
    IF claimed = ANY (ARRAY[live.partner_id, live.written_partner_id, shown]) THEN
      RETURN claimed;
    END IF;
    PERFORM dpor.invalid(format(
      'partner %s never was the one of subscription %s', claimed, arguments ->> 'subscription_id'));
  END IF;
  IF by_deployment THEN
    IF dpor.current_partner_id(live.written_partner_id) <> dpor.current_partner_id(partner_id) THEN
      RETURN live.written_partner_id;
    END IF;
  ELSIF live.written_partner_id IS NULL AND live.partner_id <> partner_id THEN
    RETURN live.partner_id;
  END IF;
  RETURN NULL;
END
$$;


ALTER FUNCTION dpor.former_partner(arguments jsonb, live dpor.designations, partner_id text, by_deployment boolean) OWNER TO registry_owner;

CREATE FUNCTION dpor.grant_role(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.grant_role(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.holds_control(words text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT words ~ dpor.control() $$;


ALTER FUNCTION dpor.holds_control(words text) OWNER TO registry_owner;

CREATE FUNCTION dpor.holds_role(scope text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  SELECT EXISTS (
    SELECT FROM dpor.grants AS held
    WHERE held.principal = session_user
      AND (held.role = 'Global Administrator'
           OR held.role IN ('Owner', 'Contributor') AND held.scope IN ('/', holds_role.scope))
  )
$$;


ALTER FUNCTION dpor.holds_role(scope text) OWNER TO registry_owner;

CREATE FUNCTION dpor.insert_access(action text, held dpor.access, subscription_id text, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.insert_access(action text, held dpor.access, subscription_id text, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.invalid(message text) RETURNS void
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'DPINV'; END $$;


ALTER FUNCTION dpor.invalid(message text) OWNER TO registry_owner;

CREATE FUNCTION dpor.known_partner(partner_id text) RETURNS dpor.partners
    LANGUAGE plpgsql
    AS $$
DECLARE
  partner dpor.partners;
BEGIN
  SELECT * INTO partner FROM dpor.partners WHERE id = known_partner.partner_id;
  IF NOT FOUND THEN
    PERFORM dpor.invalid(format(
      'no partner %s in the directory; see: dpor registry partner list', partner_id));
  END IF;
  RETURN partner;
END
$$;


ALTER FUNCTION dpor.known_partner(partner_id text) OWNER TO registry_owner;

CREATE FUNCTION dpor.live_designation(subscription_id text) RETURNS dpor.designations
    LANGUAGE sql STABLE
    AS $$
  SELECT * FROM dpor.designations AS row
  WHERE row.subscription_id = live_designation.subscription_id
$$;


ALTER FUNCTION dpor.live_designation(subscription_id text) OWNER TO registry_owner;

CREATE FUNCTION dpor.note_observation(action text, subscription_id text, partner_id text, partner_name text, provenance text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
  live dpor.designations := dpor.live_designation(subscription_id);
  confirmed boolean;
BEGIN
  DELETE FROM dpor.observations AS row
  WHERE row.subscription_id = note_observation.subscription_id;
  INSERT INTO dpor.observations
  VALUES (subscription_id, partner_id, partner_name, session_user, clock_timestamp());
  UPDATE dpor.designations AS row SET effective = true
  WHERE row.subscription_id = note_observation.subscription_id
    AND NOT row.effective
    AND row.partner_id IS NOT DISTINCT FROM note_observation.partner_id;
  confirmed := FOUND;
  PERFORM dpor.record(action, jsonb_build_object(
    'subscription_id', subscription_id,
    'partner_id', partner_id,
    'version', live.version,
    'detail', partner_name), provenance);
  RETURN confirmed;
END
$$;


ALTER FUNCTION dpor.note_observation(action text, subscription_id text, partner_id text, partner_name text, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.observe(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  seen dpor.observations;
  confirmed integer := 0;
BEGIN
  FOR seen IN
    SELECT * FROM jsonb_populate_recordset(NULL::dpor.observations, arguments -> 'seen')
  LOOP
    PERFORM dpor.require_subscription(seen.subscription_id);
    confirmed := confirmed + dpor.note_observation(
      'observe', seen.subscription_id, seen.partner_id, seen.partner_name, provenance)::integer;
  END LOOP;
  RETURN to_jsonb(confirmed);
END
$$;


ALTER FUNCTION dpor.observe(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.partner_of_any(partner_id text) RETURNS dpor.partners
    LANGUAGE sql STABLE
    AS $$
  SELECT * FROM dpor.partners WHERE id = dpor.current_partner_id(partner_id)
$$;


ALTER FUNCTION dpor.partner_of_any(partner_id text) OWNER TO registry_owner;

CREATE FUNCTION dpor.perform(operation text, arguments jsonb, request uuid, provenance text, known_schema text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '30s'
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


ALTER FUNCTION dpor.perform(operation text, arguments jsonb, request uuid, provenance text, known_schema text) OWNER TO registry_owner;

CREATE FUNCTION dpor.put_designation(action text, live dpor.designations, new dpor.designations, former_partner_id text, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
BEGIN
  new.version := coalesce(live.version, 0) + 1;
  DELETE FROM dpor.designations AS row WHERE row.subscription_id = new.subscription_id;
  INSERT INTO dpor.designations VALUES (new.*);
  PERFORM dpor.record(action, jsonb_build_object(
    'subscription_id', new.subscription_id,
    'partner_id', new.partner_id,
    'previous_partner_id', live.partner_id,
    'former_partner_id', former_partner_id,
    'version', new.version,
    'managed_by', new.managed_by), provenance);
  RETURN to_jsonb(new);
END
$$;


ALTER FUNCTION dpor.put_designation(action text, live dpor.designations, new dpor.designations, former_partner_id text, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.put_partner(action text, partner dpor.partners, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
BEGIN
  PERFORM dpor.require_readable(partner);
  DELETE FROM dpor.partners AS row WHERE row.id = partner.id;
  INSERT INTO dpor.partners VALUES (partner.*);
  PERFORM dpor.record(action, jsonb_build_object(
    'partner_id', partner.id, 'detail', to_jsonb(partner)::text), provenance);
  RETURN to_jsonb(partner);
END
$$;


ALTER FUNCTION dpor.put_partner(action text, partner dpor.partners, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.record(action text, fields jsonb, provenance text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  last dpor.audit_log;
  entry jsonb;
BEGIN
  SELECT * INTO last FROM dpor.audit_log ORDER BY sequence DESC LIMIT 1;
  entry := fields || jsonb_build_object(
    'sequence', coalesce(last.sequence, 0) + 1,
    'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'actor', session_user,
    'action', action,
    'provenance', provenance,
    'previous_hash', coalesce(last.hash, (SELECT dpor.digest(id) FROM dpor.registry))
  );
  entry := entry || jsonb_build_object('hash', dpor.digest(dpor.canonical(entry)));
  INSERT INTO dpor.audit_log SELECT * FROM jsonb_populate_record(NULL::dpor.audit_log, entry);
END
$$;


ALTER FUNCTION dpor.record(action text, fields jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.record_access(action text, held dpor.access, subscription_id text, provenance text) RETURNS void
    LANGUAGE sql
    AS $$
  SELECT dpor.record(action, jsonb_build_object(
    'subscription_id',
    coalesce(subscription_id, nullif(regexp_replace(held.scope, '^.*/', ''), '')),
    'partner_id', held.partner_id,
    'detail', dpor.described_access(held)), provenance)
$$;


ALTER FUNCTION dpor.record_access(action text, held dpor.access, subscription_id text, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.refuse(message text) RETURNS void
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION USING MESSAGE = message, ERRCODE = 'DPREF'; END $$;


ALTER FUNCTION dpor.refuse(message text) OWNER TO registry_owner;

CREATE FUNCTION dpor.release(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  live dpor.designations := dpor.live_designation(arguments ->> 'subscription_id');
  new dpor.designations := live;
BEGIN
  IF live.subscription_id IS NULL THEN
    PERFORM dpor.invalid(format(
      'subscription %s has no partner of record', arguments ->> 'subscription_id'));
  END IF;
  PERFORM dpor.require_seen(live, arguments);
  new.managed_by := NULL;
  new.claim := NULL;
  new.written_partner_id := NULL;
  RETURN dpor.put_designation('release', live, new, NULL, provenance);
END
$$;


ALTER FUNCTION dpor.release(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.remove_access(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.remove_access(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.rename_partner(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
  name text := arguments ->> 'name';
BEGIN
  IF partner.name = name THEN
    PERFORM dpor.invalid(format('partner %s is called %s already', partner.id, name));
  END IF;
  partner.former_names := (partner.former_names::jsonb - name) || to_jsonb(partner.name);
  partner.name := name;
  RETURN dpor.put_partner('partner-rename', partner, provenance);
END
$$;


ALTER FUNCTION dpor.rename_partner(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.renumber_partner(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
  old_id text := partner.id;
BEGIN
  PERFORM dpor.require_free(arguments ->> 'new_id');
  partner.id := arguments ->> 'new_id';
  partner.former_ids := partner.former_ids::jsonb || to_jsonb(old_id);
  DELETE FROM dpor.partners AS row WHERE row.id = old_id;
  UPDATE dpor.partners AS row SET replaced_by = partner.id WHERE row.replaced_by = old_id;
  RETURN dpor.put_partner('partner-renumber', partner, provenance);
END
$$;


ALTER FUNCTION dpor.renumber_partner(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_free(partner_id text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  other dpor.partners := dpor.partner_of_any(partner_id);
BEGIN
  IF NOT dpor.well_formed(partner_id) THEN
    PERFORM dpor.invalid(coalesce(to_json(partner_id)::text, 'null') || ' is no Partner ID');
  END IF;
  IF other.id IS NOT NULL THEN
    PERFORM dpor.invalid(format('Partner ID %s is %s''s already', partner_id, other.name));
  END IF;
END
$$;


ALTER FUNCTION dpor.require_free(partner_id text) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_global_administrator(attempt text) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.require_global_administrator(attempt text) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_printable(arguments jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $_$
DECLARE
  wrong text;
BEGIN
  SELECT words INTO wrong
  FROM (
    SELECT value #>> '{}' AS words
    FROM jsonb_path_query(arguments, 'strict $.**') AS value
    WHERE jsonb_typeof(value) = 'string'
    UNION ALL
    SELECT value #>> '{}'
    FROM jsonb_each(arguments)
    WHERE key NOT IN ('seen', 'ids', 'former_ids', 'former_names', 'principals', 'tenants')
  ) AS said
  WHERE dpor.holds_control(words) OR length(words) > 4096
  LIMIT 1;
  IF FOUND THEN
    PERFORM dpor.invalid(
      to_json(regexp_replace(left(wrong, 80), dpor.control(), '�', 'g'))::text
      || ' holds a character that cannot be printed, or more than 4096 of them');
  END IF;
END
$_$;


ALTER FUNCTION dpor.require_printable(arguments jsonb) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_provenance(provenance text) RETURNS void
    LANGUAGE plpgsql
    AS $_$
BEGIN
  IF jsonb_typeof(provenance::jsonb) <> 'object'
     OR provenance::jsonb @? 'strict $.* ? (@.type() != "string" && @.type() != "boolean")'
     OR dpor.holds_control(provenance) OR length(provenance) > 65536 THEN
    PERFORM dpor.invalid('where a deployment comes from is an object of texts and truth values');
  END IF;
  PERFORM dpor.require_printable(provenance::jsonb);
END
$_$;


ALTER FUNCTION dpor.require_provenance(provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_readable(partner dpor.partners) RETURNS void
    LANGUAGE plpgsql
    AS $_$
DECLARE
  lists jsonb := jsonb_build_object(
    'former_ids', partner.former_ids, 'former_names', partner.former_names,
    'principals', partner.principals, 'tenants', partner.tenants);
BEGIN
  IF lists @? 'strict $.* ? (@.type() != "array")'
     OR lists @? 'strict $.*[*] ? (@.type() != "string")' THEN
    PERFORM dpor.invalid('former_ids, former_names, principals and tenants are lists of texts');
  END IF;
  IF coalesce(partner.status NOT IN ('active', 'retired'), true) THEN
    PERFORM dpor.invalid(coalesce(to_json(partner.status)::text, 'null')
      || ' is neither active nor retired');
  END IF;
  IF partner.agreement = '' OR partner.agreement IS NULL AND partner.agreement_expires IS NOT NULL
  THEN
    PERFORM dpor.invalid('an agreement needs a reference');
  END IF;
  IF NOT coalesce(partner.agreement_expires BETWEEN '0001-01-01' AND '9999-12-31', true) THEN
    PERFORM dpor.invalid('an agreement ends on a day of the years 1 to 9999');
  END IF;
END
$_$;


ALTER FUNCTION dpor.require_readable(partner dpor.partners) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_role(subscription_id text, attempt text) RETURNS void
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.require_role(subscription_id text, attempt text) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_scope(scope text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF scope = '/' THEN
    RETURN;
  END IF;
  IF coalesce(scope NOT LIKE '/subscriptions/%', true) THEN
    PERFORM dpor.invalid(coalesce(to_json(scope)::text, 'null')
      || ' is no scope; write / or /subscriptions/UUID');
  END IF;
  PERFORM dpor.require_subscription(substr(scope, length('/subscriptions/') + 1));
END
$$;


ALTER FUNCTION dpor.require_scope(scope text) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_seen(live dpor.designations, arguments jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF (arguments ->> 'seen_version')::integer IS DISTINCT FROM coalesce(live.version, 0) THEN
    PERFORM dpor.conflict(dpor.changed_meanwhile(live));
  END IF;
END
$$;


ALTER FUNCTION dpor.require_seen(live dpor.designations, arguments jsonb) OWNER TO registry_owner;

CREATE FUNCTION dpor.require_subscription(subscription_id text) RETURNS void
    LANGUAGE plpgsql
    AS $_$
BEGIN
  IF coalesce(subscription_id
              !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$', true) THEN
    PERFORM dpor.invalid(coalesce(to_json(subscription_id)::text, 'null')
      || ' is no subscription id (a UUID in lower case)');
  END IF;
END
$_$;


ALTER FUNCTION dpor.require_subscription(subscription_id text) OWNER TO registry_owner;

CREATE FUNCTION dpor.restore_access(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.restore_access(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.retire_partner(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  partner dpor.partners := dpor.known_partner(arguments ->> 'partner_id');
  successor dpor.partners;
BEGIN
  IF partner.status = 'retired' THEN
    PERFORM dpor.invalid(format('partner %s is retired already', partner.id));
  END IF;
  IF arguments ->> 'replaced_by' IS NOT NULL THEN
    successor := dpor.known_partner(arguments ->> 'replaced_by');
    IF successor.id = partner.id OR successor.status = 'retired' THEN
      PERFORM dpor.invalid(format('partner %s cannot succeed %s', successor.id, partner.id));
    END IF;
  END IF;
  partner.status := 'retired';
  partner.replaced_by := successor.id;
  RETURN dpor.put_partner('partner-retire', partner, provenance);
END
$$;


ALTER FUNCTION dpor.retire_partner(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.revoke_access(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.revoke_access(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.shell_quoted(word text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
  SELECT CASE WHEN word ~ '^[A-Za-z0-9_@%+=:,./-]+$' THEN word
              ELSE '''' || replace(word, '''', '''"''"''') || '''' END
$_$;


ALTER FUNCTION dpor.shell_quoted(word text) OWNER TO registry_owner;

CREATE FUNCTION dpor.ungrant_role(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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


ALTER FUNCTION dpor.ungrant_role(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE FUNCTION dpor.well_formed(partner_id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $_$
  SELECT coalesce(partner_id ~ '^[1-9][0-9]{4,7}$'
    AND partner_id NOT IN ('12345', '123456', '1234567', '12345678')
    AND partner_id <> repeat(left(partner_id, 1), length(partner_id)), false)
$_$;


ALTER FUNCTION dpor.well_formed(partner_id text) OWNER TO registry_owner;

CREATE FUNCTION dpor.withdraw(arguments jsonb, provenance text) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
DECLARE
  live dpor.designations := dpor.live_designation(arguments ->> 'subscription_id');
  new dpor.designations := live;
BEGIN
  IF live.subscription_id IS NOT NULL THEN
    PERFORM dpor.require_seen(live, arguments);
  END IF;
  IF live.partner_id IS NULL THEN
    PERFORM dpor.invalid(format(
      'subscription %s has no partner of record', arguments ->> 'subscription_id'));
  END IF;
  new.partner_id := NULL;
  new.partner_name := NULL;
  new.managed_by := NULL;
  new.claim := NULL;
  new.written_partner_id := NULL;
  new.effective := false;
  new.designated_by := session_user;
  new.designated_at := clock_timestamp();
  new.former_partner_id := live.partner_id;
  RETURN dpor.put_designation('withdraw', live, new, live.partner_id, provenance);
END
$$;


ALTER FUNCTION dpor.withdraw(arguments jsonb, provenance text) OWNER TO registry_owner;

CREATE TABLE dpor.alembic_version (
    version_num character varying(32) NOT NULL
);


ALTER TABLE dpor.alembic_version OWNER TO registry_owner;

CREATE TABLE dpor.audit_log (
    sequence integer NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action character varying(32) NOT NULL,
    subscription_id character varying(36),
    partner_id character varying(32),
    previous_partner_id character varying(32),
    former_partner_id character varying(32),
    version integer,
    managed_by text,
    detail text,
    provenance text,
    previous_hash character varying(64) DEFAULT ''::character varying NOT NULL,
    hash character varying(64) DEFAULT ''::character varying NOT NULL
);


ALTER TABLE dpor.audit_log OWNER TO registry_owner;

CREATE SEQUENCE dpor.audit_log_sequence_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE dpor.audit_log_sequence_seq OWNER TO registry_owner;

ALTER SEQUENCE dpor.audit_log_sequence_seq OWNED BY dpor.audit_log.sequence;


CREATE TABLE dpor.grants (
    principal text NOT NULL,
    role character varying(64) NOT NULL,
    scope text NOT NULL
);


ALTER TABLE dpor.grants OWNER TO registry_owner;

CREATE TABLE dpor.observations (
    subscription_id character varying(36) NOT NULL,
    partner_id character varying(32),
    partner_name text,
    observed_by text NOT NULL,
    observed_at timestamp with time zone NOT NULL
);


ALTER TABLE dpor.observations OWNER TO registry_owner;

CREATE TABLE dpor.registry (
    id character varying(36) NOT NULL,
    created_at timestamp with time zone NOT NULL
);


ALTER TABLE dpor.registry OWNER TO registry_owner;

CREATE TABLE dpor.removed_access (
    id character varying(36) NOT NULL,
    subscription_id character varying(36) NOT NULL,
    scope text NOT NULL,
    principal text NOT NULL,
    role text NOT NULL,
    partner_id character varying(32) NOT NULL,
    condition text,
    granted_by text NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    removed_by text NOT NULL,
    removed_at timestamp with time zone NOT NULL,
    carried_out_at timestamp with time zone,
    restored_at timestamp with time zone
);


ALTER TABLE dpor.removed_access OWNER TO registry_owner;

CREATE TABLE dpor.replies (
    request uuid NOT NULL,
    principal text NOT NULL,
    reply jsonb NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


ALTER TABLE dpor.replies OWNER TO registry_owner;

ALTER TABLE ONLY dpor.audit_log ALTER COLUMN sequence SET DEFAULT nextval('dpor.audit_log_sequence_seq'::regclass);


INSERT INTO dpor.access VALUES ('b0e23111-0473-457d-96df-e6824dc251e0', '/', 'sp-fabrikam', 'Reader', '5127255', '@Resource[name] == ''it''''s''', 'registry_owner', '2026-11-27 17:19:38.920391+00');


INSERT INTO dpor.alembic_version VALUES ('0003');


INSERT INTO dpor.audit_log VALUES (1, '2026-11-27 17:19:38.827033+00', 'registry_owner', 'init', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '156cfd459f0e6b161ff15fdedeff70a0a70dcb2edd1dc9e68c9f2c391239a627', '1f29b9f33082dda7acd1cbff354360f00173121bacb759f631943fe403438a82');
INSERT INTO dpor.audit_log VALUES (2, '2026-11-27 17:19:38.884985+00', 'registry_owner', 'grant', NULL, NULL, NULL, NULL, NULL, NULL, 'Owner at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01 to bob', NULL, '1f29b9f33082dda7acd1cbff354360f00173121bacb759f631943fe403438a82', 'd6d6d0245ee76f174970d784347c8b41412517857270e0b7d25a083351ff51fc');
INSERT INTO dpor.audit_log VALUES (3, '2026-11-27 17:19:38.896611+00', 'registry_owner', 'grant', NULL, NULL, NULL, NULL, NULL, NULL, 'Contributor at / to reader', NULL, 'd6d6d0245ee76f174970d784347c8b41412517857270e0b7d25a083351ff51fc', '05781e573275f8e7549f658a63066ad023179409d34a339830e50586dbae00dc');
INSERT INTO dpor.audit_log VALUES (4, '2026-11-27 17:19:38.899944+00', 'registry_owner', 'ungrant', NULL, NULL, NULL, NULL, NULL, NULL, 'Contributor at / to reader', NULL, '05781e573275f8e7549f658a63066ad023179409d34a339830e50586dbae00dc', '2753a83539f0f161fc1b1033a22b3b8f46b7c0b3309549cf619ca4e861025ca6');
INSERT INTO dpor.audit_log VALUES (5, '2026-11-27 17:19:38.903636+00', 'registry_owner', 'partner-add', NULL, '4567890', NULL, NULL, NULL, NULL, '{"id": "4567890", "name": "Contoso Consulting", "status": "active", "tenants": [], "agreement": null, "former_ids": ["3456789"], "principals": ["sp-contoso"], "replaced_by": null, "former_names": [], "agreement_expires": null}', NULL, '2753a83539f0f161fc1b1033a22b3b8f46b7c0b3309549cf619ca4e861025ca6', 'e2876231409191c7ba3e5bac1d0fbc990e6febaea1563e2d02c0851c60bd9750');
INSERT INTO dpor.audit_log VALUES (6, '2026-11-27 17:19:38.905665+00', 'registry_owner', 'partner-add', NULL, '5127255', NULL, NULL, NULL, NULL, '{"id": "5127255", "name": "Fabrikam", "status": "active", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": null, "former_names": [], "agreement_expires": null}', NULL, 'e2876231409191c7ba3e5bac1d0fbc990e6febaea1563e2d02c0851c60bd9750', '5775cd053ae73a6d4e6880c814fe40bcf7f962d97ba27c717074fe08d72e2865');
INSERT INTO dpor.audit_log VALUES (7, '2026-11-27 17:19:38.907539+00', 'registry_owner', 'partner-rename', NULL, '5127255', NULL, NULL, NULL, NULL, '{"id": "5127255", "name": "Fabrikam Cloud Services", "status": "active", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": null, "former_names": ["Fabrikam"], "agreement_expires": null}', NULL, '5775cd053ae73a6d4e6880c814fe40bcf7f962d97ba27c717074fe08d72e2865', '4a408e426286808f6730ec4c486cc56ba256f7f3b24f62b179858cbfbb195943');
INSERT INTO dpor.audit_log VALUES (8, '2026-11-27 17:19:38.909164+00', 'registry_owner', 'partner-add', NULL, '2345678', NULL, NULL, NULL, NULL, '{"id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "status": "active", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": null, "former_names": [], "agreement_expires": null}', NULL, '4a408e426286808f6730ec4c486cc56ba256f7f3b24f62b179858cbfbb195943', '7c5435fdf5487be70c8548eec96b46d54338cce628cc068a221f0d4e603a3bbd');
INSERT INTO dpor.audit_log VALUES (9, '2026-11-27 17:19:38.91064+00', 'registry_owner', 'partner-retire', NULL, '2345678', NULL, NULL, NULL, NULL, '{"id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "status": "retired", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": "5127255", "former_names": [], "agreement_expires": null}', NULL, '7c5435fdf5487be70c8548eec96b46d54338cce628cc068a221f0d4e603a3bbd', '144458cc2915a0ce35dec7a46197aab97cde9db8d97a13421c5156b5c33d5897');
INSERT INTO dpor.audit_log VALUES (10, '2026-11-27 17:19:38.91359+00', 'registry_owner', 'designate', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '4567890', NULL, NULL, 1, NULL, NULL, NULL, '144458cc2915a0ce35dec7a46197aab97cde9db8d97a13421c5156b5c33d5897', '67cc5854e022e973d2a107d392bf93027eb24918cbd1414232c1395003a63ced');
INSERT INTO dpor.audit_log VALUES (11, '2026-11-27 17:19:38.915309+00', 'registry_owner', 'designate', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02', '4567890', NULL, NULL, 1, NULL, NULL, NULL, '67cc5854e022e973d2a107d392bf93027eb24918cbd1414232c1395003a63ced', '8371954a0d46880d65e7a9ef99301e3ffc2848519bbda4aceb982296e3d000a6');
INSERT INTO dpor.audit_log VALUES (12, '2026-11-27 17:19:38.917226+00', 'registry_owner', 'withdraw', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02', NULL, '4567890', '4567890', 2, NULL, NULL, NULL, '8371954a0d46880d65e7a9ef99301e3ffc2848519bbda4aceb982296e3d000a6', '68bfa4fb8227925c4be833432dd514d643f86f2d9b7104d3015efd22a3cc4c5f');
INSERT INTO dpor.audit_log VALUES (13, '2026-11-27 17:19:38.919379+00', 'registry_owner', 'access-add', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '4567890', NULL, NULL, NULL, NULL, 'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', NULL, '68bfa4fb8227925c4be833432dd514d643f86f2d9b7104d3015efd22a3cc4c5f', 'dd6c3e87c193028141a8583bcbf0fbdb5b9de42fb1a307c0604737083fbd8172');
INSERT INTO dpor.audit_log VALUES (14, '2026-11-27 17:19:38.920511+00', 'registry_owner', 'access-add', NULL, '5127255', NULL, NULL, NULL, NULL, 'Reader of sp-fabrikam at / if @Resource[name] == ''it''''s''', NULL, 'dd6c3e87c193028141a8583bcbf0fbdb5b9de42fb1a307c0604737083fbd8172', '58673f09de05c5553190b997b220c82ac9e1e4fa983e1f11dfca6fdf72d7b1c7');
INSERT INTO dpor.audit_log VALUES (15, '2026-11-27 17:19:38.922072+00', 'registry_owner', 'observe', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02', '5127255', NULL, NULL, 2, NULL, 'Fabrikam', NULL, '58673f09de05c5553190b997b220c82ac9e1e4fa983e1f11dfca6fdf72d7b1c7', 'effa98082096aa7c98388931774c836cf73da262afcab3e4e89a404a3b270abb');
INSERT INTO dpor.audit_log VALUES (16, '2026-11-27 17:19:38.935341+00', 'bob', 'designate', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '5127255', '4567890', NULL, 2, 'estate/prod/payments', NULL, '{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}', 'effa98082096aa7c98388931774c836cf73da262afcab3e4e89a404a3b270abb', 'c0d6cae7e3127f5fcccf2bf6b593938133ae53c2d296602f41c5ad52884bb700');
INSERT INTO dpor.audit_log VALUES (17, '2026-11-27 17:19:38.943286+00', 'bob', 'access-revoke', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '4567890', NULL, NULL, NULL, NULL, 'Reader of sp-contoso at /subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}', 'c0d6cae7e3127f5fcccf2bf6b593938133ae53c2d296602f41c5ad52884bb700', '295083f2b099ef7e708c9a099163e1b37c70026739bbabb085764375ea670c7f');
INSERT INTO dpor.audit_log VALUES (18, '2026-11-27 17:19:38.945501+00', 'bob', 'confirm', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '5127255', NULL, NULL, 2, NULL, 'Fabrikam Cloud Services', '{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}', '295083f2b099ef7e708c9a099163e1b37c70026739bbabb085764375ea670c7f', 'e9203a0eb70b30e13c5497840d9297d623368004fbc085c411623d4c85e74bd9');
INSERT INTO dpor.audit_log VALUES (19, '2026-11-27 17:19:38.947023+00', 'bob', 'refuse', NULL, NULL, NULL, NULL, NULL, NULL, 'rename partner 4567890: bob may not rename partner 4567890: only a Global Administrator may; see who is one with: dpor registry show', '{"actor":"bob","commit":"0f7a1c526a0e4c1e9a551d8f6b3f2a0112345678","provider":"github","ref":"refs/heads/main","repository":"woodgrove/estate","run_id":"42","run_url":"https://github.com/woodgrove/estate/actions/runs/42","verified":false}', 'e9203a0eb70b30e13c5497840d9297d623368004fbc085c411623d4c85e74bd9', 'b9f4d2dc86b421d30707668956f10639957cc9d61786a5c30c0a6e2425d52d84');
INSERT INTO dpor.audit_log VALUES (20, '2026-11-27 17:19:38.964078+00', 'registry_owner', 'partner-agreement', NULL, '4567890', NULL, NULL, NULL, NULL, '{"id": "4567890", "name": "Contoso Consulting", "status": "active", "tenants": [], "agreement": "DSA-1", "former_ids": ["3456789"], "principals": ["sp-contoso"], "replaced_by": null, "former_names": [], "agreement_expires": "2027-06-30"}', NULL, 'b9f4d2dc86b421d30707668956f10639957cc9d61786a5c30c0a6e2425d52d84', '182fdf194b25b4cb27e6274d5e3ca5368e637c7bb0d4399362e28d8f1b6823aa');
INSERT INTO dpor.audit_log VALUES (21, '2026-11-27 17:19:38.967927+00', 'registry_owner', 'partner-renumber', NULL, '4567891', NULL, NULL, NULL, NULL, '{"id": "4567891", "name": "Contoso Consulting", "status": "active", "tenants": [], "agreement": "DSA-1", "former_ids": ["3456789", "4567890"], "principals": ["sp-contoso"], "replaced_by": null, "former_names": [], "agreement_expires": "2027-06-30"}', NULL, '182fdf194b25b4cb27e6274d5e3ca5368e637c7bb0d4399362e28d8f1b6823aa', '1d1c85185ab36a82be5c2bb876b431bb852ffb9298abfea4027a64e705f162b6');


INSERT INTO dpor.designations VALUES ('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02', NULL, NULL, 2, NULL, NULL, NULL, false, false, 'registry_owner', '2026-11-27 17:19:38.91699+00', '4567890');
INSERT INTO dpor.designations VALUES ('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '5127255', 'Fabrikam Cloud Services', 2, 'estate/prod/payments', '4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f', '5127255', false, true, 'bob', '2026-11-27 17:19:38.934502+00', NULL);


INSERT INTO dpor.grants VALUES ('registry_owner', 'Global Administrator', '/');
INSERT INTO dpor.grants VALUES ('bob', 'Owner', '/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01');


INSERT INTO dpor.observations VALUES ('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02', '5127255', 'Fabrikam', 'registry_owner', '2026-11-27 17:19:38.921841+00');
INSERT INTO dpor.observations VALUES ('0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '5127255', 'Fabrikam Cloud Services', 'bob', '2026-11-27 17:19:38.945254+00');


INSERT INTO dpor.partners VALUES ('5127255', 'Fabrikam Cloud Services', '[]', '["Fabrikam"]', 'active', NULL, '[]', '[]', NULL, NULL);
INSERT INTO dpor.partners VALUES ('2345678', 'Northwind „Traders“ 北風; it''s', '[]', '[]', 'retired', '5127255', '[]', '[]', NULL, NULL);
INSERT INTO dpor.partners VALUES ('4567891', 'Contoso Consulting', '["3456789", "4567890"]', '[]', 'active', NULL, '["sp-contoso"]', '[]', 'DSA-1', '2027-06-30');


INSERT INTO dpor.registry VALUES ('b6450b59-abaf-466e-a089-39ceb0554cbf', '2026-11-27 17:19:38.823511+00');


INSERT INTO dpor.removed_access VALUES ('6898c9f3-65c4-41c5-8140-38d807e36c7e', '0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', '/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01', 'sp-contoso', 'Reader', '4567890', NULL, 'registry_owner', '2026-11-27 17:19:38.918918+00', 'bob', '2026-11-27 17:19:38.9428+00', '2026-11-27 17:19:38.945041+00', NULL);


INSERT INTO dpor.replies VALUES ('03e36644-aa92-4b81-8037-c17b86329197', 'registry_owner', '{"done": null}', '2026-11-27 17:19:38.888603+00');
INSERT INTO dpor.replies VALUES ('4fa18f2b-080d-4952-b7e2-70bb7d77ac17', 'registry_owner', '{"done": null}', '2026-11-27 17:19:38.897001+00');
INSERT INTO dpor.replies VALUES ('2957b2fc-dc0b-4a01-ace6-6e3723552f24', 'registry_owner', '{"done": null}', '2026-11-27 17:19:38.9003+00');
INSERT INTO dpor.replies VALUES ('c41bc4e4-f5e6-4c1f-837a-8e965dc2dbf5', 'registry_owner', '{"done": {"id": "4567890", "name": "Contoso Consulting", "status": "active", "tenants": [], "agreement": null, "former_ids": ["3456789"], "principals": ["sp-contoso"], "replaced_by": null, "former_names": [], "agreement_expires": null}}', '2026-11-27 17:19:38.903862+00');
INSERT INTO dpor.replies VALUES ('6bbf3520-2032-4e0a-8a01-b03e6e3c781b', 'registry_owner', '{"done": {"id": "5127255", "name": "Fabrikam", "status": "active", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": null, "former_names": [], "agreement_expires": null}}', '2026-11-27 17:19:38.905839+00');
INSERT INTO dpor.replies VALUES ('249e82ee-4eff-4724-8b1a-97373cc50070', 'registry_owner', '{"done": {"id": "5127255", "name": "Fabrikam Cloud Services", "status": "active", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": null, "former_names": ["Fabrikam"], "agreement_expires": null}}', '2026-11-27 17:19:38.907762+00');
INSERT INTO dpor.replies VALUES ('a1ce451f-7b00-431e-ae3e-bc7dc97c0174', 'registry_owner', '{"done": {"id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "status": "active", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": null, "former_names": [], "agreement_expires": null}}', '2026-11-27 17:19:38.909291+00');
INSERT INTO dpor.replies VALUES ('49ca5983-59e1-4265-8813-3d85be5dd13f', 'registry_owner', '{"done": {"id": "2345678", "name": "Northwind „Traders“ 北風; it''s", "status": "retired", "tenants": [], "agreement": null, "former_ids": [], "principals": [], "replaced_by": "5127255", "former_names": [], "agreement_expires": null}}', '2026-11-27 17:19:38.910799+00');
INSERT INTO dpor.replies VALUES ('c2fdb3c1-9b92-4a6e-bf50-8cdf6b1efa46', 'registry_owner', '{"done": {"claim": null, "adopted": false, "version": 1, "effective": false, "managed_by": null, "partner_id": "4567890", "partner_name": "Contoso Consulting", "designated_at": "2026-11-27T17:19:38.912999+00:00", "designated_by": "registry_owner", "subscription_id": "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01", "former_partner_id": null, "written_partner_id": null}}', '2026-11-27 17:19:38.913803+00');
INSERT INTO dpor.replies VALUES ('54ab3602-a2b9-49ce-bd7d-c5873e020821', 'registry_owner', '{"done": {"claim": null, "adopted": false, "version": 1, "effective": false, "managed_by": null, "partner_id": "4567890", "partner_name": "Contoso Consulting", "designated_at": "2026-11-27T17:19:38.915189+00:00", "designated_by": "registry_owner", "subscription_id": "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02", "former_partner_id": null, "written_partner_id": null}}', '2026-11-27 17:19:38.915487+00');
INSERT INTO dpor.replies VALUES ('ae40683c-c84f-4354-bfbd-71a1a5da2cf1', 'registry_owner', '{"done": {"claim": null, "adopted": false, "version": 2, "effective": false, "managed_by": null, "partner_id": null, "partner_name": null, "designated_at": "2026-11-27T17:19:38.91699+00:00", "designated_by": "registry_owner", "subscription_id": "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02", "former_partner_id": "4567890", "written_partner_id": null}}', '2026-11-27 17:19:38.917381+00');
INSERT INTO dpor.replies VALUES ('16425e38-6c96-408b-a68c-d5049499b76d', 'registry_owner', '{"done": {"id": "6898c9f3-65c4-41c5-8140-38d807e36c7e", "role": "Reader", "scope": "/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01", "condition": null, "principal": "sp-contoso", "granted_at": "2026-11-27T17:19:38.918918+00:00", "granted_by": "registry_owner", "partner_id": "4567890"}}', '2026-11-27 17:19:38.919519+00');
INSERT INTO dpor.replies VALUES ('fc1cd941-0ad2-4a93-824d-8086c1d9658e', 'registry_owner', '{"done": {"id": "b0e23111-0473-457d-96df-e6824dc251e0", "role": "Reader", "scope": "/", "condition": "@Resource[name] == ''it''''s''", "principal": "sp-fabrikam", "granted_at": "2026-11-27T17:19:38.920391+00:00", "granted_by": "registry_owner", "partner_id": "5127255"}}', '2026-11-27 17:19:38.920604+00');
INSERT INTO dpor.replies VALUES ('11c2e202-6ecd-4597-b0bb-e0cea9c8c1be', 'registry_owner', '{"done": 0}', '2026-11-27 17:19:38.922223+00');
INSERT INTO dpor.replies VALUES ('e2bca91c-754d-4e27-b652-f281f628cce5', 'bob', '{"done": {"claim": "4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f", "adopted": false, "version": 2, "effective": false, "managed_by": "estate/prod/payments", "partner_id": "5127255", "partner_name": "Fabrikam Cloud Services", "designated_at": "2026-11-27T17:19:38.934502+00:00", "designated_by": "bob", "subscription_id": "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01", "former_partner_id": null, "written_partner_id": "5127255"}}', '2026-11-27 17:19:38.936364+00');
INSERT INTO dpor.replies VALUES ('fea4d0f0-89b3-49c1-8e28-3a4bbaad8315', 'bob', '{"done": [{"id": "6898c9f3-65c4-41c5-8140-38d807e36c7e", "role": "Reader", "scope": "/subscriptions/0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01", "condition": null, "principal": "sp-contoso", "granted_at": "2026-11-27T17:19:38.918918+00:00", "granted_by": "registry_owner", "partner_id": "4567890"}]}', '2026-11-27 17:19:38.943548+00');
INSERT INTO dpor.replies VALUES ('a81461f6-4362-449c-9f1e-381d0df56ba9', 'bob', '{"done": true}', '2026-11-27 17:19:38.945726+00');
INSERT INTO dpor.replies VALUES ('9c23231b-6fa9-4bc3-9f84-7887353d4cce', 'bob', '{"refused": "bob may not rename partner 4567890: only a Global Administrator may; see who is one with: dpor registry show"}', '2026-11-27 17:19:38.947201+00');
INSERT INTO dpor.replies VALUES ('7e25fd55-a2d5-4d57-a183-5c7b0de2a101', 'registry_owner', '{"done": {"id": "4567890", "name": "Contoso Consulting", "status": "active", "tenants": [], "agreement": "DSA-1", "former_ids": ["3456789"], "principals": ["sp-contoso"], "replaced_by": null, "former_names": [], "agreement_expires": "2027-06-30"}}', '2026-11-27 17:19:38.965074+00');
INSERT INTO dpor.replies VALUES ('361d28ec-0c70-43e3-ade7-4474c3536f38', 'registry_owner', '{"done": {"id": "4567891", "name": "Contoso Consulting", "status": "active", "tenants": [], "agreement": "DSA-1", "former_ids": ["3456789", "4567890"], "principals": ["sp-contoso"], "replaced_by": null, "former_names": [], "agreement_expires": "2027-06-30"}}', '2026-11-27 17:19:38.968155+00');


SELECT pg_catalog.setval('dpor.audit_log_sequence_seq', 1, false);


ALTER TABLE ONLY dpor.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


ALTER TABLE ONLY dpor.access
    ADD CONSTRAINT pk_access PRIMARY KEY (id);


ALTER TABLE ONLY dpor.audit_log
    ADD CONSTRAINT pk_audit_log PRIMARY KEY (sequence);


ALTER TABLE ONLY dpor.designations
    ADD CONSTRAINT pk_designations PRIMARY KEY (subscription_id);


ALTER TABLE ONLY dpor.grants
    ADD CONSTRAINT pk_grants PRIMARY KEY (principal, role, scope);


ALTER TABLE ONLY dpor.observations
    ADD CONSTRAINT pk_observations PRIMARY KEY (subscription_id);


ALTER TABLE ONLY dpor.partners
    ADD CONSTRAINT pk_partners PRIMARY KEY (id);


ALTER TABLE ONLY dpor.registry
    ADD CONSTRAINT pk_registry PRIMARY KEY (id);


ALTER TABLE ONLY dpor.removed_access
    ADD CONSTRAINT pk_removed_access PRIMARY KEY (id);


ALTER TABLE ONLY dpor.replies
    ADD CONSTRAINT replies_pkey PRIMARY KEY (request, principal);


ALTER TABLE ONLY dpor.access
    ADD CONSTRAINT uq_access_scope UNIQUE (scope, principal, role);


CREATE INDEX ix_audit_log_former_partner_id ON dpor.audit_log USING btree (former_partner_id);


CREATE UNIQUE INDEX ix_audit_log_previous_hash ON dpor.audit_log USING btree (previous_hash);


CREATE INDEX ix_audit_log_subscription_id ON dpor.audit_log USING btree (subscription_id, sequence);


CREATE INDEX ix_removed_access_subscription_id ON dpor.removed_access USING btree (subscription_id);


CREATE INDEX ix_replies_at ON dpor.replies USING btree (at);


GRANT USAGE ON SCHEMA dpor TO bob;
GRANT USAGE ON SCHEMA dpor TO reader;


REVOKE ALL ON FUNCTION dpor.add_access(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.add_partner(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.admit(principal text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.adopt(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.agree_with_partner(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.attempt(operation text, arguments jsonb) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.canonical(fields jsonb) FROM PUBLIC;


GRANT SELECT ON TABLE dpor.designations TO bob;
GRANT SELECT ON TABLE dpor.designations TO reader;


REVOKE ALL ON FUNCTION dpor.changed_meanwhile(live dpor.designations) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.confirm(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.conflict(message text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.control() FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.current_partner_id(partner_id text) FROM PUBLIC;


GRANT SELECT ON TABLE dpor.access TO bob;
GRANT SELECT ON TABLE dpor.access TO reader;


REVOKE ALL ON FUNCTION dpor.described_access(held dpor.access) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.described_grant(arguments jsonb) FROM PUBLIC;


GRANT SELECT ON TABLE dpor.partners TO bob;
GRANT SELECT ON TABLE dpor.partners TO reader;


REVOKE ALL ON FUNCTION dpor.designable(partner_id text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.designate(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.digest(text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.dispatch(operation text, arguments jsonb, subscription_id text, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.former_partner(arguments jsonb, live dpor.designations, partner_id text, by_deployment boolean) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.grant_role(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.holds_control(words text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.holds_role(scope text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.insert_access(action text, held dpor.access, subscription_id text, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.invalid(message text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.known_partner(partner_id text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.live_designation(subscription_id text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.note_observation(action text, subscription_id text, partner_id text, partner_name text, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.observe(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.partner_of_any(partner_id text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.perform(operation text, arguments jsonb, request uuid, provenance text, known_schema text) FROM PUBLIC;
GRANT ALL ON FUNCTION dpor.perform(operation text, arguments jsonb, request uuid, provenance text, known_schema text) TO bob;
GRANT ALL ON FUNCTION dpor.perform(operation text, arguments jsonb, request uuid, provenance text, known_schema text) TO reader;


REVOKE ALL ON FUNCTION dpor.put_designation(action text, live dpor.designations, new dpor.designations, former_partner_id text, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.put_partner(action text, partner dpor.partners, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.record(action text, fields jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.record_access(action text, held dpor.access, subscription_id text, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.refuse(message text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.release(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.remove_access(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.rename_partner(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.renumber_partner(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_free(partner_id text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_global_administrator(attempt text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_printable(arguments jsonb) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_provenance(provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_readable(partner dpor.partners) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_role(subscription_id text, attempt text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_scope(scope text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_seen(live dpor.designations, arguments jsonb) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.require_subscription(subscription_id text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.restore_access(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.retire_partner(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.revoke_access(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.shell_quoted(word text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.ungrant_role(arguments jsonb, provenance text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.well_formed(partner_id text) FROM PUBLIC;


REVOKE ALL ON FUNCTION dpor.withdraw(arguments jsonb, provenance text) FROM PUBLIC;


GRANT SELECT ON TABLE dpor.alembic_version TO bob;
GRANT SELECT ON TABLE dpor.alembic_version TO reader;


GRANT SELECT ON TABLE dpor.audit_log TO bob;
GRANT SELECT ON TABLE dpor.audit_log TO reader;


GRANT SELECT ON TABLE dpor.grants TO bob;
GRANT SELECT ON TABLE dpor.grants TO reader;


GRANT SELECT ON TABLE dpor.observations TO bob;
GRANT SELECT ON TABLE dpor.observations TO reader;


GRANT SELECT ON TABLE dpor.registry TO bob;
GRANT SELECT ON TABLE dpor.registry TO reader;


GRANT SELECT ON TABLE dpor.removed_access TO bob;
GRANT SELECT ON TABLE dpor.removed_access TO reader;


