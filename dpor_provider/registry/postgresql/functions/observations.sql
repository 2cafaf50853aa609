-- What people saw on the portal, confirmed one by one or imported.

CREATE OR REPLACE FUNCTION dpor.note_observation(
  action text, subscription_id text, partner_id text, partner_name text, provenance text
) RETURNS boolean
LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION dpor.confirm(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION dpor.observe(arguments jsonb, provenance text) RETURNS jsonb
LANGUAGE plpgsql AS $$
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
