-- Designations: each change names the version that its caller saw (0 where there was no row).

CREATE OR REPLACE FUNCTION dpor.designable(partner_id text) RETURNS dpor.partners
LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION dpor.changed_meanwhile(live dpor.designations) RETURNS text
LANGUAGE sql STABLE AS $$
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

-- The partner whose term ends: only one that the registry or the portal showed there can be named,
-- and one that a deployment wrote is never passed over by another deployment.
CREATE OR REPLACE FUNCTION dpor.former_partner(
  arguments jsonb, live dpor.designations, partner_id text, by_deployment boolean
) RETURNS text
LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION dpor.require_seen(live dpor.designations, arguments jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF (arguments ->> 'seen_version')::integer IS DISTINCT FROM coalesce(live.version, 0) THEN
    PERFORM dpor.conflict(dpor.changed_meanwhile(live));
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION dpor.put_designation(
  action text, live dpor.designations, new dpor.designations, former_partner_id text,
  provenance text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  new.version := coalesce(live.version, 0) + 1;
  DELETE FROM dpor.designations AS row WHERE row.subscription_id = new.subscription_id;
  INSERT INTO dpor.designations VALUES (new.*);
  PERFORM dpor.record(action, jsonb_build_object(
    'at', CASE WHEN new.designated_at IS DISTINCT FROM live.designated_at
               THEN new.designated_at END,
    'subscription_id', new.subscription_id,
    'partner_id', new.partner_id,
    'previous_partner_id', live.partner_id,
    'former_partner_id', former_partner_id,
    'version', new.version,
    'managed_by', new.managed_by), provenance);
  RETURN to_jsonb(new);
END
$$;

CREATE OR REPLACE FUNCTION dpor.live_designation(subscription_id text) RETURNS dpor.designations
LANGUAGE sql STABLE AS $$
  SELECT * FROM dpor.designations AS row
  WHERE row.subscription_id = live_designation.subscription_id
$$;

CREATE OR REPLACE FUNCTION dpor.designate(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION dpor.adopt(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION dpor.withdraw(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION dpor.release(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
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
